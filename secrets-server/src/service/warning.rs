//! What a caller should know about something that was done all the same.

use secrets_core::{SecretId, ValueWarning};

/// A warning. It never carries a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub code: WarningCode,
    /// The secret it is about; none when it is about the whole answer.
    pub secret_id: Option<SecretId>,
    /// A sentence for a person.
    pub message: String,
}

/// The kinds of warning, each documented in `proto/secretsapi/v1/secret.proto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WarningCode {
    TrailingNewline,
    InvisibleCharacter,
    ShadowsBroader,
    BlockedByLock,
    KeyMaterialInEnv,
    CommonWord,
    ExpiresSoon,
    AlreadyExpired,
    ReachesNobody,
    LargeEnvironment,
}

impl Warning {
    /// A warning about one secret.
    pub fn new(secret_id: &SecretId, code: WarningCode, message: impl Into<String>) -> Self {
        Self { code, secret_id: Some(secret_id.clone()), message: message.into() }
    }

    /// What is remarkable about a secret's value.
    pub fn from_value(secret_id: &SecretId, warning: ValueWarning) -> Self {
        let code = match warning {
            ValueWarning::TrailingNewline => WarningCode::TrailingNewline,
            ValueWarning::InvisibleCharacter => WarningCode::InvisibleCharacter,
            ValueWarning::KeyMaterialInEnv => WarningCode::KeyMaterialInEnv,
            ValueWarning::CommonWord => WarningCode::CommonWord,
        };
        Self::new(secret_id, code, warning.to_string())
    }
}
