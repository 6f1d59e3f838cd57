//! Reading what one wrote: the revision of the last change is remembered for each organization, and what is read
//! afterwards must not be older.
//!
//! A revision belongs to one history. After a restore the service may have another one, in which a revision that was
//! handed out before never was: it answers `STALE` however long one waits. So what was remembered is not insisted on: it
//! is forgotten after a moment, and the question asked without it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::consistency::Requirement;

use super::Client;
use crate::error::{ClientError, Reason};
use crate::retry::RetryClass;

/// How long a server may take to learn of a change that another one acknowledged, in three waits.
const WAITS: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(800)];

/// The revision of the last change, by organization; under the empty name, that of what a session asks for without naming
/// its context.
#[derive(Debug, Default)]
pub(crate) struct Freshness(Mutex<BTreeMap<String, String>>);

impl Freshness {
    pub(super) fn of(revisions: BTreeMap<String, String>) -> Self {
        Self(Mutex::new(revisions))
    }

    /// Remembers the revision that a change of `resource` made.
    pub(crate) fn changed(&self, resource: &str, revision: &str) {
        if let Some(organization) = organization_of(resource) {
            self.saw(organization, revision);
        }
    }

    /// Remembers a revision of an organization that was told of.
    pub(crate) fn saw(&self, organization: &str, revision: &str) {
        if !revision.is_empty() {
            self.revisions().insert(organization.to_owned(), revision.to_owned());
        }
    }

    fn of_organization(&self, organization: &str) -> Option<String> {
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
    /// The revision of the last change that this client made or was told of, by organization. Whoever keeps them between
    /// processes hands them to [`ClientBuilder::revisions`](super::ClientBuilder::revisions).
    pub fn revisions(&self) -> BTreeMap<String, String> {
        let mut revisions = self.0.freshness.revisions().clone();
        revisions.remove(""); // of this credential alone
        revisions
    }

    /// Asks with the consistency that the caller demands; else not older than what this client knows of, if it knows, and
    /// otherwise for whatever is quickest.
    pub(super) async fn fresh<R, F, Fut>(
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
        let known = self.0.freshness.of_organization(organization).filter(|_| demanded.is_none());
        let Some(revision) = known else { return ask(demanded, RetryClass::Repeatable).await };
        let at_least = v1::Consistency { requirement: Some(Requirement::AtLeastAsFresh(revision.clone())) };
        for wait in WAITS {
            match ask(Some(at_least.clone()), RetryClass::RepeatableUnlessStale).await {
                Err(error) if is_unknown(&error) => tokio::time::sleep(wait).await,
                answer => return answer,
            }
        }
        self.0.freshness.forget(organization, &revision);
        ask(None, RetryClass::Repeatable).await
    }
}

/// The service does not know the revision (yet), or can't read it: it was another service's.
fn is_unknown(error: &ClientError) -> bool {
    let is_field = || {
        let mut violations = error.answer().into_iter().flat_map(|answer| &answer.violations);
        violations.any(|violation| violation.field.starts_with("consistency"))
    };
    error.reason() == Some(Reason::Stale) || is_field()
}

/// A request that changes something of one organization, and whose response says at which revision.
pub(crate) trait Revising {
    /// The resource path that it is about.
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
    DestroySecretVersionRequest.name ImportSecretsRequest.parent
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
        client.0.freshness.changed("organizations/acme/projects/api", revision);
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
            .fresh(Some(&context), None, |consistency, _| {
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
    async fn asks_for_what_it_wrote_and_for_no_more_elsewhere() {
        let client = knowing("7.a");
        assert_eq!(asked(&client, "acme", |_| None).await, ["7.a"]);
        assert_eq!(asked(&client, "rival", |_| None).await, ["None"]);
        assert_eq!(client.revisions().into_iter().collect::<Vec<_>>(), [("acme".into(), "7.a".into())]);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_a_server_that_is_behind() {
        let client = knowing("7.a");
        assert_eq!(asked(&client, "acme", |time| (time < 3).then(stale)).await, ["7.a", "7.a", "7.a"]);
        assert!(!client.revisions().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn forgets_a_revision_of_a_history_that_was_lost() {
        let client = knowing("7.a");
        assert_eq!(asked(&client, "acme", |time| (time < 4).then(stale)).await, ["7.a", "7.a", "7.a", "None"]);
        assert!(client.revisions().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_caller_demands_is_not_replaced() {
        let client = knowing("7.a");
        let context = v1::Context { organization: "acme".into(), ..Default::default() };
        let strict = v1::Consistency { requirement: Some(Requirement::FullyConsistent(true)) };
        let sent = |consistency, _| async move { Ok(demanded(consistency)) };
        let sent = client.fresh(Some(&context), Some(strict), sent).await.unwrap();
        assert_eq!(sent, "Some(FullyConsistent(true))");
    }
}
