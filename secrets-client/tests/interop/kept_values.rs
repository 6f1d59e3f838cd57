//! Values that steps keep for later steps, which name them as `${name}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Kept values by name.
#[derive(Default)]
pub(crate) struct KeptValues(BTreeMap<String, String>);

impl KeptValues {
    pub(crate) fn keep(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no step has kept `{name}`"))
    }

    /// `value` with every `${name}` in its texts replaced.
    pub(crate) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill_text(text)),
            Value::Array(elements) => elements.iter().map(|element| self.fill(element)).collect(),
            Value::Object(members) => Value::Object(self.fill_object(members)),
            other => other.clone(),
        }
    }

    pub(crate) fn fill_object(&self, members: &Map<String, Value>) -> Map<String, Value> {
        members.iter().map(|(name, member)| (name.clone(), self.fill(member))).collect()
    }

    fn fill_text(&self, text: &str) -> String {
        let mut pieces = text.split("${");
        let mut filled = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}').unwrap_or_else(|| panic!("`${{` without `}}` in `{text}`"));
            filled.push_str(self.get(name));
            filled.push_str(rest);
        }
        filled
    }
}

/// What stands at a dotted path, such as `secrets.0.etag`.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    value.pointer(&format!("/{}", path.replace('.', "/")))
}
