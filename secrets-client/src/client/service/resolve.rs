//! Resolving: the one method that returns values, and the types that keep values from being printed.

use prost_types::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice};
use secrets_proto::v1;
use secrets_proto::v1::resolve_service_client::ResolveServiceClient;

use crate::client::{Client, MAX_RESPONSE_BYTES};
use crate::error::ClientError;

/// The effective set of a context.
#[derive(Debug)]
pub struct Resolved {
    /// The secrets with their values, ordered by name.
    pub secrets: Vec<ResolvedSecret>,
    /// Identifies the answer; send it back as `if_none_match`.
    pub etag: String,
    /// The answer equals that of `if_none_match`; `secrets` is empty.
    pub not_modified: bool,
    /// The next time at which the answer changes by itself; none: never.
    pub next_change_time: Option<Timestamp>,
    /// The organization's revision that was read.
    pub revision: String,
    /// Warnings for the caller.
    pub warnings: Vec<v1::Warning>,
    /// Bytes that the variables take in an environment.
    pub environment_bytes: i64,
    /// The context that was resolved.
    pub context: Option<v1::Context>,
}

/// One secret with its value, which no `Debug` prints and which is wiped when it is dropped.
#[derive(Debug)]
pub struct ResolvedSecret {
    /// Resource path of the secret.
    pub resource: String,
    /// The name.
    pub secret_id: String,
    /// The target of the value.
    pub target: v1::Target,
    /// The kind of scope that it comes from.
    pub scope: v1::ScopeKind,
    /// The delivered version.
    pub version: u32,
    /// Whether a client masks it in output.
    pub redaction: v1::Redaction,
    value: SecretSlice<u8>,
}

impl ResolvedSecret {
    /// Returns the value.
    pub fn expose(&self) -> &[u8] {
        self.value.expose_secret()
    }

    /// Whether this and another secret deliver the same value in the same way.
    pub(crate) fn delivers_the_same(&self, other: &Self) -> bool {
        (&self.resource, self.version, self.redaction, &self.target)
            == (&other.resource, other.version, other.redaction, &other.target)
            && self.expose() == other.expose()
    }
}

impl From<v1::ResolvedSecret> for ResolvedSecret {
    fn from(secret: v1::ResolvedSecret) -> Self {
        Self {
            scope: secret.scope(),
            redaction: secret.redaction(),
            resource: secret.secret,
            secret_id: secret.secret_id,
            target: secret.target.unwrap_or_default(),
            version: secret.version,
            value: secret.value.into(),
        }
    }
}

impl From<v1::ResolveResponse> for Resolved {
    fn from(answer: v1::ResolveResponse) -> Self {
        Self {
            secrets: answer.secrets.into_iter().map(ResolvedSecret::from).collect(),
            etag: answer.etag,
            not_modified: answer.not_modified,
            next_change_time: answer.next_change_time,
            revision: answer.revision,
            warnings: answer.warnings,
            environment_bytes: answer.environment_bytes,
            context: answer.context,
        }
    }
}

impl Client {
    /// Returns, name by name, which secret a context gets and why it does not get the others. Never a value. The answer is not
    /// older than what this client has changed, unless the request demands another consistency.
    pub async fn explain(&self, request: v1::ExplainRequest) -> Result<v1::ExplainResponse, ClientError> {
        self.with_freshness(request.context.as_ref(), request.consistency.clone(), |consistency, retry_class| {
            let request = v1::ExplainRequest { consistency, ..request.clone() };
            self.call_as(retry_class, request, |channel, request| async move {
                ResolveServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES).explain(request).await
            })
        })
        .await
    }

    /// Returns the effective set of a context with its values: all of them or an error. The answer is not older than what
    /// this client has changed, unless the request demands another consistency.
    pub async fn resolve(&self, request: v1::ResolveRequest) -> Result<Resolved, ClientError> {
        let ask = |consistency, retry_class| {
            let request = v1::ResolveRequest { consistency, ..request.clone() };
            self.call_as(retry_class, request, |channel, request| async move {
                ResolveServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES).resolve(request).await
            })
        };
        let answer = self.with_freshness(request.context.as_ref(), request.consistency.clone(), ask).await?;
        Ok(answer.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_no_value() {
        let secret = v1::ResolvedSecret { secret_id: "A".into(), value: b"canary-4f1d".to_vec(), ..Default::default() };
        let secret = ResolvedSecret::from(secret);
        let printed = format!("{secret:?}");
        assert!(!printed.contains("canary") && !printed.contains("99, 97, 110"), "{printed}");
        assert_eq!(secret.expose(), b"canary-4f1d");
    }
}
