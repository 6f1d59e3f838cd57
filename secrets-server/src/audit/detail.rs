use secrets_core::{AllowedReserved, SecretName, Uid};
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
    /// What was copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The secret that a copy was read from: the name it had, which outlives it, and whose it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    /// Its uid, as text.
    pub uid: String,
}

impl Source {
    pub fn new(name: &SecretName, uid: Uid) -> Self {
        Self { name: name.to_string(), uid: uid.to_string() }
    }

    /// Which secret it was; none if the text is not one of ours.
    pub fn uid(&self) -> Option<Uid> {
        Uid::try_parse(&self.uid).ok()
    }

    /// How the details of an event begin to name a source that is below `path`, which has nothing that JSON escapes. No other text of
    /// theirs has it: there, JSON escapes the quotes.
    pub fn prefix_below(path: &str) -> String {
        format!(r#""source":{{"name":"{path}/"#)
    }
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
    fn a_source_is_found_by_what_it_is_below_and_by_nothing_else() {
        let source = Source::new(&"organizations/acme/projects/api/secrets/KEY".parse().unwrap(), Uid::from_u128(7));
        let text = Detail { source: Some(source.clone()), ..Detail::default() }.to_text().unwrap();
        assert_eq!(Detail::from_text(&text).source.unwrap().uid(), Some(Uid::from_u128(7)));
        assert!(text.contains(&Source::prefix_below("organizations/acme/projects/api")), "{text}");
        for other in ["organizations/acme/projects/ap", "organizations/acme/projects", "acme/projects/api"] {
            let found = text.contains(&Source::prefix_below(other));
            assert_eq!(found, other == "organizations/acme/projects", "{other}: {text}");
        }
        let imitation = Source::prefix_below("organizations/acme/projects/api");
        let other = Detail { changed_fields: vec![imitation.clone()], ..Detail::default() }.to_text().unwrap();
        assert!(!other.contains(&imitation), "{other}");
    }

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
