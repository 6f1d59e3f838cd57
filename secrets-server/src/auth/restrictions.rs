//! What narrows a session, as it is stored: JSON of the dimensions that narrow it.

use std::collections::BTreeSet;
use std::str::FromStr;

use secrets_core::{NamePolicy, ScopeKind, SecretId, SessionRestrictions, TargetKind};
use serde::{Deserialize, Serialize};

use crate::error::Error;

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
}

/// The text to store; none when nothing is narrowed.
pub fn to_text(restrictions: &SessionRestrictions) -> Result<Option<String>, Error> {
    if *restrictions == SessionRestrictions::default() {
        return Ok(None);
    }
    let words = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
    let stored = Stored {
        secret_ids: restrictions.secret_ids.as_ref().map(|names| words(names.iter().map(SecretId::as_str).collect())),
        kinds: restrictions.kinds.as_ref().map(|kinds| words(kinds.iter().map(|kind| kind.as_str()).collect())),
        scopes: restrictions.scopes.as_ref().map(|scopes| words(scopes.iter().map(|scope| scope.as_str()).collect())),
    };
    serde_json::to_string(&stored).map(Some).map_err(Error::internal)
}

/// What a stored text narrows; a text that does not parse narrows to nothing at all: it is an error.
pub fn parse(text: Option<&str>) -> Result<SessionRestrictions, Error> {
    let Some(text) = text else { return Ok(SessionRestrictions::default()) };
    let stored: Stored = serde_json::from_str(text).map_err(|_| corrupt())?;
    Ok(SessionRestrictions {
        secret_ids: stored
            .secret_ids
            .map(|names| {
                names.iter().map(|name| SecretId::parse(name, NamePolicy::Relaxed).map_err(|_| corrupt())).collect()
            })
            .transpose()?,
        kinds: stored.kinds.map(keywords::<TargetKind>).transpose()?,
        scopes: stored.scopes.map(keywords::<ScopeKind>).transpose()?,
    })
}

fn keywords<T: FromStr + Ord>(words: Vec<String>) -> Result<BTreeSet<T>, Error> {
    words.iter().map(|word| word.parse().map_err(|_| corrupt())).collect()
}

fn corrupt() -> Error {
    Error::internal("the stored narrowing of a session does not parse")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_narrows_the_same() {
        let name = SecretId::parse("GITHUB_TOKEN", NamePolicy::Strict).unwrap();
        for restrictions in [
            SessionRestrictions::default(),
            SessionRestrictions { secret_ids: Some([name].into()), ..SessionRestrictions::default() },
            SessionRestrictions {
                kinds: Some([TargetKind::File].into()),
                scopes: Some([ScopeKind::User].into()),
                ..SessionRestrictions::default()
            },
            SessionRestrictions { secret_ids: Some(BTreeSet::new()), ..SessionRestrictions::default() },
        ] {
            assert_eq!(parse(to_text(&restrictions).unwrap().as_deref()).unwrap(), restrictions);
        }
    }

    #[test]
    fn a_damaged_text_is_refused_rather_than_read_as_everything() {
        for text in ["", "{", "{\"names\":[]}", "{\"kinds\":[\"PIGEON\"]}", "{\"secret_ids\":[\"a b\"]}"] {
            assert!(parse(Some(text)).is_err(), "{text}");
        }
    }
}
