//! The operator's way into an organization whose administrators are gone: late while one of them can sign in, seen by everybody, and
//! never to anybody's own secrets.

use std::time::Duration;

use secrets_proto::v1;
use tonic::{Code, Response, Status};

use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::people::{code, invitation};
use crate::wire::secrets::{ACME, BOB, creation};

on_both!(
    while_an_administrator_can_sign_in_the_code_works_after_72_hours,
    where_none_can_the_code_works_at_once,
    a_code_a_recovery_code_and_a_program_of_an_administrator_count,
    any_administrator_revokes_it_before_it_works,
    nobody_elses_own_secrets_survive_it,
    it_ends_nothing_until_it_is_redeemed,
    a_program_of_the_operator_deletes_no_administrator,
    every_member_is_told_for_30_days,
    inviting_on_and_on_does_not_hide_one_that_was_redeemed,
    only_the_operator_invites_and_only_administrators_refuse,
    the_next_one_takes_the_place_of_the_one_before,
    what_an_invitation_ended_is_said_to_both,
);

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

async fn invite(
    server: &TestServer,
    token: &str,
    user: &str,
    destroy: bool,
) -> Result<v1::InviteAdminResponse, Status> {
    let request = v1::InviteAdminRequest {
        parent: ACME.into(),
        user_id: user.into(),
        destroy_secrets: destroy,
        ..Default::default()
    };
    server.access(token).invite_admin(request).await.map(Response::into_inner)
}

async fn invited(server: &TestServer, user: &str) -> (String, v1::AdminInvitation) {
    let answer = invite(server, &server.operator, user, false).await.unwrap();
    (answer.invitation.unwrap().code, answer.admin_invitation.unwrap())
}

async fn refuse(server: &TestServer, token: &str, name: &str) -> Result<v1::AdminInvitation, Status> {
    let request = v1::RefuseAdminRequest { name: name.into(), ..Default::default() };
    let answer = server.access(token).refuse_admin(request).await.map(Response::into_inner);
    answer.map(|answer| answer.admin_invitation.unwrap())
}

async fn redeem(server: &TestServer, code: &str) -> Result<v1::RedeemInvitationResponse, Status> {
    server.access(code).redeem_invitation(v1::RedeemInvitationRequest::default()).await.map(Response::into_inner)
}

async fn is_admin(server: &TestServer, token: &str) -> bool {
    server.whoami(token).await.unwrap().bindings.iter().any(|binding| binding.role() == v1::Role::Admin)
}

fn wait(server: &TestServer, hours: u64) {
    server.wait(Duration::from_secs(hours * HOUR));
}

/// Ends a person's tokens and codes, as if they were lost.
async fn lose(server: &TestServer, token: &str) {
    let name = server.whoami(token).await.unwrap().credential;
    server.access(token).revoke_token(v1::RevokeTokenRequest { name, ..Default::default() }).await.unwrap();
}

async fn while_an_administrator_can_sign_in_the_code_works_after_72_hours(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let (code, invitation) = invited(&server, "olga").await;
    let seconds = |time: Option<prost_types::Timestamp>| time.unwrap().seconds;
    let created = seconds(invitation.create_time);
    assert_eq!(seconds(invitation.start_time) - created, 72 * 3_600);
    assert_eq!(seconds(invitation.expire_time) - created, 72 * 3_600 + 7 * 86_400);
    for hours in [0, 71] {
        wait(&server, hours);
        let refused = refusal(redeem(&server, &code).await);
        assert_eq!(refused.code, Code::Unauthenticated);
        assert!(refused.message.starts_with("the code can be redeemed from "), "{}", refused.message);
        assert_eq!(refused.metadata.keys().collect::<Vec<_>>(), ["start_time"]);
    }
    wait(&server, 1);
    let olga = redeem(&server, &code).await.unwrap();
    assert_eq!(olga.ended, None);
    assert!(is_admin(&server, &olga.token).await && is_admin(&server, &ann).await);
    assert_eq!(refusal(redeem(&server, &code).await).code, Code::Unauthenticated);
    // She receives what is shared, as every administrator may give herself.
    server.secrets(&olga.token).create_secret(creation(ACME, "SHARED", "1")).await.unwrap();
}

async fn where_none_can_the_code_works_at_once(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.secrets(&ann).create_secret(creation(ACME, "SHARED", "shared-1")).await.unwrap();
    let bob = server.person(&ann, "acme", "bob").await;
    // A session of hers is none to sign in with, and bob is no administrator.
    server.session(&ann, "", "").await.unwrap();
    lose(&server, &ann).await;
    let (code, invitation) = invited(&server, "olga").await;
    assert_eq!(invitation.start_time, None);
    let olga = redeem(&server, &code).await.unwrap().token;
    assert!(is_admin(&server, &olga).await && !is_admin(&server, &bob).await);
    let resolve = v1::ResolveRequest { context: Some(context("", "")), ..Default::default() };
    let set = server.resolver(&olga).resolve(resolve).await.unwrap().into_inner();
    assert_eq!(set.secrets[0].value, b"shared-1");
}

async fn a_code_a_recovery_code_and_a_program_of_an_administrator_count(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let delayed = async || invited(&server, "olga").await.1.start_time.is_some();
    // Nobody has come yet, and whoever was invited may.
    server.invited_admin(&server.operator, "acme").await;
    assert!(delayed().await);
    server.wait(Duration::from_secs(8 * DAY));
    assert!(!delayed().await, "her code has expired");

    let (code, _) = invited(&server, "olga").await;
    let olga = redeem(&server, &code).await.unwrap().token;
    let recovery = v1::CreateRecoveryCodesRequest::default();
    let recovery = server.access(&olga).create_recovery_codes(recovery).await.unwrap().into_inner().codes;
    let bot = server.program(&olga, ACME, "bot").await;
    server.bind(&olga, ACME, "organizations/acme/serviceAccounts/bot", v1::Role::Admin).await.unwrap();
    lose(&server, &olga).await;
    assert!(delayed().await, "she has recovery codes");
    let request = v1::RedeemRecoveryCodeRequest::default();
    let back = server.access(&recovery[0]).redeem_recovery_code(request).await.unwrap().into_inner().token;
    let again = v1::CreateInvitationRequest {
        parent: ACME.into(),
        user_id: "olga".into(),
        ttl: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
        ..Default::default()
    };
    server.access(&back).create_invitation(again).await.unwrap();
    server.wait(Duration::from_secs(60));
    let (_, one) = invited(&server, "otto").await;
    assert!(one.start_time.is_some(), "a program administers, and can invite");
    lose(&server, &bot).await;
    let (_, last) = invited(&server, "otto").await;
    assert_eq!(last.start_time, None);
}

async fn any_administrator_revokes_it_before_it_works(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let (code, invitation) = invited(&server, "olga").await;
    let refused = refuse(&server, &ann, &invitation.name).await.unwrap();
    assert!(refused.revoke_time.is_some() && refused.redeem_time.is_none());
    wait(&server, 72);
    assert_eq!(refusal(redeem(&server, &code).await).code, Code::Unauthenticated);
    // So does deleting the invited, and inviting them as everybody else.
    let (code, _) = invited(&server, "olga").await;
    server.remove(&ann, "olga").await.unwrap();
    wait(&server, 72);
    assert_eq!(refusal(redeem(&server, &code).await).code, Code::Unauthenticated);
    let (code, _) = invited(&server, "olga").await;
    let olga = server.person(&ann, "acme", "olga").await;
    wait(&server, 72);
    assert_eq!(refusal(redeem(&server, &code).await).code, Code::Unauthenticated);
    assert!(!is_admin(&server, &olga).await);
    // Too late for one that was redeemed.
    let (code, invitation) = invited(&server, "otto").await;
    wait(&server, 72);
    let otto = redeem(&server, &code).await.unwrap().token;
    let late = refuse(&server, &ann, &invitation.name).await.unwrap();
    assert!(late.redeem_time.is_some() && late.revoke_time.is_none() && is_admin(&server, &otto).await);
}

async fn nobody_elses_own_secrets_survive_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.secrets(&bob).create_secret(creation(BOB, "OWN", "bobs-1")).await.unwrap();
    lose(&server, &ann).await;
    assert_eq!(refusal(invite(&server, &server.operator, "bob", false).await).reason, "USER_HAS_SECRETS");
    let answer = invite(&server, &server.operator, "bob", true).await.unwrap();
    let code = answer.invitation.unwrap().code;
    // What he stores meanwhile is his too.
    server.secrets(&bob).create_secret(creation(BOB, "LATER", "bobs-2")).await.unwrap();
    let came = redeem(&server, &code).await.unwrap();
    assert_eq!(came.ended.unwrap().destroyed_secrets, 2);
    let own = v1::ListSecretsRequest { parent: BOB.into(), show_deleted: true, ..Default::default() };
    assert!(server.secrets(&came.token).list_secrets(own).await.unwrap().into_inner().secrets.is_empty());
    assert_eq!(refusal(server.whoami(&bob).await).code, Code::Unauthenticated);
    // Nor does he get what others have.
    let carol = server.person(&came.token, "acme", "carol").await;
    let hers = "organizations/acme/users/carol";
    server.secrets(&carol).create_secret(creation(hers, "OWN", "carols-1")).await.unwrap();
    let own = v1::ListSecretsRequest { parent: hers.into(), ..Default::default() };
    assert_eq!(refusal(server.secrets(&came.token).list_secrets(own).await).code, Code::PermissionDenied);
    assert_eq!(refusal(server.session(&came.token, "", "carol").await).code, Code::PermissionDenied);
}

async fn it_ends_nothing_until_it_is_redeemed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    // Whoever invites the only administrator could otherwise sign them out, and invite another one at once.
    invited(&server, "ann").await;
    assert!(is_admin(&server, &ann).await);
    let (_, next) = invited(&server, "olga").await;
    assert!(next.start_time.is_some());
    assert!(is_admin(&server, &ann).await);
}

async fn every_member_is_told_for_30_days(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let rival = server.organization("rival").await;
    let told = async |token: &str| {
        let get = v1::GetOrganizationRequest { name: ACME.into() };
        let shown = server.directory(token).get_organization(get).await.unwrap().into_inner().organization.unwrap();
        let me = server.whoami(token).await.unwrap().admin_invitations;
        assert_eq!(me, shown.admin_invitations);
        me
    };
    assert!(told(&ann).await.is_empty() && told(&bob).await.is_empty());
    let (code, invitation) = invited(&server, "olga").await;
    assert_eq!(told(&bob).await, std::slice::from_ref(&invitation));
    assert_eq!(invitation.user, "organizations/acme/users/olga");
    assert!(server.whoami(&rival).await.unwrap().admin_invitations.is_empty());
    wait(&server, 72);
    redeem(&server, &code).await.unwrap();
    let after = told(&ann).await;
    assert!(after.len() == 1 && after[0].redeem_time.is_some() && after[0].name == invitation.name, "{after:?}");
    // For 30 days from what happened last, also when she has gone again.
    server.remove(&ann, "olga").await.unwrap();
    server.wait(Duration::from_secs(29 * DAY));
    server.app.jobs.purge().await.unwrap();
    assert_eq!(told(&bob).await.len(), 1);
    assert_eq!(told(&bob).await[0].user, "organizations/acme/users/olga");
    server.wait(Duration::from_secs(DAY + 1));
    assert!(told(&bob).await.is_empty() && told(&ann).await.is_empty());
}

async fn inviting_on_and_on_does_not_hide_one_that_was_redeemed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let (code, redeemed) = invited(&server, "olga").await;
    wait(&server, 72);
    redeem(&server, &code).await.unwrap();
    for _ in 0..30 {
        server.wait(Duration::from_secs(1));
        let (_, next) = invited(&server, "otto").await;
        refuse(&server, &ann, &next.name).await.unwrap();
    }
    server.wait(Duration::from_secs(1));
    let (_, open) = invited(&server, "otto").await;
    let told = server.whoami(&ann).await.unwrap().admin_invitations;
    assert_eq!(told.first(), Some(&open));
    let last = told.last().unwrap();
    assert!(last.name == redeemed.name && last.redeem_time.is_some(), "{told:?}");
    assert_eq!(told.len(), 21, "a bound on all others");
}

async fn only_the_operator_invites_and_only_administrators_refuse(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let rival = server.organization("rival").await;
    for token in [&ann, &bob, &rival] {
        assert_eq!(refusal(invite(&server, token, "olga", false).await).code, Code::PermissionDenied);
    }
    let (_, invitation) = invited(&server, "olga").await;
    for token in [&bob, &rival] {
        assert_eq!(refusal(refuse(&server, token, &invitation.name).await).code, Code::PermissionDenied);
    }
    // Nothing else is an invitation of an administrator: neither a token nor another code.
    let own = server.whoami(&bob).await.unwrap().credential.replace("/tokens/", "/adminInvitations/");
    assert_eq!(refusal(refuse(&server, &ann, &own).await).code, Code::NotFound);
    server.whoami(&bob).await.unwrap();
    refuse(&server, &server.operator, &invitation.name).await.unwrap();
    let missing =
        v1::InviteAdminRequest { parent: "organizations/none".into(), user_id: "x".into(), ..Default::default() };
    assert!(server.access(&server.operator).invite_admin(missing).await.is_err());
}

async fn the_next_one_takes_the_place_of_the_one_before(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    server.organization("acme").await;
    let (first, _) = invited(&server, "olga").await;
    let (second, _) = invited(&server, "otto").await;
    wait(&server, 72);
    assert_eq!(refusal(redeem(&server, &first).await).code, Code::Unauthenticated);
    redeem(&server, &second).await.unwrap();
}

async fn what_an_invitation_ended_is_said_to_both(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let first =
        server.access(&ann).create_invitation(invitation("bob")).await.unwrap().into_inner().invitation.unwrap();
    assert_eq!(first.ended, None);
    let came = redeem(&server, &first.code).await.unwrap();
    assert_eq!(came.ended, None);
    let bob = came.token;
    server.access(&bob).create_recovery_codes(v1::CreateRecoveryCodesRequest::default()).await.unwrap();
    server.access(&bob).create_sign_in_code(v1::CreateSignInCodeRequest::default()).await.unwrap();
    server.session(&bob, "", "").await.unwrap();
    server.secrets(&bob).create_secret(creation(BOB, "OWN", "lin_1")).await.unwrap();
    server.workspace(&ann, "ws1", "", "").await.unwrap();
    server.bind(&ann, "organizations/acme/workspaces/ws1", BOB, v1::Role::Member).await.unwrap();
    let again = v1::CreateInvitationRequest { destroy_secrets: true, ..invitation("bob") };
    let again = server.access(&ann).create_invitation(again).await.unwrap().into_inner().invitation.unwrap();
    let ended = v1::InvitationEffects {
        tokens: 1,
        sessions: 1,
        recovery_codes: 8,
        codes: 1,
        destroyed_secrets: 1,
        left_workspaces: 1,
    };
    assert_eq!(again.ended, Some(ended));
    assert_eq!(redeem(&server, &again.code).await.unwrap().ended, Some(ended));
    // A code that was never redeemed is all that this one ends.
    code(&server, &ann, invitation("carol")).await;
    let carol = server.access(&ann).create_invitation(invitation("carol")).await.unwrap().into_inner().invitation;
    assert_eq!(carol.unwrap().ended, Some(v1::InvitationEffects { codes: 1, ..Default::default() }));
}

async fn a_program_of_the_operator_deletes_no_administrator(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.person(&ann, "acme", "carol").await;
    server.bind(&ann, ACME, BOB, v1::Role::Admin).await.unwrap();
    lose(&server, &bob).await;
    // With ann gone, bob would be the only administrator, who can't sign in: the operator could invite another one at once.
    let plane = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Provisioner).await.unwrap();
    assert_eq!(refusal(server.remove(&plane, "ann").await).code, Code::PermissionDenied);
    assert_eq!(refusal(server.remove(&plane, "bob").await).code, Code::PermissionDenied);
    server.remove(&plane, "carol").await.unwrap();
    assert!(invited(&server, "olga").await.1.start_time.is_some());
    server.remove(&ann, "bob").await.unwrap();
}
