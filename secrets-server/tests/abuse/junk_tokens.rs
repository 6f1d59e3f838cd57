//! Tokens that nobody ever made: whoever presents them waits, and nobody else.

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use secrets_core::CredentialKind;
use secrets_server::auth::token::Token;
use secrets_server::config::Limits;
use secrets_server::crypto::SystemRandom;
use tonic::Code;

use crate::attacker::{Attacker, OpenRequest, Outcome};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    whoever_presents_junk_waits_and_nobody_else_does,
    a_known_token_does_not_wait_behind_junk_on_the_same_connection,
);

const WHOAMI: &str = "/secretsapi.v1.AccessService/WhoAmI";
/// The last of as many waits for five seconds, if nothing but the pauses takes time.
const JUNK_CALLS: usize = 60;

async fn junk_calls(attacker: &mut Attacker) -> Vec<OpenRequest> {
    let mut calls = Vec::new();
    for _ in 0..JUNK_CALLS {
        let token = Token::make(&SystemRandom, CredentialKind::Personal).unwrap();
        calls.push(attacker.open(WHOAMI, &[token.expose()]).await);
    }
    calls
}

async fn whoever_presents_junk_waits_and_nobody_else_does(database: &TestDatabase) {
    let server = TestServer::start_with(database, Limits::default()).await;
    let ann = server.organization("acme").await;
    let mut attacker = Attacker::connect(server.address()).await;
    let junk = junk_calls(&mut attacker).await;
    let mut calm = Attacker::connect(server.address()).await;
    for _ in 0..10 {
        assert_eq!(calm.open(WHOAMI, &[&ann]).await.finish(b"").await.code, Code::Ok);
    }
    for outcome in join_all(waiting(junk)).await {
        assert_eq!((outcome.code, outcome.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    }
}

async fn a_known_token_does_not_wait_behind_junk_on_the_same_connection(database: &TestDatabase) {
    let server = TestServer::start_with(database, Limits::default()).await;
    let ann = server.organization("acme").await;
    let mut gateway = Attacker::connect(server.address()).await;
    assert_eq!(gateway.open(WHOAMI, &[&ann]).await.finish(b"").await.code, Code::Ok);
    let junk = junk_calls(&mut gateway).await;
    assert_eq!(gateway.open(WHOAMI, &[&ann]).await.finish(b"").await.code, Code::Ok);
    waiting(junk);
}

/// The calls that have no answer yet, of which there must be some.
fn waiting(calls: Vec<OpenRequest>) -> Vec<impl Future<Output = Outcome>> {
    let mut outcomes: Vec<_> = calls.into_iter().map(|call| Box::pin(call.outcome())).collect();
    outcomes.retain_mut(|outcome| outcome.as_mut().now_or_never().is_none());
    assert!(!outcomes.is_empty(), "all junk was looked up meanwhile");
    outcomes
}
