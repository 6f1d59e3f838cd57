//! What made a credential, and what ends with it.

use std::time::Duration;

use secrets_proto::v1;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::people::{code, invitation};

on_both!(
    a_token_says_what_made_it,
    no_token_for_oneself_outlives_the_one_that_made_it,
    a_service_account_makes_itself_a_successor_that_ends_with_its_maker,
    a_session_ends_with_the_token_that_created_it,
    a_revocation_reaches_what_was_made_for_oneself_and_names_the_tokens_of_others,
    tokens_of_others_end_too_when_told_by_whoever_may_end_them,
    an_invitation_that_nobody_has_redeemed_ends_with_the_token_that_made_it,
    an_administrator_who_leaves_leaves_no_code_behind,
    a_token_that_is_ended_alone_hands_its_sessions_to_its_successor,
    a_token_without_a_successor_takes_its_sessions_along,
    whoever_created_a_session_renews_it_with_another_token,
    nobody_else_renews_a_session_of_others,
    operator_admin_and_control_plane_change_their_tokens_while_sessions_run,
);

const ACME: &str = "organizations/acme";
const CI: &str = "organizations/acme/serviceAccounts/ci";
const SANDBOXD: &str = "serviceAccounts/sandboxd";
const DAY: i64 = 24 * 60 * 60;

struct Made {
    token: String,
    info: v1::Token,
}

async fn make(server: &TestServer, token: &str, principal: &str, ttl: i64) -> Made {
    let ttl = Some(prost_types::Duration { seconds: ttl, nanos: 0 });
    let request = v1::CreateTokenRequest { principal: principal.into(), ttl, ..Default::default() };
    let created = server.access(token).create_token(request).await.unwrap().into_inner();
    Made { token: created.token, info: created.token_info.unwrap() }
}

fn revocation(name: &str) -> v1::RevokeTokenRequest {
    v1::RevokeTokenRequest { name: name.into(), ..Default::default() }
}

async fn revoke(
    server: &TestServer,
    token: &str,
    request: v1::RevokeTokenRequest,
) -> Result<v1::RevokeTokenResponse, Status> {
    server.access(token).revoke_token(request).await.map(tonic::Response::into_inner)
}

/// The token with which somebody calls.
async fn own_name(server: &TestServer, token: &str) -> String {
    server.whoami(token).await.unwrap().credential
}

async fn has_ended(server: &TestServer, token: &str) -> bool {
    match server.whoami(token).await {
        Ok(_) => false,
        refused => refusal(refused).code == Code::Unauthenticated,
    }
}

/// A delegate, and bob with his workspace.
async fn control_plane(server: &TestServer) -> (String, String) {
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.workspace(&bob, "ws1", "", "").await.unwrap();
    let plane = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", SANDBOXD, v1::Role::Delegate).await.unwrap();
    (ann, plane)
}

async fn renew(server: &TestServer, token: &str, name: &str) -> Result<v1::Session, Status> {
    let request = v1::RenewSessionRequest { name: name.into(), ttl: None };
    Ok(server.access(token).renew_session(request).await?.into_inner().session.unwrap())
}

async fn a_token_says_what_made_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.program(&ann, ACME, "ci").await;
    let sign_in = own_name(&server, &ann).await;
    let own = make(&server, &ann, "", DAY).await;
    let ci = make(&server, &own.token, CI, DAY).await;
    let origins = async |token: &str, principal: &str| {
        let request = v1::ListTokensRequest { principal: principal.into(), ..Default::default() };
        let tokens = server.access(token).list_tokens(request).await.unwrap().into_inner().tokens;
        tokens.into_iter().map(|token| (token.origin(), token.creator)).collect::<Vec<_>>()
    };
    use v1::TokenOrigin::{FirstStart, Issued, Own, SignIn};
    let mut people = origins(&ann, "").await;
    people.sort_by_key(|(origin, _)| *origin as i32);
    assert_eq!(people, [(SignIn, String::new()), (Own, sign_in.clone())]);
    let programs = origins(&ann, CI).await;
    assert!(programs.contains(&(Issued, own.info.name)) && programs.contains(&(Issued, sign_in)), "{programs:?}");
    let next = make(&server, &ci.token, "", DAY).await;
    assert_eq!((next.info.origin(), next.info.creator), (Own, ci.info.name));
    assert_eq!(origins(&server.operator, "").await, [(FirstStart, String::new())]);
}

async fn no_token_for_oneself_outlives_the_one_that_made_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    for long in [&ann, &server.operator] {
        let short = make(&server, long, "", 3).await;
        let asked = make(&server, &short.token, "", 365 * DAY).await;
        assert_eq!(asked.info.expire_time, short.info.expire_time);
        let default = v1::CreateTokenRequest::default();
        let default = server.access(&asked.token).create_token(default).await.unwrap().into_inner();
        assert_eq!(default.token_info.unwrap().expire_time, short.info.expire_time);
    }
    let own = v1::CreateTokenRequest { principal: "organizations/acme/users/ann".into(), ..Default::default() };
    let short = make(&server, &ann, "", 3).await;
    let named = server.access(&short.token).create_token(own).await.unwrap().into_inner();
    assert_eq!(named.token_info.unwrap().expire_time, short.info.expire_time);
    server.wait(Duration::from_secs(3));
    assert!(has_ended(&server, &named.token).await);
}

async fn a_service_account_makes_itself_a_successor_that_ends_with_its_maker(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.program(&ann, ACME, "ci").await;
    let short = make(&server, &ann, CI, 3).await;
    let long = make(&server, &short.token, "", 365 * DAY).await;
    let longer = make(&server, &long.token, "", 365 * DAY).await;
    server.wait(Duration::from_secs(3));
    assert!(has_ended(&server, &short.token).await && !has_ended(&server, &longer.token).await);
    // The short one has expired: what it made is reached all the same.
    let revoked = revoke(&server, &ann, revocation(&short.info.name)).await.unwrap();
    assert_eq!(revoked.revoked_tokens, 2);
    assert!(has_ended(&server, &long.token).await && has_ended(&server, &longer.token).await);
}

async fn a_session_ends_with_the_token_that_created_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let token = make(&server, &ann, "", 600).await;
    let created = server.session(&token.token, "", "").await.unwrap();
    assert_eq!(created.session.unwrap().expire_time, token.info.expire_time);
    assert_eq!(renew(&server, &created.token, "").await.unwrap().expire_time, token.info.expire_time);
    server.wait(Duration::from_secs(600));
    assert!(has_ended(&server, &created.token).await);
}

async fn a_revocation_reaches_what_was_made_for_oneself_and_names_the_tokens_of_others(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.program(&ann, ACME, "ci").await;
    let laptop = make(&server, &ann, "", DAY).await;
    let script = make(&server, &laptop.token, "", DAY).await;
    let ci = make(&server, &script.token, CI, DAY).await;
    let session = server.session(&script.token, "", "").await.unwrap().token;
    let preview = v1::RevokeTokenRequest { validate_only: true, ..revocation(&laptop.info.name) };
    let preview = revoke(&server, &ann, preview).await.unwrap();
    assert!(!has_ended(&server, &session).await, "nothing has happened yet");
    let revoked = revoke(&server, &ann, revocation(&laptop.info.name)).await.unwrap();
    assert_eq!(preview, revoked);
    assert_eq!((revoked.revoked_sessions, revoked.revoked_tokens, revoked.total_service_tokens), (1, 2, 1));
    let named = revoked.service_tokens.iter().map(|token| (&token.name, token.principal.as_str())).collect::<Vec<_>>();
    assert_eq!(named, [(&ci.info.name, CI)]);
    for token in [&laptop.token, &script.token, &session] {
        assert!(has_ended(&server, token).await);
    }
    assert!(!has_ended(&server, &ci.token).await && !has_ended(&server, &ann).await);
    // It is not too late to take them along.
    let with = v1::RevokeTokenRequest { with_service_tokens: true, ..revocation(&laptop.info.name) };
    let revoked = revoke(&server, &ann, with).await.unwrap();
    assert_eq!((revoked.revoked_sessions, revoked.revoked_tokens, revoked.total_service_tokens), (0, 1, 1));
    assert!(revoked.service_tokens[0].revoke_time.is_some() && has_ended(&server, &ci.token).await);
}

async fn tokens_of_others_end_too_when_told_by_whoever_may_end_them(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let promotion = server.bind(&ann, ACME, "organizations/acme/users/bob", v1::Role::Admin).await.unwrap();
    server.program(&ann, ACME, "ci").await;
    let ci = make(&server, &bob, CI, DAY).await;
    let next = make(&server, &ci.token, "", DAY).await;
    server.unbind(&ann, &promotion.name).await.unwrap();
    // bob is no administrator any more: he may neither see nor end what he made as one.
    let name = own_name(&server, &bob).await;
    let with = v1::RevokeTokenRequest { with_service_tokens: true, ..revocation(&name) };
    let preview = v1::RevokeTokenRequest { validate_only: true, ..revocation(&name) };
    assert_eq!(refusal(revoke(&server, &bob, with.clone()).await).code, Code::PermissionDenied);
    let seen = revoke(&server, &bob, preview).await.unwrap();
    assert_eq!((seen.revoked_tokens, seen.service_tokens.len(), seen.total_service_tokens), (1, 0, 1));
    assert!(!has_ended(&server, &bob).await);
    let revoked = revoke(&server, &ann, with.clone()).await.unwrap();
    assert_eq!((revoked.revoked_tokens, revoked.total_service_tokens), (3, 1));
    assert!(has_ended(&server, &bob).await && has_ended(&server, &next.token).await);
    let both = v1::RevokeTokenRequest { alone: true, ..with };
    assert_eq!(refusal(revoke(&server, &ann, both).await).fields, ["alone"]);
}

/// Whether a code can't be redeemed.
async fn is_refused(server: &TestServer, code: &str) -> bool {
    match server.access(code).redeem_invitation(v1::RedeemInvitationRequest::default()).await {
        Ok(_) => false,
        refused => refusal(refused).code == Code::Unauthenticated,
    }
}

async fn an_invitation_that_nobody_has_redeemed_ends_with_the_token_that_made_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let stolen = make(&server, &ann, "", DAY).await;
    let script = make(&server, &stolen.token, "", DAY).await;
    let bob = server.person(&stolen.token, "acme", "bob").await;
    let (carol, dave) = (
        code(&server, &stolen.token, invitation("carol")).await,
        code(&server, &script.token, invitation("dave")).await,
    );
    let frank = code(&server, &ann, invitation("frank")).await;

    // Whoever changes their token goes on inviting with the next one.
    let alone = v1::RevokeTokenRequest { alone: true, ..revocation(&stolen.info.name) };
    let revoked = revoke(&server, &ann, alone).await.unwrap();
    assert_eq!((revoked.revoked_tokens, revoked.revoked_invitations), (1, 0));
    assert!(has_ended(&server, &stolen.token).await);

    // It turns out to have been stolen: it ends what is still open, by whichever token of the thief's.
    let preview = v1::RevokeTokenRequest { validate_only: true, ..revocation(&stolen.info.name) };
    let preview = revoke(&server, &ann, preview).await.unwrap();
    let revoked = revoke(&server, &ann, revocation(&stolen.info.name)).await.unwrap();
    assert_eq!(preview, revoked);
    assert_eq!((revoked.revoked_tokens, revoked.revoked_invitations), (1, 2));
    assert!(is_refused(&server, &carol).await && is_refused(&server, &dave).await);
    assert!(!has_ended(&server, &bob).await, "he has come");
    assert!(!is_refused(&server, &frank).await, "another token made it");

    // The operator's tokens make invitations in every organization.
    let operator = make(&server, &server.operator, "", DAY).await;
    let request = v1::InviteAdminRequest { parent: ACME.into(), user_id: "olga".into(), ..Default::default() };
    let olga = server.access(&operator.token).invite_admin(request).await.unwrap().into_inner().invitation.unwrap();
    let revoked = revoke(&server, &server.operator, revocation(&operator.info.name)).await.unwrap();
    assert_eq!((revoked.revoked_tokens, revoked.revoked_invitations), (1, 1));
    server.wait(Duration::from_secs(72 * 60 * 60));
    assert!(is_refused(&server, &olga.code).await);
}

async fn an_administrator_who_leaves_leaves_no_code_behind(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let bobs = "organizations/acme/users/bob";
    server.bind(&ann, ACME, bobs, v1::Role::Admin).await.unwrap();
    let carol = server.person(&bob, "acme", "carol").await;
    let dave = code(&server, &bob, invitation("dave")).await;
    server.remove(&ann, "bob").await.unwrap();
    assert!(is_refused(&server, &dave).await);
    assert!(!has_ended(&server, &carol).await);

    // So does one who is invited again; the invitation says so.
    let erin = server.person(&ann, "acme", "erin").await;
    server.bind(&ann, ACME, "organizations/acme/users/erin", v1::Role::Admin).await.unwrap();
    let frank = code(&server, &erin, invitation("frank")).await;
    let again = server.access(&ann).create_invitation(invitation("erin")).await.unwrap().into_inner();
    let ended = again.invitation.unwrap().ended.unwrap();
    assert_eq!((ended.tokens, ended.codes), (1, 1));
    assert!(is_refused(&server, &frank).await);
}

async fn a_token_that_is_ended_alone_hands_its_sessions_to_its_successor(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, first) = control_plane(&server).await;
    let session = server.session(&first, "ws1", "bob").await.unwrap();
    let name = own_name(&server, &first).await;
    let short = make(&server, &first, "", 60).await;
    let next = make(&server, &first, "", 1_800).await;
    let alone = v1::RevokeTokenRequest { alone: true, ..revocation(&name) };
    let revoked = revoke(&server, &next.token, alone).await.unwrap();
    assert_eq!((revoked.revoked_tokens, revoked.revoked_sessions, revoked.moved_sessions), (1, 0, 1));
    assert_eq!(revoked.moved_to, next.info.name, "of two, the one that ends last");
    assert!(has_ended(&server, &first).await);
    for token in [&short.token, &next.token, &session.token] {
        assert!(!has_ended(&server, token).await);
    }
    assert_eq!(renew(&server, &session.token, "").await.unwrap().expire_time, next.info.expire_time);
    // The first one turns out to have been stolen: what it made ends.
    let revoked = revoke(&server, &server.operator, revocation(&name)).await.unwrap();
    assert_eq!((revoked.revoked_tokens, revoked.revoked_sessions), (2, 1));
    assert!(has_ended(&server, &session.token).await && has_ended(&server, &short.token).await);
}

async fn a_token_without_a_successor_takes_its_sessions_along(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, _) = control_plane(&server).await;
    server.program(&ann, ACME, "ci").await;
    let ci = make(&server, &ann, CI, DAY).await;
    let session = server.session(&ann, "", "").await.unwrap().token;
    let name = own_name(&server, &ann).await;
    let revoked = revoke(&server, &ann, v1::RevokeTokenRequest { alone: true, ..revocation(&name) }).await.unwrap();
    assert_eq!((revoked.revoked_sessions, revoked.moved_sessions, revoked.moved_to.as_str()), (1, 0, ""));
    assert!(has_ended(&server, &session).await && !has_ended(&server, &ci.token).await);
}

async fn whoever_created_a_session_renews_it_with_another_token(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (_, first) = control_plane(&server).await;
    let second = make(&server, &server.operator, SANDBOXD, 5_000).await;
    let taken = server.session(&first, "ws1", "bob").await.unwrap();
    let inner = server.access(&taken.token).create_session(v1::CreateSessionRequest::default()).await.unwrap();
    let left = server.session(&first, "ws1", "bob").await.unwrap();
    server.wait(Duration::from_secs(2_400));
    let renewed = renew(&server, &second.token, &taken.session.as_ref().unwrap().name).await.unwrap();
    assert_eq!(renewed.expire_time, second.info.expire_time, "in less than an hour");
    assert_eq!(renew(&server, &taken.token, "").await.unwrap().expire_time, second.info.expire_time);
    let name = own_name(&server, &first).await;
    let revoked = revoke(&server, &server.operator, revocation(&name)).await.unwrap();
    assert_eq!((revoked.revoked_tokens, revoked.revoked_sessions), (1, 1));
    assert!(!has_ended(&server, &taken.token).await && has_ended(&server, &left.token).await);
    let revoked = revoke(&server, &server.operator, revocation(&second.info.name)).await.unwrap();
    assert_eq!((revoked.revoked_tokens, revoked.revoked_sessions), (1, 2), "with the one that it created");
    assert!(has_ended(&server, &inner.into_inner().token).await);
}

async fn nobody_else_renews_a_session_of_others(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let (ann, plane) = control_plane(&server).await;
    let created = server.session(&plane, "ws1", "bob").await.unwrap();
    let name = created.session.unwrap().name;
    let bob = server.person(&ann, "acme", "carol").await;
    let other = server.program(&server.operator, "platform", "other").await;
    server.bind(&server.operator, "platform", "serviceAccounts/other", v1::Role::Delegate).await.unwrap();
    let missing = "organizations/acme/sessions/0b3f3f0e-3a55-4e55-8f5b-1d2a8c7b9e10";
    for token in [&ann, &bob, &other, &server.operator] {
        for name in [name.as_str(), missing] {
            assert_eq!(refusal(renew(&server, token, name).await).code, Code::PermissionDenied);
        }
    }
    // Nor the one who created it, once they may not create it any more.
    renew(&server, &plane, &name).await.unwrap();
    let bindings = server.whoami(&plane).await.unwrap().bindings;
    server.unbind(&server.operator, &bindings[0].name).await.unwrap();
    assert_eq!(refusal(renew(&server, &plane, &name).await).code, Code::PermissionDenied);
    server.bind(&server.operator, "platform", SANDBOXD, v1::Role::Delegate).await.unwrap();
    server.wait(Duration::from_secs(3_600));
    assert_eq!(refusal(renew(&server, &plane, &name).await).code, Code::NotFound);
}

/// Makes that many sessions, some at a time, and returns their tokens.
async fn sessions(server: &TestServer, plane: &str, count: usize) -> Vec<String> {
    const AT_ONCE: usize = 25;
    let (mut tokens, mut running) = (Vec::new(), JoinSet::new());
    for number in 0..count {
        if number >= AT_ONCE {
            tokens.push(running.join_next().await.unwrap().unwrap());
        }
        let mut access = server.access(plane);
        running.spawn(async move {
            let request = v1::CreateSessionRequest { context: Some(context("ws1", "bob")), ..Default::default() };
            access.create_session(request).await.unwrap().into_inner().token
        });
    }
    tokens.extend(running.join_all().await);
    tokens
}

async fn running(server: &TestServer, token: &str) -> i32 {
    let request = v1::ListSessionsRequest { parent: ACME.into(), page_size: 1, ..Default::default() };
    server.access(token).list_sessions(request).await.unwrap().into_inner().total_size
}

/// Makes the next token with the one before, which then ends.
async fn change(server: &TestServer, token: &str) -> (String, v1::RevokeTokenResponse) {
    let name = own_name(server, token).await;
    let next = make(server, token, "", DAY).await.token;
    let alone = v1::RevokeTokenRequest { alone: true, ..revocation(&name) };
    let revoked = revoke(server, &next, alone).await.unwrap();
    assert!(has_ended(server, token).await);
    (next, revoked)
}

async fn operator_admin_and_control_plane_change_their_tokens_while_sessions_run(database: &TestDatabase) {
    const SESSIONS: usize = 1_000;
    let server = TestServer::start(database).await;
    let (ann, plane) = control_plane(&server).await;
    let carol = server.person(&ann, "acme", "carol").await;
    server.bind(&ann, ACME, "organizations/acme/users/carol", v1::Role::Admin).await.unwrap();
    let tokens = sessions(&server, &plane, SESSIONS).await;
    assert_eq!(running(&server, &carol).await, 1_000);

    // The operator, who made the control plane's token, and the administrator, who invited bob.
    let (operator, revoked) = change(&server, &server.operator).await;
    assert_eq!((revoked.revoked_sessions, revoked.revoked_tokens), (0, 1));
    let (ann, revoked) = change(&server, &ann).await;
    assert_eq!((revoked.revoked_sessions, revoked.revoked_tokens), (0, 1));
    server.remove(&carol, "ann").await.unwrap();
    assert!(has_ended(&server, &ann).await);
    assert_eq!(running(&server, &carol).await, 1_000);

    // The control plane, whose sessions these are.
    let (plane, revoked) = change(&server, &plane).await;
    assert_eq!((revoked.revoked_sessions, revoked.moved_sessions), (0, 1_000));
    assert_eq!(running(&server, &carol).await, 1_000);
    for token in tokens.iter().step_by(250) {
        renew(&server, token, "").await.unwrap();
        server.whoami(token).await.unwrap();
    }

    // The operator leaves with all that he made for himself, and the last token of the control plane ends its sessions.
    let name = own_name(&server, &operator).await;
    let revoked = revoke(&server, &operator, revocation(&name)).await.unwrap();
    assert_eq!((revoked.revoked_sessions, revoked.revoked_tokens), (0, 1));
    assert_eq!(running(&server, &carol).await, 1_000);
    let name = own_name(&server, &plane).await;
    let preview = v1::RevokeTokenRequest { validate_only: true, ..revocation(&name) };
    assert_eq!(revoke(&server, &plane, preview).await.unwrap().revoked_sessions, 1_000);
    let revoked = revoke(&server, &plane, revocation(&name)).await.unwrap();
    assert_eq!((revoked.revoked_sessions, revoked.revoked_tokens), (1_000, 1));
    assert_eq!(running(&server, &carol).await, 0);
}
