//! Codes: whoever has nothing else gets a few tries a minute, and a small message.

use std::num::NonZeroU32;

use secrets_server::config::Limits;
use tonic::Code;

use crate::attacker::Attacker;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(an_address_has_few_tries_a_minute_whichever_connection_it_uses, a_code_comes_with_a_small_message);

const REDEEM: &str = "/secretsapi.v1.AccessService/RedeemInvitation";
const WHOAMI: &str = "/secretsapi.v1.AccessService/WhoAmI";

async fn an_address_has_few_tries_a_minute_whichever_connection_it_uses(database: &TestDatabase) {
    let limits = Limits { code_attempts_per_minute: NonZeroU32::new(10).unwrap(), ..Limits::default() };
    let server = TestServer::start_with(database, limits).await;
    // The first try.
    let ann = server.organization("acme").await;
    let mut refused = 0;
    for _ in 0..3 {
        let mut attacker = Attacker::connect(server.address()).await;
        for _ in 0..10 {
            let outcome = attacker.open(REDEEM, &["hunter2"]).await.outcome().await;
            match (outcome.code, outcome.reason.as_str()) {
                (Code::Unauthenticated, "UNAUTHENTICATED") => {}
                (Code::ResourceExhausted, "RATE_LIMITED") => refused += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    // Some become due while this runs.
    assert!(refused >= 15, "{refused} of 30");
    let mut calm = Attacker::connect(server.address()).await;
    for _ in 0..20 {
        assert_eq!(calm.open(WHOAMI, &[&ann]).await.finish(b"").await.code, Code::Ok);
    }
}

async fn a_code_comes_with_a_small_message(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let code = server.invited_admin(&server.operator, "acme").await;
    let mut attacker = Attacker::connect(server.address()).await;
    let refused = attacker.open(REDEEM, &[&code]).await.finish(&[0; 4097]).await;
    assert_eq!((refused.code, refused.limit.as_str()), (Code::ResourceExhausted, "request_bytes"));
    server.redeem(&code).await;
}
