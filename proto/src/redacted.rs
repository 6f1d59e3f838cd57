//! `Debug` for messages that carry a value, a token or a code: their other fields, and `"<redacted>"` in its place.

use std::fmt;

use crate::v1;

const REDACTED: &str = "<redacted>";

impl fmt::Debug for v1::SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretValue").field("value", &REDACTED).finish()
    }
}

impl fmt::Debug for v1::secret_value::Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(<redacted>)",
            Self::Data(_) => "Data(<redacted>)",
        })
    }
}

impl fmt::Debug for v1::ImportSecretsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportSecretsRequest")
            .field("parent", &self.parent)
            .field("source", &self.source)
            .field("conflict_policy", &self.conflict_policy)
            .field("on_rejected", &self.on_rejected)
            .field("only_secret_ids", &self.only_secret_ids)
            .field("validate_only", &self.validate_only)
            .field("request_id", &self.request_id)
            .finish()
    }
}

impl fmt::Debug for v1::import_secrets_request::Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dotenv(_) => "Dotenv(<redacted>)",
            Self::Json(_) => "Json(<redacted>)",
        })
    }
}

impl fmt::Debug for v1::ResolvedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedSecret")
            .field("secret", &self.secret)
            .field("target", &self.target)
            .field("value", &REDACTED)
            .field("scope", &self.scope)
            .field("version", &self.version)
            .field("redaction", &self.redaction)
            .finish()
    }
}

impl fmt::Debug for v1::Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("user", &self.user)
            .field("code", &REDACTED)
            .field("expire_time", &self.expire_time)
            .finish()
    }
}

impl fmt::Debug for v1::RedeemInvitationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemInvitationRequest")
            .field("code", &REDACTED)
            .field("display_name", &self.display_name)
            .field("ttl", &self.ttl)
            .finish()
    }
}

impl fmt::Debug for v1::RedeemInvitationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemInvitationResponse")
            .field("token", &REDACTED)
            .field("token_info", &self.token_info)
            .field("user", &self.user)
            .finish()
    }
}

impl fmt::Debug for v1::CreateTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateTokenResponse").field("token", &REDACTED).field("token_info", &self.token_info).finish()
    }
}

impl fmt::Debug for v1::CreateSessionResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateSessionResponse").field("token", &REDACTED).field("session", &self.session).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: &str = "canary-4f1d";

    #[test]
    fn no_debug_prints_a_value_a_token_or_a_code() {
        let text = || Some(v1::secret_value::Value::Text(MARKER.into()));
        let data = || Some(v1::secret_value::Value::Data(MARKER.into()));
        let printed = [
            format!(
                "{:?}",
                v1::CreateSecretRequest { value: Some(v1::SecretValue { value: text() }), ..Default::default() }
            ),
            format!(
                "{:?}",
                v1::UpdateSecretRequest { value: Some(v1::SecretValue { value: data() }), ..Default::default() }
            ),
            format!("{:?} {:?}", text(), data()),
            format!(
                "{:?}",
                v1::ImportSecretsRequest {
                    source: Some(v1::import_secrets_request::Source::Dotenv(MARKER.into())),
                    ..Default::default()
                }
            ),
            format!("{:?}", v1::import_secrets_request::Source::Json(MARKER.into())),
            format!(
                "{:?}",
                v1::ResolveResponse {
                    secrets: vec![v1::ResolvedSecret { value: MARKER.into(), ..Default::default() }],
                    ..Default::default()
                }
            ),
            format!(
                "{:?}",
                v1::CreateOrganizationResponse {
                    invitation: Some(v1::Invitation { code: MARKER.into(), ..Default::default() }),
                    ..Default::default()
                }
            ),
            format!("{:?}", v1::RedeemInvitationRequest { code: MARKER.into(), ..Default::default() }),
            format!("{:?}", v1::RedeemInvitationResponse { token: MARKER.into(), ..Default::default() }),
            format!("{:?}", v1::CreateTokenResponse { token: MARKER.into(), ..Default::default() }),
            format!("{:?}", v1::CreateSessionResponse { token: MARKER.into(), ..Default::default() }),
        ];
        let bytes = format!("{:?}", MARKER.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        for text in printed {
            assert!(!text.contains(MARKER) && !text.contains(bytes), "{text}");
        }
    }
}
