//! Which of a secret's attributes a request sets: all of them, those that are set, or those that a mask names.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use secrets_core::{InvalidIdentifier, Labels, OverridePolicy, Redaction};
use secrets_proto::v1;

use super::target::target;
use crate::error::{Error, Reason};
use crate::rpc::decode::{at_most, identifier, parse, time};
use crate::service::secret::patch::{SecretPatch, VisibilityNames};

/// The fields a mask may name.
const EDITABLE: &str = "`target`, `description`, `labels`, `group`, `visibility`, `override_policy`, `disabled`, `redaction`, \
                        `expire_time`, `value`";

/// Projects, and workspaces, in one selection.
const MAX_SELECTED: usize = 1_000;

/// The fields of a secret that no request sets.
const NOT_EDITABLE: [&str; 16] = [
    "name",
    "uid",
    "secret_id",
    "current_version",
    "etag",
    "create_time",
    "creator",
    "update_time",
    "updater",
    "delete_time",
    "purge_time",
    "masked_value",
    "inherited",
    "read_only",
    "shadowed_by",
    "scope",
];

/// The fields that are set; of a new secret the others have their defaults.
pub(super) fn set_fields(secret: v1::Secret) -> Result<SecretPatch, Error> {
    Ok(SecretPatch {
        labels: if secret.labels.is_empty() { None } else { Some(labels(&secret)?) },
        target: target(secret.target)?,
        description: unless_empty(&secret.description, "secret.description")?,
        group: unless_empty(&secret.group, "secret.group")?.map(Some),
        visibility: visibility(secret.visibility)?,
        override_policy: override_policy(secret.override_policy)?,
        disabled: secret.disabled.then_some(true),
        redaction: redaction(secret.redaction)?,
        expire_time: time("secret.expire_time", secret.expire_time)?.map(Some),
    })
}

/// The fields that the mask names, set or cleared. A field that can't be empty must be set.
pub(super) fn masked(secret: v1::Secret, paths: &[String]) -> Result<SecretPatch, Error> {
    let mut edit = SecretPatch::default();
    for path in paths {
        match path.as_str() {
            "target" => {
                edit.target = Some(demanded(
                    target(secret.target.clone())?,
                    "secret.target",
                    "environment_variable, file, registry or api_only",
                )?)
            }
            "description" => edit.description = Some(parse("secret.description", &secret.description)?),
            "labels" => edit.labels = Some(labels(&secret)?),
            "group" => edit.group = Some(unless_empty(&secret.group, "secret.group")?),
            "visibility" => {
                let given = visibility(secret.visibility.clone())?;
                edit.visibility = Some(demanded(given, "secret.visibility", "ALL, or SELECTED with its selection")?);
            }
            "override_policy" => {
                let given = override_policy(secret.override_policy)?;
                edit.override_policy = Some(demanded(given, "secret.override_policy", "ALLOWED or LOCKED")?);
            }
            "disabled" => edit.disabled = Some(secret.disabled),
            "redaction" => {
                let given = redaction(secret.redaction)?;
                edit.redaction = Some(demanded(given, "secret.redaction", "DEFAULT or OFF")?);
            }
            "expire_time" => edit.expire_time = Some(time("secret.expire_time", secret.expire_time)?),
            // The value is no field of the secret; whether there is one has been checked.
            "value" => {}
            other => return Err(unknown(other)),
        }
    }
    Ok(edit)
}

fn unknown(path: &str) -> Error {
    let rule = if NOT_EDITABLE.contains(&path) {
        format!("`{path}` can't be changed; expected any of {EDITABLE}")
    } else if path.len() <= 64 && path.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'.')) {
        format!("unknown path `{path}`; expected any of {EDITABLE}")
    } else {
        // What does not look like a path is not repeated: it may be anything.
        format!("unknown path; expected any of {EDITABLE}")
    };
    Error::field(Reason::InvalidUpdateMask, "update_mask", rule)
}

fn demanded<T>(given: Option<T>, field: &'static str, expected: &str) -> Result<T, Error> {
    given.ok_or_else(|| {
        Error::invalid(field, format!("must be set because `update_mask` names it; expected {expected}"))
    })
}

fn unless_empty<T>(text: &str, field: &'static str) -> Result<Option<T>, Error>
where
    T: FromStr,
    T::Err: Display,
{
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

fn labels(secret: &v1::Secret) -> Result<Labels, Error> {
    Labels::new(&secret.labels).map_err(|error| Error::invalid("secret.labels", error))
}

fn visibility(visibility: Option<v1::Visibility>) -> Result<Option<VisibilityNames>, Error> {
    use v1::VisibilityMode::{All, Selected, Unspecified};
    let Some(visibility) = visibility else { return Ok(None) };
    let selects = !visibility.projects.is_empty() || !visibility.workspaces.is_empty();
    match v1::VisibilityMode::try_from(visibility.mode) {
        Ok(Selected) => Ok(Some(VisibilityNames::Selected {
            projects: identifiers("secret.visibility.projects", &visibility.projects)?,
            workspaces: identifiers("secret.visibility.workspaces", &visibility.workspaces)?,
        })),
        Ok(Unspecified) if !selects => Ok(None),
        Ok(All) if !selects => Ok(Some(VisibilityNames::All)),
        Ok(All | Unspecified) => {
            Err(Error::invalid("secret.visibility.mode", "must be SELECTED because projects or workspaces are given"))
        }
        Err(_) => Err(Error::invalid("secret.visibility.mode", "expected ALL or SELECTED")),
    }
}

fn identifiers<T>(field: &'static str, texts: &[String]) -> Result<BTreeSet<T>, Error>
where
    T: FromStr<Err = InvalidIdentifier> + Ord,
{
    at_most(field, texts.len(), MAX_SELECTED, "identifiers")?;
    texts.iter().map(|text| identifier(field, text)).collect()
}

fn override_policy(policy: i32) -> Result<Option<OverridePolicy>, Error> {
    match v1::OverridePolicy::try_from(policy) {
        Ok(v1::OverridePolicy::Unspecified) => Ok(None),
        Ok(v1::OverridePolicy::Allowed) => Ok(Some(OverridePolicy::Allowed)),
        Ok(v1::OverridePolicy::Locked) => Ok(Some(OverridePolicy::Locked)),
        Err(_) => Err(Error::invalid("secret.override_policy", "expected ALLOWED or LOCKED")),
    }
}

fn redaction(redaction: i32) -> Result<Option<Redaction>, Error> {
    match v1::Redaction::try_from(redaction) {
        Ok(v1::Redaction::Unspecified) => Ok(None),
        Ok(v1::Redaction::Default) => Ok(Some(Redaction::Default)),
        Ok(v1::Redaction::Off) => Ok(Some(Redaction::Off)),
        Err(_) => Err(Error::invalid("secret.redaction", "expected DEFAULT or OFF")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn without_a_mask_only_what_is_set_is_edited() {
        let secret = v1::Secret { description: "d".into(), disabled: true, ..Default::default() };
        let edit = set_fields(secret).unwrap();
        assert_eq!(edit.description.as_ref().unwrap().as_str(), "d");
        assert_eq!(edit.disabled, Some(true));
        assert_eq!(SecretPatch { description: None, disabled: None, ..edit }, SecretPatch::default());
    }

    #[test]
    fn a_mask_sets_and_clears_exactly_what_it_names() {
        let secret = v1::Secret { description: "not named".into(), ..Default::default() };
        let edit = masked(secret, &paths(&["group", "expire_time", "labels", "disabled"])).unwrap();
        let expected = SecretPatch {
            group: Some(None),
            expire_time: Some(None),
            labels: Some(Labels::default()),
            disabled: Some(false),
            ..SecretPatch::default()
        };
        assert_eq!(edit, expected);
    }

    #[test]
    fn a_mask_refuses_unknown_and_output_only_fields() {
        for path in ["descriptions", "secret.description", "*", "", "labels.team", "uid", "etag", "current_version"] {
            let failure = masked(v1::Secret::default(), &paths(&[path])).unwrap_err();
            assert_eq!(failure.reason(), Reason::InvalidUpdateMask, "{path}");
            assert!(failure.message().contains("`description`, `labels`"), "{path}: {failure}");
        }
    }

    #[test]
    fn a_mask_demands_what_has_no_empty_state() {
        for (path, field) in [
            ("target", "secret.target"),
            ("visibility", "secret.visibility"),
            ("override_policy", "secret.override_policy"),
            ("redaction", "secret.redaction"),
        ] {
            let failure = masked(v1::Secret::default(), &paths(&[path])).unwrap_err();
            assert_eq!(failure.violations()[0].field, field);
        }
    }

    #[test]
    fn a_selection_needs_the_mode_selected() {
        let given = |mode: v1::VisibilityMode, projects: &[&str]| {
            visibility(Some(v1::Visibility { mode: mode.into(), projects: paths(projects), workspaces: vec![] }))
        };
        assert!(given(v1::VisibilityMode::All, &["api"]).is_err());
        assert!(given(v1::VisibilityMode::Unspecified, &["api"]).is_err());
        assert_eq!(given(v1::VisibilityMode::Unspecified, &[]).unwrap(), None);
        assert_eq!(given(v1::VisibilityMode::All, &[]).unwrap(), Some(VisibilityNames::All));
        assert!(given(v1::VisibilityMode::Selected, &["Not an id"]).is_err());
        match given(v1::VisibilityMode::Selected, &[]).unwrap() {
            Some(VisibilityNames::Selected { projects, workspaces }) => {
                assert!(projects.is_empty() && workspaces.is_empty())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_selection_names_a_thousand_of_each_at_most() {
        let named = |projects: usize, workspaces: usize| {
            let ids = |count| (0..count).map(|number| format!("p{number}")).collect();
            let mode = v1::VisibilityMode::Selected.into();
            visibility(Some(v1::Visibility { mode, projects: ids(projects), workspaces: ids(workspaces) }))
        };
        assert!(named(1_000, 1_000).is_ok());
        for (projects, workspaces) in [(1_001, 0), (0, 1_001)] {
            let failure = named(projects, workspaces).unwrap_err();
            assert!(failure.message().contains("at most 1000"), "{failure}");
        }
    }
}
