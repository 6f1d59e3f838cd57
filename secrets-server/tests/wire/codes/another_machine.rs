//! A code for another machine: one use, ten minutes, and no way to more than the token that made it.

use std::time::Duration;

use secrets_core::CredentialKind;
use secrets_proto::v1;
use tonic::{Code, Response, Status};

use super::{
    DAY, assert_sign_in_required, assert_unauthenticated, come, credential_of, days, machine_code, own_token, recover,
    recovery_codes, revoke, serves, stored,
};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::people::{code, invitation};

on_both!(
    a_code_signs_in_on_another_machine_whose_name_and_address_are_seen,
    a_code_is_redeemed_once_also_by_two_at_once,
    a_code_expires_after_ten_minutes,
    a_code_ends_with_the_token_that_made_it,
    only_a_token_that_signed_in_makes_a_code,
    another_machine_ends_with_the_first_also_when_the_code_is_long_gone,
    a_chain_of_machines_lives_no_longer_than_its_first_sign_in,
    a_token_of_seconds_makes_none_of_days,
    nobody_else_sees_or_revokes_a_code,
    a_revoked_code_is_not_redeemed_and_a_redeemed_one_says_for_what,
);

async fn get(server: &TestServer, token: &str, name: &str) -> Result<v1::SignInCode, Status> {
    let request = v1::GetSignInCodeRequest { name: name.into() };
    let answer = server.access(token).get_sign_in_code(request).await;
    answer.map(|answer| answer.into_inner().sign_in_code.unwrap())
}

async fn end(server: &TestServer, token: &str, name: &str) -> Result<v1::SignInCode, Status> {
    let request = v1::RevokeSignInCodeRequest { name: name.into(), ..Default::default() };
    let answer = server.access(token).revoke_sign_in_code(request).await.map(Response::into_inner);
    answer.map(|answer| answer.sign_in_code.unwrap())
}

async fn a_code_signs_in_on_another_machine_whose_name_and_address_are_seen(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let created = machine_code(&server, &ann).await.unwrap();
    assert!(created.code.starts_with("slgn_") && created.code.len() == 54);
    let waiting = created.sign_in_code.unwrap();
    let seconds = |time: Option<prost_types::Timestamp>| time.unwrap().seconds;
    assert_eq!(seconds(waiting.expire_time) - seconds(waiting.create_time), 600);
    assert_eq!(get(&server, &ann, &waiting.name).await.unwrap(), waiting);

    let came = come(&server, &created.code, None).await.unwrap();
    let info = came.token_info.unwrap();
    assert_eq!((came.user.as_str(), info.origin()), ("organizations/acme/users/ann", v1::TokenOrigin::AnotherMachine));
    assert_eq!(info.creator, credential_of(&server, &ann).await);
    assert_eq!(server.whoami(&came.token).await.unwrap().credential, info.name);
    let seen = get(&server, &ann, &waiting.name).await.unwrap();
    let token = seen.token.unwrap();
    assert_eq!((token.display_name.as_str(), token.address.as_str(), seen.revoke_time), ("desktop", "127.0.0.1", None));
    assert_eq!(token.name, info.name);
    // Both are one person's, and each shows the other.
    let list = server.access(&came.token).list_tokens(v1::ListTokensRequest::default()).await.unwrap().into_inner();
    assert_eq!(list.tokens.len(), 2);
}

async fn a_code_is_redeemed_once_also_by_two_at_once(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    for _ in 0..4 {
        let code = machine_code(&server, &ann).await.unwrap().code;
        let (first, second) = tokio::join!(come(&server, &code, None), come(&server, &code, None));
        assert!(first.is_ok() != second.is_ok(), "exactly one");
        assert_unauthenticated(come(&server, &code, None).await);
    }
}

async fn a_code_expires_after_ten_minutes(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let [first, second] = [machine_code(&server, &ann).await.unwrap(), machine_code(&server, &ann).await.unwrap()];
    server.wait(Duration::from_secs(599));
    come(&server, &first.code, None).await.unwrap();
    server.wait(Duration::from_secs(1));
    let refused = assert_unauthenticated(come(&server, &second.code, None).await);
    assert_eq!(
        (refused.metadata["ended"].as_str(), refused.metadata["command"].as_str()),
        ("EXPIRED", "secrets login --another-machine")
    );
}

async fn a_code_ends_with_the_token_that_made_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    // Ended alone, as a logout does, or with all that it made.
    for alone in [true, false] {
        let bob = server.person(&ann, "acme", "bob").await;
        let code = machine_code(&server, &bob).await.unwrap().code;
        revoke(&server, &bob, &credential_of(&server, &bob).await, alone).await;
        assert_unauthenticated(come(&server, &code, None).await);
    }
    // Or by its own end.
    let code = code(&server, &ann, invitation("carol")).await;
    let ttl = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    let short = v1::RedeemInvitationRequest { ttl, ..Default::default() };
    let carol = server.access(&code).redeem_invitation(short).await.unwrap().into_inner().token;
    let code = machine_code(&server, &carol).await.unwrap().code;
    server.wait(Duration::from_secs(60));
    assert_unauthenticated(come(&server, &code, None).await);
}

async fn only_a_token_that_signed_in_makes_a_code(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    assert_sign_in_required(machine_code(&server, &own_token(&server, &ann, false).await).await);
    let session = server.session(&ann, "", "").await.unwrap().token;
    let ci = server.program(&ann, "organizations/acme", "ci").await;
    for token in [&session, &ci, &server.operator] {
        assert_eq!(refusal(machine_code(&server, token).await).code, Code::PermissionDenied);
    }
    // What took the place of a sign-in is one, and so are a recovery and another machine.
    let next = own_token(&server, &ann, true).await;
    let machine = come(&server, &machine_code(&server, &next).await.unwrap().code, None).await.unwrap().token;
    machine_code(&server, &machine).await.unwrap();
    let codes = recovery_codes(&server, &ann).await.unwrap().codes;
    let recovered = recover(&server, &codes[0], false).await.unwrap().token;
    machine_code(&server, &recovered).await.unwrap();
}

async fn another_machine_ends_with_the_first_also_when_the_code_is_long_gone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let machine = come(&server, &machine_code(&server, &bob).await.unwrap().code, None).await.unwrap().token;
    let session = server.session(&machine, "", "").await.unwrap().token;
    let next = own_token(&server, &bob, true).await;
    server.wait(Duration::from_secs(31 * DAY.unsigned_abs()));
    server.app.jobs.purge().await.unwrap();
    let name = credential_of(&server, &bob).await;
    // Alone, it ends nothing else; its sessions would go to what took its place, not to another machine.
    server.session(&bob, "", "").await.unwrap();
    let alone = revoke(&server, &next, &name, true).await;
    assert_eq!((alone.revoked_tokens, alone.moved_to), (1, credential_of(&server, &next).await));
    assert!(serves(&server, &machine).await && !serves(&server, &session).await, "of a day, expired");
    let revoked = revoke(&server, &next, &name, false).await;
    assert_eq!(revoked.revoked_tokens, 2);
    assert!(!serves(&server, &machine).await && !serves(&server, &next).await);
}

async fn a_chain_of_machines_lives_no_longer_than_its_first_sign_in(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut token = ann.clone();
    for day in [80, 160, 240, 320] {
        server.wait(Duration::from_secs(80 * DAY.unsigned_abs()));
        server.whoami(&token).await.unwrap();
        token = come(&server, &machine_code(&server, &token).await.unwrap().code, None).await.unwrap().token;
        let me = server.whoami(&token).await.unwrap();
        assert_eq!(days(&server, me.sign_in_end_time), 365 - day);
        assert_eq!(days(&server, me.expire_time), std::cmp::min(90, 365 - day));
    }
    // A lifetime that is chosen does not lead beyond it either.
    let chosen = come(&server, &machine_code(&server, &token).await.unwrap().code, Some(300 * DAY)).await.unwrap();
    let chosen = chosen.token_info.unwrap();
    assert_eq!((days(&server, chosen.expire_time), chosen.sign_in_end_time), (45, None));
}

async fn a_token_of_seconds_makes_none_of_days(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let ttl = Some(prost_types::Duration { seconds: 30, nanos: 0 });
    let short = v1::RedeemInvitationRequest { ttl, ..Default::default() };
    let code = code(&server, &ann, invitation("bob")).await;
    let short = server.access(&code).redeem_invitation(short).await.unwrap().into_inner();
    for ttl in [None, Some(300 * DAY)] {
        let code = machine_code(&server, &short.token).await.unwrap().code;
        let info = come(&server, &code, ttl).await.unwrap().token_info.unwrap();
        assert_eq!((info.expire_time, info.sign_in_end_time), (short.token_info.as_ref().unwrap().expire_time, None));
    }
}

async fn nobody_else_sees_or_revokes_a_code(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let rival = server.organization("rival").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let created = machine_code(&server, &bob).await.unwrap();
    let name = created.sign_in_code.unwrap().name;
    for token in [&ann, &rival] {
        assert_eq!(refusal(get(&server, token, &name).await).code, Code::NotFound);
        assert_eq!(refusal(end(&server, token, &name).await).code, Code::NotFound);
    }
    let session = server.session(&bob, "", "").await.unwrap().token;
    for token in [&session, &server.operator] {
        assert_eq!(refusal(get(&server, token, &name).await).code, Code::PermissionDenied);
        assert_eq!(refusal(end(&server, token, &name).await).code, Code::PermissionDenied);
    }
    // Nor is another credential of one's own a code.
    let own = credential_of(&server, &bob).await.replace("/tokens/", "/signInCodes/");
    assert_eq!(refusal(end(&server, &bob, &own).await).code, Code::NotFound);
    assert!(serves(&server, &bob).await);
    assert_eq!(refusal(get(&server, &bob, &name.replace("acme", "rival")).await).code, Code::NotFound);
    let list = server.access(&bob).list_tokens(v1::ListTokensRequest::default()).await.unwrap().into_inner();
    assert_eq!(list.total_size, 1, "a code is no token");
    come(&server, &created.code, None).await.unwrap();
}

async fn a_revoked_code_is_not_redeemed_and_a_redeemed_one_says_for_what(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let [first, second] = [machine_code(&server, &ann).await.unwrap(), machine_code(&server, &ann).await.unwrap()];
    let revoked = end(&server, &ann, &first.sign_in_code.unwrap().name).await.unwrap();
    assert!(revoked.revoke_time.is_some() && revoked.token.is_none());
    assert_unauthenticated(come(&server, &first.code, None).await);
    let came = come(&server, &second.code, None).await.unwrap();
    let ended = end(&server, &ann, &second.sign_in_code.unwrap().name).await.unwrap();
    assert_eq!((ended.revoke_time, ended.token.unwrap().name), (None, came.token_info.unwrap().name));
    assert!(serves(&server, &came.token).await, "too late: its token is revoked by its name");
    assert_eq!(stored(&server, "acme", CredentialKind::SignInCode).await.len(), 0);
}
