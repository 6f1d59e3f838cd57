//! A person's sign-in lives by use; and what is said of a token that has ended.

use std::time::Duration;

use secrets_proto::v1;
use secrets_server::clock::Clock as _;
use tonic::Code;

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::people::{code, invitation};

on_both!(
    a_sign_in_lives_by_use_for_a_year_at_most,
    a_sign_in_that_is_not_used_ends,
    nothing_else_lives_by_use,
    a_successor_is_the_same_sign_in,
    a_successor_of_another_token_ends_with_it,
    whoever_holds_a_token_is_told_that_it_has_ended,
    answers_say_when_a_sign_in_ends,
);

const DAY: u64 = 24 * 60 * 60;

/// Days from now, rounded.
fn days(server: &TestServer, time: Option<prost_types::Timestamp>) -> u64 {
    let seconds = time.unwrap().seconds - server.clock.now().as_micros().div_euclid(1_000_000);
    (u64::try_from(seconds).unwrap() + DAY / 2) / DAY
}

/// Uses a token, and returns in how many days it ends then.
async fn use_token(server: &TestServer, token: &str) -> u64 {
    server.whoami(token).await.unwrap();
    server.app.jobs.flush_usage().await;
    days(server, server.whoami(token).await.unwrap().expire_time)
}

fn wait(server: &TestServer, days: u64) {
    server.wait(Duration::from_secs(days * DAY));
}

async fn a_sign_in_lives_by_use_for_a_year_at_most(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let me = server.whoami(&ann).await.unwrap();
    assert_eq!((days(&server, me.expire_time), days(&server, me.sign_in_end_time)), (90, 365));
    wait(&server, 80);
    assert_eq!(use_token(&server, &ann).await, 90);
    server.wait(Duration::from_secs(DAY - 120));
    assert_eq!(server.whoami(&ann).await.unwrap().expire_time, me.expire_time.map(|end| later(end, 80)));
    use_token(&server, &ann).await;
    assert_eq!(server.whoami(&ann).await.unwrap().expire_time, me.expire_time.map(|end| later(end, 80)), "once a day");
    for _ in 0..4 {
        wait(&server, 60);
        use_token(&server, &ann).await;
    }
    let end = server.whoami(&ann).await.unwrap();
    assert_eq!((end.expire_time, days(&server, end.expire_time)), (end.sign_in_end_time, 44));
    wait(&server, 43);
    assert_eq!(use_token(&server, &ann).await, 1);
    wait(&server, 2);
    assert_eq!(refusal(server.whoami(&ann).await).code, Code::Unauthenticated);
}

fn later(time: prost_types::Timestamp, days: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.seconds + days * 86_400, ..time }
}

async fn a_sign_in_that_is_not_used_ends(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.whoami(&ann).await.unwrap();
    wait(&server, 90);
    assert_eq!(refusal(server.whoami(&ann).await).code, Code::Unauthenticated);
    // A use that was counted before comes too late.
    server.app.jobs.flush_usage().await;
    assert_eq!(refusal(server.whoami(&ann).await).code, Code::Unauthenticated);
}

async fn nothing_else_lives_by_use(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let ninety = Some(prost_types::Duration { seconds: 90 * 86_400, nanos: 0 });
    let chosen = v1::RedeemInvitationRequest { ttl: ninety, ..Default::default() };
    let code = code(&server, &ann, invitation("bob")).await;
    let chosen = server.access(&code).redeem_invitation(chosen).await.unwrap().into_inner();
    assert_eq!(chosen.token_info.unwrap().sign_in_end_time, None);
    let ci = server.program(&ann, "organizations/acme", "ci").await;
    let own = v1::CreateTokenRequest { ttl: ninety, ..Default::default() };
    let own = server.access(&ann).create_token(own).await.unwrap().into_inner().token;
    wait(&server, 10);
    for token in [&chosen.token, &ci, &own] {
        assert_eq!(use_token(&server, token).await, 80);
    }
    assert_eq!(use_token(&server, &ann).await, 90);
}

async fn successor(server: &TestServer, token: &str, ttl_days: Option<i64>) -> v1::CreateTokenResponse {
    let ttl = ttl_days.map(|days| prost_types::Duration { seconds: days * 86_400, nanos: 0 });
    let request = v1::CreateTokenRequest { successor: true, ttl, ..Default::default() };
    server.access(token).create_token(request).await.unwrap().into_inner()
}

async fn a_successor_is_the_same_sign_in(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let first = server.whoami(&ann).await.unwrap();
    wait(&server, 60);
    let next = successor(&server, &ann, None).await;
    let info = next.token_info.unwrap();
    assert_eq!((days(&server, info.expire_time), info.sign_in_end_time), (90, first.sign_in_end_time));
    assert_eq!((info.origin(), &info.creator), (v1::TokenOrigin::Own, &first.credential));
    // Who chooses a lifetime means it.
    let chosen = successor(&server, &ann, Some(365)).await.token_info.unwrap();
    assert_eq!((chosen.expire_time, chosen.sign_in_end_time), (first.sign_in_end_time, None));
    let session = server.session(&ann, "", "").await.unwrap().token;
    let revoke = v1::RevokeTokenRequest { name: first.credential, alone: true, ..Default::default() };
    let revoked = server.access(&next.token).revoke_token(revoke).await.unwrap().into_inner();
    assert_eq!((revoked.revoked_tokens, revoked.moved_sessions), (1, 1));
    server.whoami(&session).await.unwrap();
    wait(&server, 80);
    assert_eq!(use_token(&server, &next.token).await, 90);
    for _ in 0..2 {
        wait(&server, 80);
        use_token(&server, &next.token).await;
    }
    let me = server.whoami(&next.token).await.unwrap();
    assert_eq!(me.expire_time, me.sign_in_end_time);
}

async fn a_successor_of_another_token_ends_with_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.program(&ann, "organizations/acme", "ci").await;
    let ttl = Some(prost_types::Duration { seconds: 3, nanos: 0 });
    let own = v1::CreateTokenRequest { ttl, ..Default::default() };
    let own = server.access(&ann).create_token(own).await.unwrap().into_inner();
    for ttl in [None, Some(300)] {
        let next = successor(&server, &own.token, ttl).await.token_info.unwrap();
        assert_eq!(next.expire_time, own.token_info.as_ref().unwrap().expire_time);
    }
    // The first operator's token has no end, and so its successor has none.
    let operator = successor(&server, &server.operator, None).await;
    assert_eq!(operator.token_info.unwrap().expire_time, None);
    assert_eq!(days(&server, successor(&server, &operator.token, Some(30)).await.token_info.unwrap().expire_time), 30);
    let ci = "organizations/acme/serviceAccounts/ci".to_owned();
    let other = v1::CreateTokenRequest { principal: ci, successor: true, ..Default::default() };
    assert_eq!(refusal(server.access(&ann).create_token(other).await).fields, ["successor"]);
}

async fn whoever_holds_a_token_is_told_that_it_has_ended(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let session = server.session(&ann, "", "").await.unwrap().token;
    server.wait(Duration::from_secs(3_600));
    let refused = refusal(server.whoami(&session).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    assert_eq!(
        (refused.metadata["ended"].as_str(), refused.metadata["command"].as_str()),
        ("EXPIRED", "secrets session create")
    );
    let end = refused.metadata["end_time"].clone();
    assert!(refused.message.starts_with(&format!("the session expired at {end}; ")), "{}", refused.message);

    let name = server.whoami(&ann).await.unwrap().credential;
    let revoke = v1::RevokeTokenRequest { name, ..Default::default() };
    server.access(&ann).revoke_token(revoke).await.unwrap();
    let refused = refusal(server.whoami(&ann).await);
    assert_eq!(
        (refused.metadata["ended"].as_str(), refused.metadata["command"].as_str()),
        ("REVOKED", "secrets login")
    );
    assert!(
        refused.message.contains("was revoked at") && refused.message.contains("`secrets login`"),
        "{}",
        refused.message
    );

    // Of what nobody was given, nothing is said.
    let unknown = "sper_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2SPfSA";
    let refused = refusal(server.whoami(unknown).await);
    assert_eq!((refused.message.as_str(), refused.metadata.len()), ("the credential is unknown", 0));
}

async fn answers_say_when_a_sign_in_ends(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let notice = async |token: &str| {
        let answer = server.access(token).who_am_i(v1::WhoAmIRequest {}).await.unwrap();
        answer.metadata().get("x-sign-in-end").map(|end| end.to_str().unwrap().to_owned())
    };
    let own = server.access(&ann).create_token(v1::CreateTokenRequest::default()).await.unwrap().into_inner().token;
    wait(&server, 85);
    assert_eq!((notice(&own).await, notice(&ann).await), (None, None));
    server.app.jobs.flush_usage().await;
    for _ in 0..3 {
        wait(&server, 85);
        assert_eq!(notice(&ann).await, None);
        server.app.jobs.flush_usage().await;
    }
    wait(&server, 12);
    let end = server.whoami(&ann).await.unwrap().sign_in_end_time.unwrap();
    let end = prost_types::Timestamp { nanos: 0, ..end };
    assert_eq!(notice(&ann).await, Some(end.to_string()));
}
