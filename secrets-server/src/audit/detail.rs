use secrets_core::AllowedReserved;
use serde::{Deserialize, Serialize};

/// What an event says beside the fields that every event has; JSON in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// The reserved names and paths that were allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_reserved: Vec<String>,
    /// Those that are no longer allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disallowed_reserved: Vec<String>,
    /// The names of the fields that were changed, as the interface has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed_fields: Vec<String>,
}

impl Detail {
    /// The difference between what an organization allowed and what it allows.
    pub fn allowed_reserved(before: &AllowedReserved, after: &AllowedReserved) -> Self {
        let without = |all: &AllowedReserved, others: &AllowedReserved| {
            all.iter().filter(|entry| !others.contains(entry)).map(str::to_owned).collect()
        };
        Self {
            allowed_reserved: without(after, before),
            disallowed_reserved: without(before, after),
            ..Self::default()
        }
    }

    /// The same with the names of those of these fields that are not as they were.
    #[must_use]
    pub fn with_changed<'a>(self, fields: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let changed = fields.into_iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| name.to_owned());
        Self { changed_fields: changed.collect(), ..self }
    }

    /// The text to store; empty where there is nothing to say.
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        if *self == Self::default() { Ok(String::new()) } else { serde_json::to_string(self) }
    }

    /// What a stored text says, as far as this version knows it.
    pub fn from_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_came_and_what_went() {
        let [before, after] =
            [["KUBECONFIG", "PAGER"], ["PAGER", "CC"]].map(|list| AllowedReserved::new(list).unwrap());
        let detail = Detail::allowed_reserved(&before, &after);
        let text = detail.to_text().unwrap();
        assert_eq!(text, r#"{"allowed_reserved":["CC"],"disallowed_reserved":["KUBECONFIG"]}"#);
        assert_eq!(Detail::from_text(&text), detail);
        assert_eq!(Detail::allowed_reserved(&after, &after).to_text().unwrap(), "");
        for other in ["", "{\"count\":2}"] {
            assert_eq!(Detail::from_text(other), Detail::default());
        }
    }
}
