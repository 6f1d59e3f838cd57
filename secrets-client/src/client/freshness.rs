//! Reading one's own writes: the client remembers the revision of the last change for each organization, and demands that
//! what it reads afterwards is not older.
//!
//! A revision belongs to one history. After a restore the service may have another history, which never had a revision that
//! was returned before: it answers `STALE` however long a client waits. So the client does not insist on a revision: it
//! forgets it after a moment, and asks without it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::consistency::Requirement;

use super::Client;
use crate::error::{ClientError, Reason};
use crate::retry::RetryClass;
use crate::validation::is_token;

/// How long a server may take to learn of a change that another one acknowledged, in three delays.
const STALE_RETRY_DELAYS: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(800)];

/// The revision of the last change, by organization; under the empty name, the one for a session that does not name its
/// context.
#[derive(Debug, Default)]
pub(crate) struct Freshness(Mutex<BTreeMap<String, String>>);

impl Freshness {
    pub(super) fn new(revisions: BTreeMap<String, String>) -> Self {
        Self(Mutex::new(revisions))
    }

    /// Remembers the revision of a change of `resource`.
    pub(crate) fn record_change(&self, resource: &str, revision: &str) {
        if let Some(organization) = organization_of(resource) {
            self.record(organization, revision);
        }
    }

    /// Remembers a revision of an organization, if it is one.
    pub(crate) fn record(&self, organization: &str, revision: &str) {
        if is_token(revision) {
            self.revisions().insert(organization.to_owned(), revision.to_owned());
        }
    }

    fn known(&self, organization: &str) -> Option<String> {
        self.revisions().get(organization).cloned()
    }

    /// Forgets a revision, unless it was replaced meanwhile.
    fn forget(&self, organization: &str, revision: &str) {
        let mut revisions = self.revisions();
        if revisions.get(organization).is_some_and(|known| known == revision) {
            revisions.remove(organization);
        }
    }

    fn revisions(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Returns the revision of the last change that this client made or was notified of, by organization. A program that keeps
    /// them between processes passes them to [`ClientBuilder::revisions`](super::ClientBuilder::revisions).
    pub fn revisions(&self) -> BTreeMap<String, String> {
        let mut revisions = self.0.freshness.revisions().clone();
        revisions.remove(""); // of this credential alone
        revisions
    }

    /// Asks with the consistency that the caller demands; without one, for nothing older than the revision that this client
    /// knows; and without that, for whatever is quickest.
    pub(super) async fn with_freshness<R, F, Fut>(
        &self,
        context: Option<&v1::Context>,
        demanded: Option<v1::Consistency>,
        ask: F,
    ) -> Result<R, ClientError>
    where
        F: Fn(Option<v1::Consistency>, RetryClass) -> Fut,
        Fut: Future<Output = Result<R, ClientError>>,
    {
        let organization = context.map(|context| context.organization.as_str()).unwrap_or_default();
        let known = self.0.freshness.known(organization).filter(|_| demanded.is_none());
        let Some(revision) = known else { return ask(demanded, RetryClass::Safe).await };
        let at_least = v1::Consistency { requirement: Some(Requirement::AtLeastAsFresh(revision.clone())) };
        for delay in STALE_RETRY_DELAYS {
            match ask(Some(at_least.clone()), RetryClass::SafeUnlessStale).await {
                Err(error) if is_unknown_revision(&error) => tokio::time::sleep(delay).await,
                answer => return answer,
            }
        }
        self.0.freshness.forget(organization, &revision);
        ask(None, RetryClass::Safe).await
    }
}

/// Whether the service does not know the revision (yet), or can't read it because another service returned it.
fn is_unknown_revision(error: &ClientError) -> bool {
    let is_field = || {
        let mut violations = error.answer().into_iter().flat_map(|answer| &answer.violations);
        violations.any(|violation| violation.field.starts_with("consistency"))
    };
    error.reason() == Some(Reason::Stale) || is_field()
}

/// A request that changes something in one organization, and whose response has the revision.
pub(crate) trait Revising {
    /// Returns the resource path that it changes.
    fn resource(&self) -> &str;
}

macro_rules! revising {
    ($($request:ident . $field:ident)*) => {
        $(impl Revising for v1::$request {
            fn resource(&self) -> &str {
                &self.$field
            }
        })*
    };
}

revising! {
    CreateSecretRequest.parent DeleteSecretRequest.name UndeleteSecretRequest.name RollbackSecretRequest.name
    DestroySecretVersionRequest.name ImportSecretsRequest.parent CopySecretRequest.parent MoveSecretRequest.parent
}

impl Revising for v1::UpdateSecretRequest {
    fn resource(&self) -> &str {
        self.secret.as_ref().map(|secret| secret.name.as_str()).unwrap_or_default()
    }
}

fn organization_of(resource: &str) -> Option<&str> {
    resource.strip_prefix("organizations/")?.split('/').next()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::*;

    fn knowing(revision: &str) -> Client {
        let client = Client::builder("http://127.0.0.1:1").build().unwrap();
        client.0.freshness.record_change("organizations/acme/projects/api", revision);
        client
    }

    fn demanded(consistency: Option<v1::Consistency>) -> String {
        match consistency.and_then(|consistency| consistency.requirement) {
            Some(Requirement::AtLeastAsFresh(revision)) => revision,
            other => format!("{other:?}"),
        }
    }

    async fn asked(client: &Client, organization: &str, answer: impl Fn(u32) -> Option<ClientError>) -> Vec<String> {
        let context = v1::Context { organization: organization.into(), ..Default::default() };
        let asked = Mutex::new(Vec::new());
        let _ = client
            .with_freshness(Some(&context), None, |consistency, _| {
                let mut asked = asked.lock().unwrap();
                asked.push(demanded(consistency));
                let answer = answer(asked.len() as u32).map_or(Ok(()), Err);
                async move { answer }
            })
            .await;
        asked.into_inner().unwrap()
    }

    fn stale() -> ClientError {
        let mut details = ErrorDetails::new();
        details.set_error_info("STALE", secrets_proto::ERROR_DOMAIN, []);
        ClientError::from_status(Status::with_error_details(Code::Unavailable, "not yet", details), "http://e")
    }

    #[tokio::test(start_paused = true)]
    async fn demands_its_own_revision_and_nothing_of_other_organizations() {
        let client = knowing("7.a");
        assert_eq!(asked(&client, "acme", |_| None).await, ["7.a"]);
        assert_eq!(asked(&client, "rival", |_| None).await, ["None"]);
        assert_eq!(client.revisions().into_iter().collect::<Vec<_>>(), [("acme".into(), "7.a".into())]);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_a_server_that_lags_behind() {
        let client = knowing("7.a");
        assert_eq!(asked(&client, "acme", |time| (time < 3).then(stale)).await, ["7.a", "7.a", "7.a"]);
        assert!(!client.revisions().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn forgets_a_revision_of_a_lost_history() {
        let client = knowing("7.a");
        assert_eq!(asked(&client, "acme", |time| (time < 4).then(stale)).await, ["7.a", "7.a", "7.a", "None"]);
        assert!(client.revisions().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_the_callers_consistency() {
        let client = knowing("7.a");
        let context = v1::Context { organization: "acme".into(), ..Default::default() };
        let strict = v1::Consistency { requirement: Some(Requirement::FullyConsistent(true)) };
        let sent = |consistency, _| async move { Ok(demanded(consistency)) };
        let sent = client.with_freshness(Some(&context), Some(strict), sent).await.unwrap();
        assert_eq!(sent, "Some(FullyConsistent(true))");
    }
}
