//! People come by invitation, and leave with all that speaks for them.

use std::time::Duration;

use secrets_proto::v1;
use tonic::{Code, Response, Status};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_code_is_redeemed_once,
    a_code_can_only_be_redeemed,
    a_code_expires_and_its_lifetime_is_limited,
    a_code_redeemed_by_two_at_once_gives_one_token,
    inviting_again_ends_what_the_user_had,
    only_an_administrator_invites,
    a_deleted_user_loses_access_at_once,
    the_last_administrator_is_neither_deleted_nor_demoted,
    one_of_two_administrators_who_delete_each_other_remains,
    a_user_invited_again_is_a_member_again,
    bad_tokens_are_refused_alike,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

pub fn invitation(user: &str) -> v1::CreateInvitationRequest {
    v1::CreateInvitationRequest { parent: "organizations/acme".into(), user_id: user.into(), ..Default::default() }
}

pub async fn code(server: &TestServer, admin: &str, request: v1::CreateInvitationRequest) -> String {
    server.access(admin).create_invitation(request).await.unwrap().into_inner().invitation.unwrap().code
}

/// Redeems a code, or whatever else is presented in its place.
async fn redeem(server: &TestServer, code: &str) -> Result<v1::RedeemInvitationResponse, Status> {
    let request = v1::RedeemInvitationRequest::default();
    server.access(code).redeem_invitation(request).await.map(Response::into_inner)
}

async fn a_code_is_redeemed_once(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let code = code(&server, &ann, invitation("bob")).await;
    let request = v1::RedeemInvitationRequest { display_name: "laptop".into(), ..Default::default() };
    let redeemed = server.access(&code).redeem_invitation(request).await.unwrap().into_inner();
    assert!(redeemed.token.starts_with("sper_"));
    assert_eq!(redeemed.user, "organizations/acme/users/bob");
    let metadata = redeemed.token_info.unwrap();
    assert_eq!(
        (metadata.display_name.as_str(), metadata.principal.as_str()),
        ("laptop", "organizations/acme/users/bob")
    );
    let whoami = server.whoami(&redeemed.token).await.unwrap();
    assert_eq!((whoami.principal.as_str(), &whoami.credential), ("organizations/acme/users/bob", &metadata.name));
    assert_eq!(whoami.bindings.iter().map(v1::Binding::role).collect::<Vec<_>>(), [v1::Role::Member]);
    assert_eq!(whoami.kind(), v1::PrincipalKind::User);
    let again = refusal(redeem(&server, &code).await);
    assert_eq!((again.code, again.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
}

async fn a_code_can_only_be_redeemed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let code = code(&server, &ann, invitation("bob")).await;
    assert_eq!(refusal(server.whoami(&code).await).code, Code::Unauthenticated);
    // Nor does a token serve as a code.
    let refused = refusal(redeem(&server, &ann).await);
    assert_eq!(refused.code, Code::Unauthenticated);
    assert!(refused.message.contains("sinv_"), "{}", refused.message);
    server.redeem(&code).await;
}

async fn a_code_expires_and_its_lifetime_is_limited(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let short = code(&server, &ann, v1::CreateInvitationRequest { ttl: seconds(60), ..invitation("bob") }).await;
    let default = code(&server, &ann, invitation("carol")).await;
    server.wait(Duration::from_secs(60));
    assert_eq!(refusal(redeem(&server, &short).await).code, Code::Unauthenticated);
    server.wait(6 * DAY);
    server.redeem(&default).await;
    for ttl in [0, -1, 30 * 86_400 + 1] {
        let request = v1::CreateInvitationRequest { ttl: seconds(ttl), ..invitation("dave") };
        let refused = refusal(server.access(&ann).create_invitation(request).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["ttl".to_owned()]), "{ttl}");
    }
    let open = code(&server, &ann, invitation("eve")).await;
    let long = v1::RedeemInvitationRequest { ttl: seconds(366 * 86_400), ..Default::default() };
    assert_eq!(refusal(server.access(&open).redeem_invitation(long).await).fields, ["ttl"]);
    server.redeem(&open).await;
}

async fn a_code_redeemed_by_two_at_once_gives_one_token(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    for round in 0..4 {
        let code = code(&server, &ann, invitation(&format!("bob{round}"))).await;
        let (first, second) = tokio::join!(redeem(&server, &code), redeem(&server, &code));
        assert!(first.is_ok() != second.is_ok(), "exactly one");
    }
}

async fn inviting_again_ends_what_the_user_had(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let first = code(&server, &ann, invitation("bob")).await;
    let second = code(&server, &ann, invitation("bob")).await;
    assert_eq!(refusal(redeem(&server, &first).await).code, Code::Unauthenticated);
    let bob = server.redeem(&second).await;
    let session = server.session(&bob, "", "").await.unwrap().token;
    let third = code(&server, &ann, invitation("bob")).await;
    for token in [&bob, &session] {
        assert_eq!(refusal(server.whoami(token).await).code, Code::Unauthenticated);
    }
    server.redeem(&third).await;
}

async fn only_an_administrator_invites(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    for token in [&bob, &server.operator] {
        for user in ["carol", "bob"] {
            let denied = refusal(server.access(token).create_invitation(invitation(user)).await);
            assert_eq!(denied.code, Code::PermissionDenied);
        }
    }
}

async fn a_deleted_user_loses_access_at_once(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let session = server.session(&bob, "", "").await.unwrap().token;
    let sandboxd = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    let on_behalf = server.session(&sandboxd, "", "bob").await.unwrap().token;
    let open = code(&server, &ann, invitation("carol")).await;
    server.remove(&ann, "bob").await.unwrap();
    server.remove(&ann, "carol").await.unwrap();
    for token in [&bob, &session, &on_behalf] {
        let out = refusal(server.whoami(token).await);
        assert_eq!((out.code, out.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    }
    assert_eq!(refusal(redeem(&server, &open).await).code, Code::Unauthenticated);
    assert_eq!(refusal(server.remove(&ann, "bob").await).code, Code::NotFound);
}

async fn the_last_administrator_is_neither_deleted_nor_demoted(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let own = server.whoami(&ann).await.unwrap().bindings;
    assert_eq!(own.len(), 1);
    for result in [server.unbind(&ann, &own[0].name).await, server.remove(&ann, "ann").await] {
        let refused = refusal(result);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "LAST_ADMIN"));
    }
    // A program that administers is nobody who could log in.
    server.program(&ann, "organizations/acme", "ci").await;
    let ci = "organizations/acme/serviceAccounts/ci";
    server.bind(&ann, "organizations/acme", ci, v1::Role::Admin).await.unwrap();
    assert_eq!(refusal(server.remove(&ann, "ann").await).reason, "LAST_ADMIN");
    server.bind(&ann, "organizations/acme", "organizations/acme/users/bob", v1::Role::Admin).await.unwrap();
    server.remove(&ann, "ann").await.unwrap();
    assert_eq!(refusal(server.remove(&bob, "bob").await).reason, "LAST_ADMIN");
}

async fn one_of_two_administrators_who_delete_each_other_remains(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    for round in 0..4 {
        let organization = format!("acme{round}");
        let ann = server.organization(&organization).await;
        let bob = server.person(&ann, &organization, "bob").await;
        let parent = format!("organizations/{organization}");
        server.bind(&ann, &parent, &format!("{parent}/users/bob"), v1::Role::Admin).await.unwrap();
        let delete = |user| v1::DeleteUserRequest { name: format!("{parent}/users/{user}"), ..Default::default() };
        let (mut as_ann, mut as_bob) = (server.directory(&ann), server.directory(&bob));
        let (first, second) = tokio::join!(as_ann.delete_user(delete("bob")), as_bob.delete_user(delete("ann")));
        assert!(first.is_ok() != second.is_ok(), "exactly one is removed: {first:?} {second:?}");
    }
}

async fn a_user_invited_again_is_a_member_again(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let membership = server.whoami(&bob).await.unwrap().bindings.remove(0);
    server.unbind(&ann, &membership.name).await.unwrap();
    assert_eq!(refusal(server.session(&bob, "", "").await).code, Code::PermissionDenied);
    let anew = server.person(&ann, "acme", "bob").await;
    server.session(&anew, "", "").await.unwrap();
    // And whoever administers stays what they are.
    let own = code(&server, &ann, invitation("ann")).await;
    let ann = server.redeem(&own).await;
    let roles = server.whoami(&ann).await.unwrap().bindings.iter().map(v1::Binding::role).collect::<Vec<_>>();
    assert_eq!(roles, [v1::Role::Admin]);
}

async fn bad_tokens_are_refused_alike(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let other_end = if ann.ends_with('0') { "1" } else { "0" };
    let typo = format!("{}{other_end}", &ann[..ann.len() - 1]);
    for token in ["x", "sper_", typo.as_str(), &format!("{ann}0"), &ann.replace("sper", "sabc")] {
        let refused = refusal(server.whoami(token).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"), "{token}");
        assert!(!refused.message.contains(&ann[5..20]), "{}", refused.message);
    }
    server.wait(91 * DAY);
    let expired = refusal(server.whoami(&ann).await);
    assert_eq!(expired.code, Code::Unauthenticated);
}
