//! Recovery codes: only their person makes them, uses them and knows of them.

use std::collections::BTreeSet;
use std::time::Duration;

use secrets_core::CredentialKind;
use secrets_proto::v1;
use tonic::Code;

use super::{
    DAY, assert_sign_in_required, assert_unauthenticated, come, credential_of, days, machine_code, own_token, recover,
    recovery_codes, revoke, serves, stored,
};
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::people::{code, invitation};
use crate::wire::secrets::{BOB, creation};

on_both!(
    a_recovery_code_signs_in_anew_and_keeps_the_persons_own_secrets,
    a_recovery_code_ends_what_else_the_person_has_unless_told,
    a_recovery_code_is_redeemed_once_also_by_two_at_once,
    only_whoever_has_just_entered_a_code_creates_recovery_codes,
    ten_minutes_after_a_code_was_entered_its_token_creates_none,
    a_new_set_ends_the_old_one_and_no_sign_in,
    recovery_codes_outlive_the_token_that_created_them,
    inviting_again_and_deleting_end_recovery_codes,
    two_new_sets_at_once_leave_one,
    a_recovery_at_the_same_time_as_an_invitation_does_not_survive_it,
    nobody_else_sees_or_ends_them,
    a_use_is_announced_for_14_days,
    wrong_codes_are_refused_alike,
    a_repeat_shows_no_codes,
    a_use_is_audited_and_no_code_is,
);

async fn a_recovery_code_signs_in_anew_and_keeps_the_persons_own_secrets(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    server.secrets(&bob).create_secret(creation(BOB, "OWN", "lin_1")).await.unwrap();
    let created = recovery_codes(&server, &bob).await.unwrap();
    let distinct: BTreeSet<_> = created.codes.iter().collect();
    assert!(distinct.len() == 8 && created.codes.iter().all(|code| code.starts_with("srec_") && code.len() == 54));
    let set = server.whoami(&bob).await.unwrap().recovery_codes;
    assert_eq!((set.as_ref().unwrap().remaining, &set), (8, &created.recovery_codes));
    assert_eq!(set.unwrap().creator, credential_of(&server, &bob).await);

    server.wait(Duration::from_secs(100 * DAY.unsigned_abs()));
    assert!(!serves(&server, &bob).await, "it was not used for longer than 90 days");
    let recovered = recover(&server, &created.codes[3], false).await.unwrap();
    assert_eq!((recovered.user.as_str(), recovered.remaining_recovery_codes), (BOB, 7));
    let info = recovered.token_info.unwrap();
    assert_eq!(
        (info.origin(), info.creator.as_str(), info.address.as_str()),
        (v1::TokenOrigin::Recovery, "", "127.0.0.1")
    );
    assert_eq!((days(&server, info.expire_time), days(&server, info.sign_in_end_time)), (90, 365));
    let resolve = v1::ResolveRequest { context: Some(context("", "")), ..Default::default() };
    let set = server.resolver(&recovered.token).resolve(resolve).await.unwrap().into_inner();
    assert_eq!(set.secrets[0].value, b"lin_1");
    let me = server.whoami(&recovered.token).await.unwrap();
    assert_eq!((me.recovery_codes.unwrap().remaining, me.credential), (7, info.name));
    assert!(me.recovery_time.is_some());
}

async fn a_recovery_code_ends_what_else_the_person_has_unless_told(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let codes = recovery_codes(&server, &bob).await.unwrap().codes;
    let session = server.session(&bob, "", "").await.unwrap().token;
    let own = own_token(&server, &bob, false).await;
    let pending = machine_code(&server, &bob).await.unwrap().code;
    let machine = come(&server, &machine_code(&server, &bob).await.unwrap().code, None).await.unwrap().token;
    let kept = recover(&server, &codes[0], true).await.unwrap();
    assert_eq!((kept.revoked_tokens, kept.revoked_sessions), (0, 0));
    for token in [&bob, &session, &own, &machine, &kept.token] {
        assert!(serves(&server, token).await);
    }
    let ended = recover(&server, &codes[1], false).await.unwrap();
    assert_eq!((ended.revoked_tokens, ended.revoked_sessions, ended.remaining_recovery_codes), (5, 1, 6));
    for token in [&bob, &session, &own, &machine, &kept.token] {
        assert!(!serves(&server, token).await);
    }
    assert_unauthenticated(come(&server, &pending, None).await);
    // Others have what they had.
    assert!(serves(&server, &ann).await && serves(&server, &ended.token).await);
}

async fn a_recovery_code_is_redeemed_once_also_by_two_at_once(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let codes = recovery_codes(&server, &ann).await.unwrap().codes;
    for code in &codes[..4] {
        let (first, second) = tokio::join!(recover(&server, code, true), recover(&server, code, true));
        assert!(first.is_ok() != second.is_ok(), "exactly one");
        let again = assert_unauthenticated(recover(&server, code, true).await);
        assert!(again.message.contains("was redeemed or revoked"), "{}", again.message);
    }
    assert_eq!(server.whoami(&ann).await.unwrap().recovery_codes.unwrap().remaining, 4);
}

async fn only_whoever_has_just_entered_a_code_creates_recovery_codes(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let codes = recovery_codes(&server, &bob).await.unwrap().codes;
    // A token that was stolen makes these in vain: whoever has it could stay for ever.
    let machine = come(&server, &machine_code(&server, &bob).await.unwrap().code, None).await.unwrap().token;
    for token in [own_token(&server, &bob, false).await, own_token(&server, &bob, true).await, machine] {
        assert_sign_in_required(recovery_codes(&server, &token).await);
    }
    let session = server.session(&bob, "", "").await.unwrap().token;
    let ci = server.program(&ann, "organizations/acme", "ci").await;
    for token in [&session, &ci, &server.operator] {
        assert_eq!(refusal(recovery_codes(&server, token).await).code, Code::PermissionDenied);
    }
    // A code is no token.
    assert_unauthenticated(recovery_codes(&server, &codes[0]).await);
    // A recovery code is one that was entered.
    let recovered = recover(&server, &codes[0], false).await.unwrap();
    let next = recovery_codes(&server, &recovered.token).await.unwrap();
    assert_eq!((next.codes.len(), next.revoked_recovery_codes), (8, 7));
}

async fn ten_minutes_after_a_code_was_entered_its_token_creates_none(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    server.wait(Duration::from_secs(599));
    let first = recovery_codes(&server, &ann).await.unwrap();
    server.wait(Duration::from_secs(1));
    assert_sign_in_required(recovery_codes(&server, &ann).await);
    assert_eq!(server.whoami(&ann).await.unwrap().recovery_codes, first.recovery_codes, "the set is as it was");
}

async fn a_new_set_ends_the_old_one_and_no_sign_in(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let old = recovery_codes(&server, &ann).await.unwrap().codes;
    let recovered = recover(&server, &old[0], true).await.unwrap().token;
    let new = recovery_codes(&server, &ann).await.unwrap();
    assert_eq!(new.revoked_recovery_codes, 7);
    assert!(serves(&server, &recovered).await, "what a code of the old set was redeemed for goes on");
    for code in &old {
        assert_unauthenticated(recover(&server, code, true).await);
    }
    assert_eq!(stored(&server, "acme", CredentialKind::RecoveryCode).await.len(), 8);
    recover(&server, &new.codes[0], true).await.unwrap();
    // What ended is purged with what has expired, and what is left is not.
    server.wait(Duration::from_secs(31 * DAY.unsigned_abs()));
    assert_eq!(
        server.app.jobs.purge().await.unwrap(),
        8 + 1 + 1,
        "the old set, the code that was used, the invitation"
    );
    assert_eq!(stored(&server, "acme", CredentialKind::RecoveryCode).await.len(), 7);
}

async fn recovery_codes_outlive_the_token_that_created_them(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let codes = recovery_codes(&server, &ann).await.unwrap().codes;
    let name = credential_of(&server, &ann).await;
    let revoked = revoke(&server, &ann, &name, false).await;
    assert_eq!((revoked.revoked_tokens, revoked.total_service_tokens), (1, 0), "a recovery code is no service token");
    assert!(!serves(&server, &ann).await);
    let ann = recover(&server, &codes[7], false).await.unwrap().token;
    assert_eq!(server.whoami(&ann).await.unwrap().recovery_codes.unwrap().creator, name);
}

async fn inviting_again_and_deleting_end_recovery_codes(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut ended = Vec::new();
    let bob = server.person(&ann, "acme", "bob").await;
    ended.extend(recovery_codes(&server, &bob).await.unwrap().codes);
    // The administrator could redeem the new code, and finds nothing behind it.
    server.secrets(&bob).create_secret(creation(BOB, "OWN", "lin_1")).await.unwrap();
    let again = v1::CreateInvitationRequest { destroy_secrets: true, ..invitation("bob") };
    let bob = server.redeem(&code(&server, &ann, again).await).await;
    let own = v1::ListSecretsRequest { parent: BOB.into(), show_deleted: true, ..Default::default() };
    assert!(server.secrets(&bob).list_secrets(own).await.unwrap().into_inner().secrets.is_empty());
    assert_eq!(server.whoami(&bob).await.unwrap().recovery_codes, None);
    let carol = server.person(&ann, "acme", "carol").await;
    ended.extend(recovery_codes(&server, &carol).await.unwrap().codes);
    server.remove(&ann, "carol").await.unwrap();
    // Somebody else under the same identifier has none of them.
    let carol = server.person(&ann, "acme", "carol").await;
    assert_eq!(server.whoami(&carol).await.unwrap().recovery_codes, None);
    let kept = recovery_codes(&server, &carol).await.unwrap().codes;
    for code in ended.iter().step_by(5) {
        assert_unauthenticated(recover(&server, code, false).await);
    }
    let delete = v1::DeleteOrganizationRequest { name: "organizations/acme".into(), ..Default::default() };
    server.directory(&server.operator).delete_organization(delete).await.unwrap();
    assert_unauthenticated(recover(&server, &kept[0], false).await);
}

async fn nobody_else_sees_or_ends_them(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    recovery_codes(&server, &bob).await.unwrap();
    assert_eq!(server.whoami(&ann).await.unwrap().recovery_codes, None);
    let session = server.session(&bob, "", "").await.unwrap().token;
    assert_eq!(server.whoami(&session).await.unwrap().recovery_codes, None);
    let list = v1::ListTokensRequest { principal: BOB.into(), ..Default::default() };
    let list = server.access(&ann).list_tokens(list).await.unwrap().into_inner();
    assert_eq!((list.tokens.len(), list.total_size), (1, 1));
    for row in stored(&server, "acme", CredentialKind::RecoveryCode).await {
        for name in
            [format!("organizations/acme/tokens/{}", row.uid), format!("organizations/acme/sessions/{}", row.uid)]
        {
            let request = v1::RevokeTokenRequest { name: name.clone(), ..Default::default() };
            let refused = match name.contains("tokens") {
                true => refusal(server.access(&ann).revoke_token(request).await),
                false => {
                    let request = v1::RevokeSessionRequest { name, ..Default::default() };
                    refusal(server.access(&ann).revoke_session(request).await)
                }
            };
            assert_eq!(refused.code, Code::NotFound);
        }
    }
    assert_eq!(server.whoami(&bob).await.unwrap().recovery_codes.unwrap().remaining, 8);
}

async fn a_use_is_announced_for_14_days(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let notice = async |token: &str| {
        let answer = server.access(token).who_am_i(v1::WhoAmIRequest {}).await.unwrap();
        answer.metadata().get("x-recovery").map(|time| time.to_str().unwrap().to_owned())
    };
    let codes = recovery_codes(&server, &bob).await.unwrap().codes;
    assert_eq!(notice(&bob).await, None);
    let recovered = recover(&server, &codes[0], true).await.unwrap().token;
    let time = server.whoami(&recovered).await.unwrap().recovery_time.unwrap();
    let time = Some(prost_types::Timestamp { nanos: 0, ..time }.to_string());
    // Also to whoever had a token before: it may have been somebody else.
    assert_eq!((notice(&bob).await, notice(&recovered).await, notice(&ann).await), (time.clone(), time.clone(), None));
    let later = own_token(&server, &bob, false).await;
    assert_eq!(notice(&later).await, time);
    server.wait(Duration::from_secs(14 * DAY.unsigned_abs() - 1));
    assert_eq!(notice(&bob).await, time);
    server.wait(Duration::from_secs(2));
    assert_eq!((notice(&bob).await, notice(&recovered).await), (None, None));
}

async fn wrong_codes_are_refused_alike(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let codes = recovery_codes(&server, &ann).await.unwrap().codes;
    let invited = code(&server, &ann, invitation("bob")).await;
    let machine = machine_code(&server, &ann).await.unwrap().code;
    // Well-formed, and nobody's.
    let unknown = "003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf";
    let recovery = recover(&server, &format!("srec_{unknown}3mYEfm"), false).await.map(drop);
    let another_machine = come(&server, &format!("slgn_{unknown}0Xrn9U"), None).await.map(drop);
    for refused in [recovery, another_machine] {
        let refused = assert_unauthenticated(refused);
        assert_eq!((refused.message.as_str(), refused.metadata.len()), ("the credential is unknown", 0));
    }
    for wrong in [&ann, &invited, &machine] {
        assert_unauthenticated(recover(&server, wrong, false).await);
    }
    for wrong in [&ann, &invited, &codes[0]] {
        assert_unauthenticated(come(&server, wrong, None).await);
    }
    for wrong in [&ann, &machine, &codes[0]] {
        let request = v1::RedeemInvitationRequest::default();
        assert_unauthenticated(server.access(wrong).redeem_invitation(request).await);
    }
    for wrong in [&machine, &codes[0], &invited] {
        let refused = assert_unauthenticated(server.whoami(wrong).await);
        assert!(refused.message.contains("a code can only be redeemed"), "{}", refused.message);
    }
    // None of this has used one up.
    server.redeem(&invited).await;
    come(&server, &machine, None).await.unwrap();
    recover(&server, &codes[0], true).await.unwrap();
}

async fn a_repeat_shows_no_codes(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let request = v1::CreateRecoveryCodesRequest { request_id: "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11".into() };
    let first = server.access(&ann).create_recovery_codes(request.clone()).await.unwrap().into_inner();
    server.wait(Duration::from_secs(3_600));
    let again = server.access(&ann).create_recovery_codes(request).await.unwrap().into_inner();
    assert_eq!((again.codes.len(), again.recovery_codes), (0, first.recovery_codes));
    recover(&server, &first.codes[0], true).await.unwrap();
}

async fn a_use_is_audited_and_no_code_is(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let codes = recovery_codes(&server, &bob).await.unwrap().codes;
    let recovered = recover(&server, &codes[0], false).await.unwrap();
    let list = v1::ListAuditEventsRequest { parent: "organizations/acme".into(), ..Default::default() };
    let events = server.audit(&ann).list_audit_events(list).await.unwrap().into_inner().events;
    let event = |method: &str| events.iter().find(|event| event.action.ends_with(method)).unwrap();
    let used = event("/RedeemRecoveryCode");
    assert_eq!((used.principal.as_str(), &used.resource), (BOB, &recovered.token_info.unwrap().name));
    assert_eq!((used.outcome(), event("/CreateRecoveryCodes").principal.as_str()), (v1::AuditOutcome::Allowed, BOB));
    let text = format!("{events:?}");
    assert!(codes.iter().all(|code| !text.contains(code.as_str())));
}

async fn two_new_sets_at_once_leave_one(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    for _ in 0..3 {
        let (first, second) = tokio::join!(recovery_codes(&server, &ann), recovery_codes(&server, &ann));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(stored(&server, "acme", CredentialKind::RecoveryCode).await.len(), 8);
        let mut ended = [first.revoked_recovery_codes, second.revoked_recovery_codes];
        ended.sort_unstable();
        assert_eq!(ended[1], 8);
    }
}

async fn a_recovery_at_the_same_time_as_an_invitation_does_not_survive_it(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut bob = server.person(&ann, "acme", "bob").await;
    for _ in 0..4 {
        let codes = recovery_codes(&server, &bob).await.unwrap().codes;
        let (recovered, again) =
            tokio::join!(recover(&server, &codes[0], false), code(&server, &ann, invitation("bob")));
        if let Ok(recovered) = recovered {
            assert!(!serves(&server, &recovered.token).await, "whoever came first, the invitation ended it");
        }
        assert_unauthenticated(recover(&server, &codes[1], false).await);
        bob = server.redeem(&again).await;
        assert_eq!(server.whoami(&bob).await.unwrap().recovery_codes, None);
    }
}
