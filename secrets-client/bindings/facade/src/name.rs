use secrets_core::{NamePolicy, SecretId, TargetKind, reserved};
use serde::Serialize;

use crate::{InvalidArgument, word};

/// Whether a name is valid.
#[derive(Clone, Debug, Serialize)]
pub struct NameVerdict {
    /// It is.
    pub valid: bool,
    /// What is wrong and what to do, in a sentence that may be shown.
    pub error: Option<String>,
    /// The nearest valid name.
    pub suggestion: Option<String>,
}

/// Judges the name of a secret: under `STRICT` (the default) or `RELAXED`, for a kind of target, by default
/// `ENVIRONMENT_VARIABLE`, for which some names are reserved.
pub fn validate_name(
    name: &str,
    name_policy: Option<&str>,
    target_kind: Option<&str>,
) -> Result<NameVerdict, InvalidArgument> {
    let policy: NamePolicy = word("name_policy", name_policy)?;
    let kind = target_kind.map_or(Ok(TargetKind::EnvironmentVariable), |text| crate::parse("target_kind", text))?;
    let (error, suggestion) = match SecretId::parse(name, policy) {
        Err(error) => (Some(error.to_string()), error.suggestion().map(SecretId::to_string)),
        Ok(_) if kind == TargetKind::EnvironmentVariable => {
            (reserved::environment(name).map(ToString::to_string), None)
        }
        Ok(_) => (None, None),
    };
    Ok(NameVerdict { valid: error.is_none(), error, suggestion })
}
