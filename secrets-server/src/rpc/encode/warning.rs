//! Warnings.

use secrets_core::SecretId;
use secrets_proto::v1;

use crate::service::warning::{Warning, WarningCode};

pub fn warnings(warnings: &[Warning]) -> Vec<v1::Warning> {
    warnings.iter().map(warning).collect()
}

pub fn warning(warning: &Warning) -> v1::Warning {
    let code = match warning.code {
        WarningCode::TrailingNewline => v1::WarningCode::TrailingNewline,
        WarningCode::InvisibleCharacter => v1::WarningCode::InvisibleCharacter,
        WarningCode::ShadowsBroader => v1::WarningCode::ShadowsBroader,
        WarningCode::BlockedByLock => v1::WarningCode::BlockedByLock,
        WarningCode::KeyMaterialInEnv => v1::WarningCode::KeyMaterialInEnv,
        WarningCode::CommonWord => v1::WarningCode::CommonWord,
        WarningCode::ExpiresSoon => v1::WarningCode::ExpiresSoon,
        WarningCode::AlreadyExpired => v1::WarningCode::AlreadyExpired,
        WarningCode::ReachesNobody => v1::WarningCode::ReachesNobody,
        WarningCode::LargeEnvironment => v1::WarningCode::LargeEnvironment,
    };
    v1::Warning {
        code: code.into(),
        secret_id: warning.secret_id.as_ref().map(SecretId::to_string).unwrap_or_default(),
        message: warning.message.clone(),
    }
}
