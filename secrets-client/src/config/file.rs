//! Reading a TOML file. An error names the file, the line and the key, and never shows a value.

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::ConfigError;

/// Reads a TOML file; none if it does not exist.
pub(super) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, ConfigError> {
    match fs::read(path) {
        Ok(bytes) => parse(path, &Zeroizing::new(bytes)).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError::File { path: path.to_owned(), error }),
    }
}

/// Parses the bytes of a TOML file.
pub(super) fn parse<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, ConfigError> {
    let syntax = |line, problem| ConfigError::Syntax { path: path.to_owned(), line, problem };
    let line_at = |at| Some(bytes.get(..at)?.iter().filter(|byte| **byte == b'\n').count() + 1);
    let text =
        std::str::from_utf8(bytes).map_err(|error| syntax(line_at(error.valid_up_to()), "must be UTF-8".to_owned()))?;
    toml::from_str(text).map_err(|error| {
        let at = error.span().map(|span| span.start);
        let problem = problem(error.message());
        let problem = match at.and_then(|at| key_at(text, at)) {
            Some(key) => format!("`{key}`: {problem}"),
            None => problem,
        };
        syntax(at.and_then(line_at), problem)
    })
}

/// Deserializes a text that must be an identifier of type `I`.
pub(super) fn identifier<'de, I, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    I: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    text.parse::<I>().map_err(D::Error::custom)?;
    Ok(Some(text))
}

/// Describes a problem without the value: the offending line, which `Display` adds, and a text of the wrong type could be a
/// token or a secret.
fn problem(message: &str) -> String {
    let expected = message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "));
    match expected {
        Some((_, expected)) => format!("must be {expected}"),
        None => message.replace('\n', "; "),
    }
}

/// Returns the key of the line at this offset, with the table that it is in; none if the line has none.
fn key_at(text: &str, at: usize) -> Option<String> {
    let begin = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let (before, line) = (text.get(..begin)?, text.get(begin..)?.lines().next()?.trim());
    let key = match (table(line), line.split_once('=')) {
        (Some(table), _) => table.to_owned(),
        (None, Some((key, _))) => {
            let table = before.lines().rev().find_map(|line| table(line.trim()));
            table.map_or_else(|| key.trim().to_owned(), |table| format!("{table}.{}", key.trim()))
        }
        (None, None) => return None,
    };
    key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.\":/".contains(c)).then_some(key)
}

/// Returns the name in a table's header.
fn table(line: &str) -> Option<&str> {
    let name = line.strip_prefix("[[").or_else(|| line.strip_prefix('['))?;
    Some(name.split(']').next()?.trim())
}
