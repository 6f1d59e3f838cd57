//! Two servers with one root key on one PostgreSQL: to a caller they are one.

use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::watch_response::Event;
use tonic::{Code, Status};

use super::deployment::Deployment;
use super::server::{Server, code_and_reason, create, request_id, text, update};

const API: &str = "organizations/acme/projects/api";

/// The two, and the administrator `ann` of the organization `acme` and its project `api`.
pub struct Pair {
    pub deployment: Deployment,
    pub one: Server,
    pub other: Server,
    pub ann: String,
}

impl Pair {
    pub async fn start() -> Self {
        let deployment = Deployment::postgres().await;
        let one = deployment.start();
        let ann = one.create_organization(&deployment.operator(), "acme").await;
        let other = deployment.replica();
        other.project(&ann, "api").await;
        Self { deployment, one, other, ann }
    }

    /// One of the two, in turn.
    pub fn server(&self, turn: usize) -> &Server {
        if turn.is_multiple_of(2) { &self.one } else { &self.other }
    }

    pub async fn end(self) {
        drop((self.one, self.other));
        self.deployment.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_has_the_same_answer_everywhere() {
    let pair = Pair::start().await;
    for (turn, parent) in ["organizations/acme", API, "organizations/acme/users/ann"].into_iter().enumerate() {
        let mut secrets = pair.server(turn).secrets(&pair.ann);
        for name in ["SHARED", &format!("OWN_{turn}")] {
            secrets.create_secret(create(parent, name, &format!("value {turn}"))).await.unwrap();
        }
    }
    let one = answers(&pair.one, &pair.ann).await;
    assert_eq!(one, answers(&pair.other, &pair.ann).await);
    assert_eq!(one.3.secrets.len(), 4, "the person's own SHARED wins");
    pair.end().await;
}

type Answers = (
    v1::GetSecretResponse,
    v1::ListSecretsResponse,
    v1::ListBindingsResponse,
    v1::ResolveResponse,
    v1::ExplainResponse,
    v1::WhoAmIResponse,
);

async fn answers(server: &Server, token: &str) -> Answers {
    let get = v1::GetSecretRequest { name: format!("{API}/secrets/SHARED") };
    let list = v1::ListSecretsRequest { parent: API.into(), include_inherited: true, ..Default::default() };
    let bindings = v1::ListBindingsRequest { parent: "organizations/acme".into(), ..Default::default() };
    let context = v1::Context { organization: "acme".into(), project: "api".into(), ..Default::default() };
    let explain = v1::ExplainRequest { context: Some(context), ..Default::default() };
    let me = server.access(token).who_am_i(v1::WhoAmIRequest {}).await.unwrap().into_inner();
    (
        server.secrets(token).get_secret(get).await.unwrap().into_inner(),
        server.secrets(token).list_secrets(list).await.unwrap().into_inner(),
        server.access(token).list_bindings(bindings).await.unwrap().into_inner(),
        server.resolve(token, "api").await.unwrap(),
        server.resolver(token).explain(explain).await.unwrap().into_inner(),
        // All but the time at which it was asked.
        v1::WhoAmIResponse { server_time: None, ..me },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_on_one_is_seen_on_the_other_at_once() {
    let pair = Pair::start().await;
    let value = async |server: &Server| {
        let resolved = server.resolve(&pair.ann, "api").await.unwrap();
        resolved.secrets.into_iter().find(|each| each.secret_id == "KEY").map(|each| (each.value, each.version))
    };
    for round in 0..10 {
        let (here, there) = (pair.server(round), pair.server(round + 1));
        here.secrets(&pair.ann).create_secret(create(API, "KEY", "first")).await.unwrap();
        assert_eq!(value(there).await, Some((b"first".to_vec(), 1)));
        there.secrets(&pair.ann).update_secret(update(API, "KEY", "second")).await.unwrap();
        assert_eq!(value(here).await, Some((b"second".to_vec(), 2)));
        let delete = v1::DeleteSecretRequest { name: format!("{API}/secrets/KEY"), ..Default::default() };
        here.secrets(&pair.ann).delete_secret(delete).await.unwrap();
        assert_eq!(value(there).await, None);
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_revoked_on_one_ends_on_the_other_at_once() {
    let pair = Pair::start().await;
    for round in 0..4 {
        let (here, there) = (pair.server(round), pair.server(round + 1));
        let token = v1::CreateTokenRequest { principal: "organizations/acme/users/ann".into(), ..Default::default() };
        let token = here.access(&pair.ann).create_token(token).await.unwrap().into_inner();
        let context = v1::Context { organization: "acme".into(), project: "api".into(), ..Default::default() };
        let session = v1::CreateSessionRequest { context: Some(context), ..Default::default() };
        let session = there.access(&token.token).create_session(session).await.unwrap().into_inner();
        for bearer in [&token.token, &session.token] {
            here.resolve(bearer, "api").await.unwrap();
            there.resolve(bearer, "api").await.unwrap();
        }
        let name = token.token_info.unwrap().name;
        let revoke = v1::RevokeTokenRequest { name, request_id: request_id(), ..Default::default() };
        let revoked = here.access(&pair.ann).revoke_token(revoke).await.unwrap().into_inner();
        assert_eq!(revoked.revoked_sessions, 1);
        for bearer in [&token.token, &session.token] {
            let refused = there.resolve(bearer, "api").await.unwrap_err();
            assert_eq!(code_and_reason(&refused), (Code::Unauthenticated, Some("UNAUTHENTICATED".into())));
        }
    }

    let bob = pair.one.person(&pair.ann, "acme", "bob").await;
    pair.other.resolve(&bob, "").await.unwrap();
    let leave = v1::DeleteUserRequest { name: "organizations/acme/users/bob".into(), ..Default::default() };
    pair.one.directory(&pair.ann).delete_user(leave).await.unwrap();
    assert_eq!(pair.other.resolve(&bob, "").await.unwrap_err().code(), Code::Unauthenticated);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_on_one_reports_what_is_written_on_the_other() {
    let pair = Pair::start().await;
    let bob = pair.one.person(&pair.ann, "acme", "bob").await;
    for round in 0..4 {
        let (here, there) = (pair.server(round), pair.server(round + 1));
        let context = v1::Context { organization: "acme".into(), ..Default::default() };
        let request = v1::WatchRequest { context: Some(context), ..Default::default() };
        let mut watch = here.resolver(&bob).watch(request).await.unwrap().into_inner();
        let first = watch.message().await.unwrap().unwrap();
        assert!(matches!(first.event, Some(Event::Set(_))), "{first:?}");
        let name = format!("KEY_{round}");
        there.secrets(&pair.ann).create_secret(create("organizations/acme", &name, "value")).await.unwrap();
        let change = loop {
            let message =
                tokio::time::timeout(Duration::from_secs(14), watch.message()).await.expect("before a heartbeat");
            if let Some(Event::Changed(change)) = message.unwrap().unwrap().event {
                break change;
            }
        };
        assert_eq!(change.added[0].secret_id, name);
        if round == 3 {
            let leave = v1::DeleteUserRequest { name: "organizations/acme/users/bob".into(), ..Default::default() };
            there.directory(&pair.ann).delete_user(leave).await.unwrap();
            let ended =
                tokio::time::timeout(Duration::from_secs(14), watch.message()).await.expect("before a heartbeat");
            assert_eq!(ended.unwrap_err().code(), Code::Unauthenticated);
        }
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_sent_to_the_other_returns_the_first_result() {
    let pair = Pair::start().await;
    let request = create(API, "KEY", "value");
    let first = pair.one.secrets(&pair.ann).create_secret(request.clone()).await.unwrap().into_inner();
    pair.one.secrets(&pair.ann).update_secret(update(API, "KEY", "newer")).await.unwrap();
    let repeated = pair.other.secrets(&pair.ann).create_secret(request.clone()).await.unwrap().into_inner();
    assert_eq!(repeated, first);

    // Told apart by a keyed fingerprint, which the root key both have in common keeps the same.
    let other = v1::CreateSecretRequest { value: Some(text("other")), ..request };
    let refused = pair.other.secrets(&pair.ann).create_secret(other).await.unwrap_err();
    assert_eq!(code_and_reason(&refused), (Code::InvalidArgument, Some("REQUEST_ID_REUSED".into())));

    // Sent to both at the same time it is done once.
    for version in 3..8 {
        let request = update(API, "KEY", &format!("value-{version}"));
        let send = async |server: &Server| -> Result<v1::UpdateSecretResponse, Status> {
            Ok(server.secrets(&pair.ann).update_secret(request.clone()).await?.into_inner())
        };
        let (one, other) = tokio::join!(send(&pair.one), send(&pair.other));
        let one = one.unwrap();
        assert_eq!(one, other.unwrap());
        assert_eq!(one.secret.unwrap().current_version, version);
    }
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_delays_the_other_no_longer_than_the_database_needs_to_notice() {
    let pair = Pair::start().await;
    let Pair { deployment, one, other, ann } = pair;
    let writes = (0..16).map(|number| {
        let mut secrets = one.secrets(&ann);
        tokio::spawn(async move { secrets.create_secret(create(API, &format!("KEY_{number}"), "value")).await })
    });
    let writes: Vec<_> = writes.collect();
    tokio::time::sleep(Duration::from_millis(10)).await;
    one.kill();
    let begun = std::time::Instant::now();
    other.secrets(&ann).create_secret(create(API, "NEXT", "value")).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let resolved = other.resolve(&ann, "api").await.unwrap();
    let stored: Vec<_> = resolved.secrets.iter().map(|each| each.secret_id.as_str()).collect();
    for write in writes {
        if let Ok(acknowledged) = write.await.unwrap() {
            let id = acknowledged.into_inner().secret.unwrap().secret_id;
            assert!(stored.contains(&id.as_str()), "{id} was acknowledged: {stored:?}");
        }
    }
    drop(other);
    deployment.end().await;
}
