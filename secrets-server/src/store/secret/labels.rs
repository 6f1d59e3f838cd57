//! Labels as JSON text.

use std::collections::BTreeMap;

use secrets_core::Labels;
use serde_json::{Map, Value};

/// `{"key":"value"}`, in the order of the keys.
pub(super) fn write(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(key, value)| (key.to_owned(), Value::String(value.to_owned())));
    Value::Object(pairs.collect::<Map<_, _>>()).to_string()
}

pub(super) fn read(text: &str) -> Option<Labels> {
    let pairs: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    Labels::new(pairs).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let labels = Labels::new([("team", "pay\"ments"), ("a/b", ""), ("z", "ü")]).unwrap();
        assert_eq!(write(&labels), r#"{"a/b":"","team":"pay\"ments","z":"ü"}"#);
        assert_eq!(read(&write(&labels)), Some(labels));
        assert_eq!(read(&write(&Labels::default())), Some(Labels::default()));
    }

    #[test]
    fn reads_nothing_else() {
        for text in ["", "[]", "{", r#"{"a":1}"#, r#"{"":"x"}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
