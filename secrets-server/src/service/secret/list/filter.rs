//! Which secrets a listing shows: conditions joined by `AND`, a small part of AIP-160.
//!
//! `secret_id = "X"`, `secret_id : "PREFIX*"`, `group = "aws"`, `labels.team = "web"`, `target = "FILE"`, `disabled = true`.
//! A value of letters, digits and `_ - . / *` needs no quotes; in quotes `\"` and `\\` are escapes.

use std::fmt;
use std::str::FromStr;

use secrets_core::{Group, Labels, SecretId, TargetKind};

/// The conditions; all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    SecretId(String),
    SecretIdPrefix(String),
    Group(String),
    Label { key: String, value: String },
    Target(TargetKind),
    Disabled(bool),
}

/// A text that is not a filter; says where, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFilter {
    /// The offset in bytes of what is wrong.
    pub at: usize,
    /// What is expected there.
    pub expected: &'static str,
}

/// What a filter looks at.
#[derive(Clone, Copy)]
pub struct Filtered<'a> {
    pub secret_id: &'a SecretId,
    pub group: Option<&'a Group>,
    pub labels: &'a Labels,
    pub target: TargetKind,
    pub disabled: bool,
}

impl Filter {
    /// Whether all conditions hold.
    pub fn matches(&self, secret: Filtered<'_>) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::SecretId(name) => secret.secret_id.as_str() == name,
            Condition::SecretIdPrefix(prefix) => secret.secret_id.as_str().starts_with(prefix),
            Condition::Group(group) => secret.group.map_or("", Group::as_str) == group,
            Condition::Label { key, value } => secret.labels.get(key) == Some(value),
            Condition::Target(kind) => secret.target == *kind,
            Condition::Disabled(disabled) => secret.disabled == *disabled,
        })
    }
}

impl FromStr for Filter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = Reader { text, at: 0 };
        if text.len() > MAX_BYTES {
            return reader.fails("must be at most 2,048 bytes");
        }
        let mut conditions = Vec::new();
        reader.skip_spaces();
        while !reader.rest().is_empty() {
            if conditions.len() == MAX_CONDITIONS {
                return reader.fails("must have at most 32 conditions");
            }
            if !conditions.is_empty() {
                reader.keyword("AND")?;
            }
            conditions.push(reader.condition()?);
            reader.skip_spaces();
        }
        Ok(Self(conditions))
    }
}

/// Of a filter, which each secret of a scope is compared with.
const MAX_BYTES: usize = 2_048;
const MAX_CONDITIONS: usize = 32;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

const FIELDS: &str = "expected `secret_id`, `group`, `labels.KEY`, `target` or `disabled`";
const VALUE: &str = "expected a value, in double quotes unless it is of letters, digits and `_ - . / *`";

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn fails<T>(&self, expected: &'static str) -> Result<T, InvalidFilter> {
        Err(InvalidFilter { at: self.at, expected })
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n']).len();
    }

    /// The longest run of characters that stand in words.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-./*".contains(c))).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), InvalidFilter> {
        let start = self.at;
        if self.word() == keyword {
            return Ok(());
        }
        self.at = start;
        self.fails("conditions are joined by `AND`")
    }

    fn condition(&mut self) -> Result<Condition, InvalidFilter> {
        self.skip_spaces();
        let start = self.at;
        let field = self.word();
        let label = field.strip_prefix("labels.");
        let known =
            matches!(field, "secret_id" | "group" | "target" | "disabled") || label.is_some_and(|key| !key.is_empty());
        if !known {
            self.at = start;
            return self.fails(FIELDS);
        }
        self.skip_spaces();
        let has = match self.rest().chars().next() {
            Some('=') => false,
            Some(':') if field == "secret_id" => true,
            _ => return self.fails("expected `=`, or after `secret_id` also `:`"),
        };
        self.at += 1;
        self.skip_spaces();
        let start = self.at;
        let value = self.value()?;
        let refused = |expected| Err(InvalidFilter { at: start, expected });
        if let Some(key) = label {
            return Ok(Condition::Label { key: key.to_owned(), value });
        }
        match (field, has) {
            ("secret_id", true) => match value.strip_suffix('*') {
                Some(prefix) if !prefix.contains('*') => Ok(Condition::SecretIdPrefix(prefix.to_owned())),
                None if !value.contains('*') => Ok(Condition::SecretId(value)),
                _ => refused("expected one `*`, at the end"),
            },
            ("secret_id", false) => Ok(Condition::SecretId(value)),
            ("group", _) => Ok(Condition::Group(value)),
            ("target", _) => match value.parse() {
                Ok(kind) => Ok(Condition::Target(kind)),
                Err(_) => refused("expected `ENVIRONMENT_VARIABLE`, `FILE`, `REGISTRY` or `API_ONLY`"),
            },
            _ => match value.as_str() {
                "true" => Ok(Condition::Disabled(true)),
                "false" => Ok(Condition::Disabled(false)),
                _ => refused("expected `true` or `false`"),
            },
        }
    }

    fn value(&mut self) -> Result<String, InvalidFilter> {
        let Some(quoted) = self.rest().strip_prefix('"') else {
            let word = self.word();
            return if word.is_empty() { self.fails(VALUE) } else { Ok(word.to_owned()) };
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.at += 1 + at + 1;
                    return Ok(value);
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    _ => return self.fails("in quotes `\\\"` and `\\\\` are the escapes"),
                },
                c => value.push(c),
            }
        }
        self.fails("a quoted value ends in `\"`")
    }
}

impl fmt::Display for InvalidFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.at, self.expected)
    }
}

impl std::error::Error for InvalidFilter {}

#[cfg(test)]
mod tests {
    use secrets_core::NamePolicy;

    use super::*;

    fn matches(filter: &str) -> bool {
        let secret_id = SecretId::parse("AWS_SECRET_ACCESS_KEY", NamePolicy::Strict).unwrap();
        let group = "aws".parse().unwrap();
        let labels = Labels::new([("team", "web \"core\""), ("app/tier", "1")]).unwrap();
        filter.parse::<Filter>().unwrap().matches(Filtered {
            secret_id: &secret_id,
            group: Some(&group),
            labels: &labels,
            target: TargetKind::EnvironmentVariable,
            disabled: false,
        })
    }

    #[test]
    fn conditions_hold_or_not() {
        for (filter, holds) in [
            ("", true),
            ("  ", true),
            (r#"secret_id = "AWS_SECRET_ACCESS_KEY""#, true),
            ("secret_id=AWS_SECRET_ACCESS_KEY", true),
            (r#"secret_id = "AWS_""#, false),
            (r#"secret_id : "AWS_*""#, true),
            ("secret_id:AWS_*", true),
            (r#"secret_id : "*""#, true),
            (r#"secret_id : "AWS_""#, false),
            (r#"secret_id = "AWS_*""#, false),
            (r#"group = "aws""#, true),
            (r#"group = """#, false),
            (r#"labels.team = "web \"core\"""#, true),
            (r#"labels.app/tier = 1"#, true),
            (r#"labels.missing = """#, false),
            (r#"target = "ENVIRONMENT_VARIABLE""#, true),
            ("target = FILE", false),
            ("disabled = false", true),
            ("disabled = true", false),
            (r#"group = "aws" AND disabled = false AND secret_id : "AWS_*""#, true),
            (r#"group = "aws" AND disabled = true"#, false),
        ] {
            assert_eq!(matches(filter), holds, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_with_its_place() {
        for (filter, at) in [
            ("name = x", 0),
            ("secret_id", 9),
            ("secret_id != x", 10),
            ("secret_id = ", 12),
            ("group : x", 6),
            ("labels. = x", 0),
            ("target = PIGEON", 9),
            ("disabled = yes", 11),
            ("disabled = true OR disabled = false", 16),
            ("disabled = true AND", 19),
            ("disabled = true disabled = false", 16),
            ("secret_id : \"A*B\"", 12),
            ("secret_id = \"open", 12),
            ("secret_id = \"\\n\"", 12),
            ("NOT disabled = true", 0),
            ("(disabled = true)", 0),
            ("\u{e9}", 0),
        ] {
            let error = filter.parse::<Filter>().unwrap_err();
            assert_eq!(error.at, at, "{filter}: {error}");
        }
    }
}
