//! For how long a session renews itself, and how it goes on.

use std::time::Duration;

use secrets_proto::v1;
use tonic::Code;

use super::{cast, seconds};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_session_renews_itself_for_a_week,
    a_token_of_its_creator_begins_another_period,
    a_session_that_a_session_created_ends_with_the_period_of_its_creator,
    the_server_is_told_for_how_long_sessions_renew_themselves,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn renew(server: &TestServer, token: &str, name: &str) -> v1::Session {
    let request = v1::RenewSessionRequest { name: name.into(), ttl: seconds(86_400) };
    server.access(token).renew_session(request).await.unwrap().into_inner().session.unwrap()
}

/// Seconds until a time.
fn left(server: &TestServer, time: Option<prost_types::Timestamp>) -> i64 {
    use secrets_server::clock::Clock as _;
    time.unwrap().seconds - server.clock.now().as_micros().div_euclid(1_000_000)
}

async fn a_session_renews_itself_for_a_week(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, _, plane) = cast(&server).await;
    let created = server.session(&plane, "ws1", "bob").await.unwrap();
    let end = created.session.unwrap().renewal_end_time;
    assert_eq!(left(&server, end), 7 * 86_400);
    assert_eq!(server.whoami(&created.token).await.unwrap().renewal_end_time, end);
    assert_eq!(server.whoami(&plane).await.unwrap().renewal_end_time, None);
    for day in 1..=6 {
        let renewed = renew(&server, &created.token, "").await;
        assert_eq!((left(&server, renewed.expire_time), renewed.renewal_end_time), (86_400, end), "day {day}");
        server.wait(DAY - Duration::from_secs(60));
    }
    renew(&server, &created.token, "").await;
    server.wait(Duration::from_secs(600));
    let last = renew(&server, &created.token, "").await;
    assert_eq!(last.expire_time, last.renewal_end_time);
    server.wait(DAY - Duration::from_secs(600));
    assert_eq!(renew(&server, &created.token, "").await.expire_time, last.expire_time);
    server.wait(Duration::from_secs(360));
    assert_eq!(refusal(server.whoami(&created.token).await).code, Code::Unauthenticated);
}

async fn a_token_of_its_creator_begins_another_period(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, _, plane) = cast(&server).await;
    let created = server.session(&plane, "ws1", "bob").await.unwrap();
    for _ in 0..7 {
        renew(&server, &created.token, "").await;
        server.wait(DAY - Duration::from_secs(60));
    }
    let renewed = renew(&server, &plane, &created.session.unwrap().name).await;
    assert_eq!((left(&server, renewed.expire_time), left(&server, renewed.renewal_end_time)), (86_400, 7 * 86_400));
    let listed = v1::ListSessionsRequest { parent: "organizations/acme".into(), ..Default::default() };
    let listed = server.access(&plane).list_sessions(listed).await.unwrap().into_inner().sessions;
    assert_eq!(listed, std::slice::from_ref(&renewed));
    server.wait(Duration::from_secs(3_600));
    assert_eq!(left(&server, renew(&server, &created.token, "").await.expire_time), 86_400);
}

async fn a_session_that_a_session_created_ends_with_the_period_of_its_creator(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, _, plane) = cast(&server).await;
    let outer = server.session(&plane, "ws1", "bob").await.unwrap();
    for _ in 0..6 {
        renew(&server, &outer.token, "").await;
        server.wait(DAY - Duration::from_secs(60));
    }
    let end = renew(&server, &outer.token, "").await.expire_time;
    let inner = v1::CreateSessionRequest { ttl: seconds(3_600), ..Default::default() };
    let inner = server.access(&outer.token).create_session(inner).await.unwrap().into_inner();
    server.wait(Duration::from_secs(3_000));
    let renewed = renew(&server, &inner.token, "").await;
    assert_eq!(renewed.expire_time, end);
}

async fn the_server_is_told_for_how_long_sessions_renew_themselves(database: &TestDatabase) {
    let server = TestServer::start_with_period(database, 2 * DAY).await;
    let (_, bob, _) = cast(&server).await;
    let created = server.session(&bob, "ws1", "").await.unwrap();
    assert_eq!(left(&server, created.session.unwrap().renewal_end_time), 2 * 86_400);
}
