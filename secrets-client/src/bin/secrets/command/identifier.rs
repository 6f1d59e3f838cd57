//! Identifiers of tokens and sessions as a person names them: whole, or as much of the beginning as a list shows.

use secrets_core::Uid;

use crate::ui::error::{CliError, ExitCode};

/// Less of an identifier than this names nothing.
const MIN_CHARACTERS: usize = 8;

/// What a person has typed for an identifier.
#[derive(Debug, PartialEq)]
pub(super) enum Identifier<'a> {
    Whole(Uid),
    Beginning(&'a str),
}

/// Reads an identifier of a `noun`, such as `token`.
///
/// # Errors
///
/// Exit code 3 for what can't be one, since nothing has that identifier.
pub(super) fn parse<'a>(text: &'a str, noun: &str) -> Result<Identifier<'a>, CliError> {
    if let Ok(uid) = text.parse() {
        return Ok(Identifier::Whole(uid));
    }
    let is_part = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    match is_part && (MIN_CHARACTERS..36).contains(&text.len()) {
        true => Ok(Identifier::Beginning(text)),
        false => Err(not_found(text, noun)),
    }
}

/// The one resource path of `paths` whose identifier, its last segment, begins so.
///
/// # Errors
///
/// Exit code 3 if there is none, 2 if there are several.
pub(super) fn only(beginning: &str, paths: impl Iterator<Item = String>, noun: &str) -> Result<String, CliError> {
    let begins = |path: &String| path.rsplit('/').next().is_some_and(|uid| uid.starts_with(beginning));
    let mut found = paths.filter(begins);
    match (found.next(), found.next()) {
        (Some(path), None) => Ok(path),
        (None, _) => Err(not_found(beginning, noun)),
        (Some(_), Some(_)) => {
            Err(CliError::usage(format!("several {noun}s begin with `{beginning}`"))
                .hint("type more of the identifier"))
        }
    }
}

fn not_found(text: &str, noun: &str) -> CliError {
    CliError::new(ExitCode::NotFound, format!("there is no {noun} `{text}`"))
        .hint(format!("`secrets {noun} list` prints the identifiers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";

    #[test]
    fn reads_an_identifier_or_its_beginning() {
        assert_eq!(parse(UID, "token").unwrap(), Identifier::Whole(UID.parse().unwrap()));
        assert_eq!(parse("7c2a51d2", "token").unwrap(), Identifier::Beginning("7c2a51d2"));
        assert_eq!(parse("7c2a51d2-0a", "token").unwrap(), Identifier::Beginning("7c2a51d2-0a"));
        for text in ["", "7c2a51d", "7C2A51D2", "laptop-1", "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e111"] {
            assert!(parse(text, "token").is_err(), "{text}");
        }
    }

    #[test]
    fn a_beginning_names_one_alone() {
        let paths = || [format!("tokens/{UID}"), "tokens/7c2a51d3-0a5c-4d9d-9f3b-1d1f6b7c2e11".to_owned()].into_iter();
        assert_eq!(only("7c2a51d2", paths(), "token").unwrap(), format!("tokens/{UID}"));
        assert!(only("7c2a51d", paths(), "token").is_err());
        assert!(only("8c2a51d2", paths(), "token").is_err());
    }
}
