//! Sessions: how many live ones somebody may have created.

use std::num::NonZeroU32;
use std::time::Duration;

use secrets_proto::v1;
use secrets_server::admission::AdmissionLimits;
use secrets_server::config::Limits;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::{TestServer, roomy};

on_both!(
    a_person_creates_a_limited_number_of_sessions_with_all_their_tokens,
    a_session_creates_few_with_all_that_descend_from_it,
    a_control_plane_is_not_held_up_by_its_sandboxes,
    whoami_shows_the_limits_of_the_caller,
);

fn limits(change: impl FnOnce(&mut AdmissionLimits)) -> Limits {
    let mut limits = roomy();
    change(&mut limits.admission);
    limits
}

fn few(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

/// Creates sessions for ann until that is refused, and returns their names and tokens.
async fn create_all(server: &TestServer, token: &str) -> Vec<v1::CreateSessionResponse> {
    let mut created = Vec::new();
    loop {
        match server.session(token, "", "ann").await {
            Ok(session) => created.push(session),
            Err(status) => {
                assert_refused(&status);
                return created;
            }
        }
        assert!(created.len() < 100, "sessions are limited");
    }
}

/// It is a quota: no call of the same kind succeeds by waiting a little.
fn assert_refused(status: &Status) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((status.code(), info.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"), "{status:?}");
    assert_eq!(info.metadata["limit"], "sessions");
    assert!(details.retry_info().is_none_or(|info| info.retry_delay.is_none()));
}

async fn revoke(server: &TestServer, token: &str, session: &v1::CreateSessionResponse) {
    let name = session.session.as_ref().unwrap().name.clone();
    let request = v1::RevokeSessionRequest { name, ..Default::default() };
    server.access(token).revoke_session(request).await.unwrap();
}

async fn a_person_creates_a_limited_number_of_sessions_with_all_their_tokens(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.sessions = few(20))).await;
    let ann = server.organization("acme").await;
    let token = server.access(&ann).create_token(v1::CreateTokenRequest::default()).await.unwrap().into_inner().token;
    let created = create_all(&server, &ann).await;
    assert_eq!(created.len(), 20);
    assert_refused(&server.session(&token, "", "ann").await.unwrap_err());
    // Others have their own.
    let bob = server.person(&ann, "acme", "bob").await;
    server.session(&bob, "", "bob").await.unwrap();
    // What has ended counts no more, however it ended.
    revoke(&server, &ann, &created[0]).await;
    assert_eq!(create_all(&server, &token).await.len(), 1);
    server.wait(Duration::from_secs(2 * 60 * 60));
    assert_eq!(create_all(&server, &ann).await.len(), 20);
}

async fn a_session_creates_few_with_all_that_descend_from_it(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.sessions_per_session = few(6))).await;
    let ann = server.organization("acme").await;
    let first = server.session(&ann, "", "ann").await.unwrap();
    // A chain, in which each one creates the next.
    let mut line = vec![first.token.clone()];
    for _ in 0..4 {
        line.push(server.session(line.last().unwrap(), "", "").await.unwrap().token);
    }
    assert_eq!(create_own(&server, &line[2]).await, 2);
    for token in &line {
        assert_refused(&server.session(token, "", "").await.unwrap_err());
    }
    // Another session of the same person has its own.
    let second = server.session(&ann, "", "ann").await.unwrap().token;
    assert_eq!(create_own(&server, &second).await, 6);
}

/// How many sessions a session creates until that is refused.
async fn create_own(server: &TestServer, token: &str) -> usize {
    for count in 0..100 {
        if let Err(status) = server.session(token, "", "").await {
            assert_refused(&status);
            return count;
        }
    }
    panic!("sessions are limited");
}

async fn a_control_plane_is_not_held_up_by_its_sandboxes(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.sessions = few(2))).await;
    server.organization("acme").await;
    let control_plane = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    let request = v1::CreateSessionRequest { context: Some(context("", "ann")), ..Default::default() };
    for _ in 0..30 {
        let sandbox = server.access(&control_plane).create_session(request.clone()).await.unwrap().into_inner().token;
        assert!(server.session(&sandbox, "", "").await.is_ok());
    }
}

async fn whoami_shows_the_limits_of_the_caller(database: &TestDatabase) {
    let server = TestServer::start_with(database, Limits::default()).await;
    let ann = server.organization("acme").await;
    let session = server.session(&ann, "", "ann").await.unwrap().token;
    let program = server.program(&ann, "organizations/acme", "ci").await;
    let person = v1::CallerLimits { calls: 64, calls_per_second: 20, burst: 200, watches: 1_024, sessions: 1_000 };
    let many =
        v1::CallerLimits { calls: 1_024, calls_per_second: 2_000, burst: 20_000, watches: 8_192, sessions: 200_000 };
    for (token, expected) in [
        (&ann, person),
        (&session, v1::CallerLimits { sessions: 100, ..person }),
        (&program, many),
        (&server.operator, many),
    ] {
        assert_eq!(server.whoami(token).await.unwrap().limits, Some(expected));
    }
}
