//! The library's live set against a real server: what the command line's `run --watch` does with it is tested there.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use secrets_client::{Client, LiveEvent, LiveSet, Reason, ResolvedSet, changed_names, secret_value, v1};
use tokio::time::timeout;

use super::session::{administrator, client};
use crate::support::TlsServer;

/// Longer than an event may take, also after a restart.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);
/// Longer than a live set waits after a change.
const QUIET: Duration = Duration::from_secs(4);

const KEY: &str = "organizations/acme/secrets/LINEAR_API_KEY";

/// An organization, a session in it, and the client that calls with the session.
struct Acme {
    server: TlsServer,
    ann: Client,
    session: String,
    sandbox: Client,
}

impl Acme {
    async fn start() -> Self {
        let server = TlsServer::start();
        let ann = administrator(&server, "LINEAR_API_KEY").await;
        let context = v1::Context { organization: "acme".into(), ..Default::default() };
        let request = v1::CreateSessionRequest { context: Some(context), ..Default::default() };
        let created = ann.create_session(request).await.unwrap();
        let sandbox = client(&server.endpoint(), &server, created.secret.expose_secret());
        Self { server, ann, session: created.details.name, sandbox }
    }

    async fn set(&self, value: &str) {
        let secret = v1::Secret { name: KEY.into(), ..Default::default() };
        let value = Some(secret_value(value.as_bytes()));
        let request = v1::UpdateSecretRequest { secret: Some(secret), value, ..Default::default() };
        self.ann.update_secret(request).await.unwrap();
    }

    async fn revoke_session(&self) {
        let request = v1::RevokeSessionRequest { name: self.session.clone(), ..Default::default() };
        self.ann.revoke_session(request).await.unwrap();
    }
}

async fn next(live: &mut LiveSet) -> LiveEvent {
    timeout(EVENT_TIMEOUT, live.next()).await.expect("no event came")
}

async fn next_set(live: &mut LiveSet) -> ResolvedSet {
    match next(live).await {
        LiveEvent::Set(set) => *set,
        other => panic!("expected a set, got {other:?}"),
    }
}

fn value(set: &ResolvedSet) -> String {
    String::from_utf8(set.secrets[0].expose().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_the_set_and_each_later_one_also_after_a_restart() {
    let mut acme = Acme::start().await;
    let mut live = acme.sandbox.live_set(v1::ResolveRequest::default());
    let first = next_set(&mut live).await;
    assert_eq!(value(&first), "lin_1");

    acme.set("lin_2").await;
    acme.set("lin_3").await; // one event for both
    let second = next_set(&mut live).await;
    assert_eq!(value(&second), "lin_3");
    assert_eq!(changed_names(&first.secrets, &second.secrets), ["LINEAR_API_KEY"]);
    assert!(timeout(QUIET, live.next()).await.is_err(), "an event without a change");

    tokio::task::block_in_place(|| acme.server.kill());
    // Dropped while the service is unavailable, it loses nothing.
    assert!(timeout(QUIET, live.next()).await.is_err());
    tokio::task::block_in_place(|| acme.server.restart());
    acme.set("lin_4").await;
    assert_eq!(value(&next_set(&mut live).await), "lin_4");
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_from_the_set_that_the_caller_has() {
    let acme = Acme::start().await;
    let set = acme.sandbox.resolve(v1::ResolveRequest::default()).await.unwrap();
    // With the context that the service named, as for a set from a fallback.
    let request = v1::ResolveRequest { context: Some(set.context()), if_none_match: set.etag, ..Default::default() };
    let mut live = acme.sandbox.live_set(request);
    assert!(timeout(QUIET, live.next()).await.is_err(), "an event without a change");
    acme.set("lin_2").await;
    // A program follows it in a task of its own.
    let set = tokio::spawn(async move { next_set(&mut live).await }).await.unwrap();
    assert_eq!(value(&set), "lin_2");
}

#[tokio::test(flavor = "multi_thread")]
async fn is_refused_a_set_without_a_required_secret_and_gets_the_next_one() {
    let acme = Acme::start().await;
    let required_secret_ids = vec!["LINEAR_API_KEY".to_owned()];
    let mut live = acme.sandbox.live_set(v1::ResolveRequest { required_secret_ids, ..Default::default() });
    next_set(&mut live).await;
    let request = v1::DeleteSecretRequest { name: KEY.into(), ..Default::default() };
    acme.ann.delete_secret(request).await.unwrap();
    match next(&mut live).await {
        LiveEvent::Refused(error) => assert_eq!(error.reason(), Some(Reason::SecretRequiredMissing)),
        other => panic!("expected a refusal, got {other:?}"),
    }
    let request = v1::UndeleteSecretRequest { name: KEY.into(), ..Default::default() };
    acme.ann.undelete_secret(request).await.unwrap();
    assert!(timeout(QUIET, live.next()).await.is_err(), "an event, though the caller has this set");
    acme.set("lin_2").await;
    assert_eq!(value(&next_set(&mut live).await), "lin_2");
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_once_when_the_session_is_revoked() {
    let acme = Acme::start().await;
    let mut live = acme.sandbox.live_set(v1::ResolveRequest::default());
    next_set(&mut live).await;
    acme.revoke_session().await;
    let ended = next(&mut live).await;
    assert!(matches!(&ended, LiveEvent::Ended(error) if error.answer().is_some()), "{ended:?}");
    assert!(timeout(QUIET, live.next()).await.is_err(), "an event after the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_names_up_to_date_without_their_values() {
    let acme = Acme::start().await;
    let mut live = acme.sandbox.live_names(v1::WatchRequest::default());
    assert!(live.names().is_empty());
    live.next().await.unwrap();
    assert_eq!(live.names().iter().collect::<Vec<_>>(), ["LINEAR_API_KEY"]);
    let request = v1::CreateSecretRequest {
        parent: "organizations/acme".into(),
        secret_id: "GITHUB_TOKEN".into(),
        value: Some(secret_value(b"gh_1")),
        ..Default::default()
    };
    acme.ann.create_secret(request).await.unwrap();
    timeout(EVENT_TIMEOUT, live.next()).await.expect("no event came").unwrap();
    assert_eq!(live.names().iter().collect::<Vec<_>>(), ["GITHUB_TOKEN", "LINEAR_API_KEY"]);
    acme.revoke_session().await;
    while timeout(EVENT_TIMEOUT, live.next()).await.expect("no end came").is_ok() {}
}
