//! A running server and clients for it.

use std::ops::Deref;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use secrets_proto::v1::{self, secret_value};
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::clients::Clients;
use crate::support::process::ServerProcess;

/// Longer than anything here may take: a call that hangs fails its test.
const CALL_TIMEOUT: Duration = Duration::from_secs(40);

/// A server that listens, which dereferences to its clients. Dropped, it is killed.
pub struct Server {
    pub process: ServerProcess,
    clients: Clients,
}

impl Deref for Server {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.clients
    }
}

impl Server {
    pub fn start(command: Command) -> Self {
        let process = tokio::task::block_in_place(|| ServerProcess::start(command));
        let channel = Endpoint::from_shared(process.endpoint()).unwrap().timeout(CALL_TIMEOUT).connect_lazy();
        Self { process, clients: Clients(channel) }
    }

    /// Resolves a project of `acme`, or without one the organization itself, for the token's owner.
    pub async fn resolve(&self, token: &str, project: &str) -> Result<v1::ResolveResponse, Status> {
        let context = v1::Context { organization: "acme".into(), project: project.into(), ..Default::default() };
        let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
        Ok(self.resolver(token).resolve(request).await?.into_inner())
    }

    /// Kills it as no program can prevent.
    pub fn kill(mut self) {
        self.process.send_signal(Signal::KILL);
        tokio::task::block_in_place(|| self.process.wait());
    }
}

/// A request to create a secret, repeatable under a request id of its own.
pub fn create(parent: &str, name: &str, value: &str) -> v1::CreateSecretRequest {
    v1::CreateSecretRequest {
        parent: parent.into(),
        secret_id: name.into(),
        value: Some(text(value)),
        request_id: request_id(),
        ..Default::default()
    }
}

/// A request to give a secret another value, repeatable under a request id of its own.
pub fn update(parent: &str, name: &str, value: &str) -> v1::UpdateSecretRequest {
    v1::UpdateSecretRequest {
        secret: Some(v1::Secret { name: format!("{parent}/secrets/{name}"), ..Default::default() }),
        value: Some(text(value)),
        request_id: request_id(),
        ..Default::default()
    }
}

pub fn text(value: &str) -> v1::SecretValue {
    v1::SecretValue { value: Some(secret_value::Value::Text(value.into())) }
}

pub fn request_id() -> String {
    use secrets_server::crypto::{SystemRandom, random_uid};
    random_uid(&SystemRandom).unwrap().to_string()
}

/// The code and the reason of a refusal; no reason when it is not the server's.
pub fn code_and_reason(status: &Status) -> (Code, Option<String>) {
    (status.code(), status.get_error_details().error_info().map(|info| info.reason.clone()))
}

/// Fails unless `status` says that the database or the audit log does not work now, or, of one of many changes of a person at once,
/// that it did not get its turn meanwhile.
pub fn assert_unavailable_or_waiting(status: &Status) {
    let limit = status.get_error_details().error_info().and_then(|info| info.metadata.get("limit").cloned());
    if limit.as_deref() != Some("turns") {
        assert_unavailable(status);
    }
}

/// Fails unless `status` says that the database or the audit log does not work now.
pub fn assert_unavailable(status: &Status) {
    let (code, reason) = code_and_reason(status);
    let expected = matches!(reason.as_deref(), Some("STORAGE_UNAVAILABLE" | "AUDIT_UNAVAILABLE"));
    assert!(code == Code::Unavailable && expected, "{status:?}");
    assert!(status.get_error_details().retry_info().is_some(), "{status:?}");
}

/// Repeats a call until it succeeds, and fails when that takes longer than `timeout`.
pub async fn eventually<T>(timeout: Duration, mut call: impl AsyncFnMut() -> Result<T, Status>) -> T {
    let begun = Instant::now();
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(status) => assert!(begun.elapsed() < timeout, "after {:?}: {status:?}", begun.elapsed()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
