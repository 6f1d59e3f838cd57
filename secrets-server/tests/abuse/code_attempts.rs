//! Codes: whoever has nothing else gets a few tries a minute, and a small message.

use std::num::NonZeroU32;

use secrets_proto::v1;
use secrets_server::config::Limits;
use tonic::Code;

use crate::attacker::Attacker;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(an_address_has_few_tries_a_minute_whichever_connection_it_uses, a_code_comes_with_a_small_message);

const REDEEM: &str = "/secretsapi.v1.AccessService/RedeemInvitation";
/// Whatever redeems a code; an address has its tries for all of them.
const ALL: [&str; 3] =
    [REDEEM, "/secretsapi.v1.AccessService/RedeemRecoveryCode", "/secretsapi.v1.AccessService/RedeemSignInCode"];
const WHOAMI: &str = "/secretsapi.v1.AccessService/WhoAmI";

async fn an_address_has_few_tries_a_minute_whichever_connection_it_uses(database: &TestDatabase) {
    let limits = Limits { code_attempts_per_minute: NonZeroU32::new(10).unwrap(), ..Limits::default() };
    let server = TestServer::start_with(database, limits).await;
    // The first try.
    let ann = server.organization("acme").await;
    let mut refused = 0;
    for _ in 0..3 {
        let mut attacker = Attacker::connect(server.address()).await;
        for method in ALL.into_iter().cycle().take(10) {
            let outcome = attacker.open(method, &["hunter2"]).await.outcome().await;
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
    let ann = server.organization("rival").await;
    let recovery = server.access(&ann).create_recovery_codes(v1::CreateRecoveryCodesRequest::default()).await.unwrap();
    let machine = server.access(&ann).create_sign_in_code(v1::CreateSignInCodeRequest::default()).await.unwrap();
    let codes = [code.clone(), recovery.into_inner().codes.remove(0), machine.into_inner().code];
    for (method, code) in ALL.into_iter().zip(codes) {
        let refused = attacker.open(method, &[&code]).await.finish(&[0; 4097]).await;
        assert_eq!((refused.code, refused.limit.as_str()), (Code::ResourceExhausted, "request_bytes"), "{method}");
    }
    server.redeem(&code).await;
}
