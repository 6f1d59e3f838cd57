//! What an answer holds, and when it is another.

use std::time::Duration;

use secrets_core::{
    NamePolicy, OverridePolicy, Redaction, Role, ScopeKind, SecretId, SessionRestrictions, Target, TargetKind, Uid,
};
use secrets_proto::v1;
use secrets_server::clock::Clock;
use secrets_server::store::secret::Secret;
use tonic::Code;

use super::{Acme, context, delivered, file, for_ws1, names};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestOrganization, plain, project_scope, user_scope, workspace_scope};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    delivers_the_effective_set_of_a_context,
    delivers_only_what_is_asked_for,
    narrows_a_session_to_what_it_may_have,
    answers_not_modified_until_the_answer_changes,
    includes_the_revision_that_was_seen,
    changes_by_itself_when_a_secret_expires,
    asks_the_database_as_often_for_300_secrets_as_for_one,
);

async fn delivers_the_effective_set_of_a_context(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let path = |target: &mut Target| *target = file("~/.ssh/deploy_key");
    acme.organization.secret(project_scope(acme.api), "DEPLOY_KEY", "-----BEGIN", |_, target| path(target)).await;

    let answer = acme.bob_asks(for_ws1()).await;
    assert_eq!(
        delivered(&answer),
        [
            ("DEPLOY_KEY", "-----BEGIN"),
            ("LINEAR_API_KEY", "lin-bob"),
            ("OPENAI_API_KEY", "sk-org"),
            ("STRIPE_SECRET", "sk-project"),
            ("WS_TOKEN", "ws"),
        ]
    );
    let of: Vec<_> = answer.secrets.iter().map(|each| (each.secret.as_str(), each.scope(), each.version)).collect();
    assert_eq!(
        of,
        [
            ("organizations/acme/projects/api/secrets/DEPLOY_KEY", v1::ScopeKind::Project, 1),
            ("organizations/acme/users/bob/secrets/LINEAR_API_KEY", v1::ScopeKind::User, 1),
            ("organizations/acme/secrets/OPENAI_API_KEY", v1::ScopeKind::Organization, 1),
            ("organizations/acme/projects/api/secrets/STRIPE_SECRET", v1::ScopeKind::Project, 1),
            ("organizations/acme/workspaces/ws1/secrets/WS_TOKEN", v1::ScopeKind::Workspace, 1),
        ]
    );
    let target = answer.secrets[0].target.clone().unwrap().kind.unwrap();
    assert_eq!(target, v1::target::Kind::File(v1::FileTarget { path: "~/.ssh/deploy_key".into(), mode: 0o600 }));
    assert_eq!(answer.secrets[1].redaction(), v1::Redaction::Default);
    assert_eq!(answer.context, context("acme", "api", "ws1", "bob"));
    // LINEAR_API_KEY=lin-bob␀ 23, OPENAI_API_KEY=sk-org␀ 22, STRIPE_SECRET=sk-project␀ 25, WS_TOKEN=ws␀ 12
    assert_eq!(answer.environment_bytes, 82);
    assert!(answer.revision.starts_with("6."), "{}", answer.revision);
    assert!(!answer.etag.is_empty() && !answer.not_modified && answer.warnings.is_empty());
    assert_eq!(answer.next_change_time, None);
}

async fn delivers_only_what_is_asked_for(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization
        .secret(acme.organization.scope(), "ROOT_PASSWORD", "hunter2!", |_, target| *target = Target::ApiOnly)
        .await;
    acme.organization
        .secret(acme.organization.scope(), "CA", "pem", |_, target| *target = file("/etc/ssl/acme.pem"))
        .await;
    for (secret_ids, required, kinds, expected) in [
        (&[][..], &[][..], &[][..], &["CA", "LINEAR_API_KEY", "OPENAI_API_KEY", "STRIPE_SECRET", "WS_TOKEN"][..]),
        (&["WS_TOKEN", "CA", "CA"], &[], &[], &["CA", "WS_TOKEN"]),
        (&["NOT_THERE"], &[], &[], &[]),
        (&["ROOT_PASSWORD"], &[], &[], &["ROOT_PASSWORD"]),
        (&[], &["ROOT_PASSWORD"], &[v1::TargetKind::ApiOnly], &["ROOT_PASSWORD"]),
        (&["CA"], &["WS_TOKEN"], &[], &["CA", "WS_TOKEN"]),
        (&[], &[], &[v1::TargetKind::File], &["CA"]),
        (&[], &[], &[v1::TargetKind::ApiOnly], &[]),
        (&["CA", "WS_TOKEN"], &[], &[v1::TargetKind::EnvironmentVariable, v1::TargetKind::Registry], &["WS_TOKEN"]),
    ] {
        let answer = acme.bob_asks(v1::ResolveRequest {
            secret_ids: names(secret_ids),
            required_secret_ids: names(required),
            kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            ..for_ws1()
        });
        let answer = answer.await;
        let got: Vec<_> = answer.secrets.iter().map(|each| each.secret_id.as_str()).collect();
        assert_eq!(got, expected, "{secret_ids:?} {required:?} {kinds:?}");
    }
    // What is filtered out does not let a broader secret through.
    let lock = |secret: &mut Secret, target: &mut Target| {
        secret.override_policy = OverridePolicy::Locked;
        *target = file("~/token");
    };
    acme.organization.secret(project_scope(acme.api), "WS_TOKEN", "locked", lock).await;
    let variables = v1::ResolveRequest { kinds: vec![v1::TargetKind::EnvironmentVariable.into()], ..for_ws1() };
    assert!(!delivered(&acme.bob_asks(variables).await).iter().any(|(name, _)| *name == "WS_TOKEN"));
}

async fn narrows_a_session_to_what_it_may_have(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let of_session = acme.organization.context(Some(acme.api), Some(acme.ws1), Some(acme.bob.uid));
    let id = |name| SecretId::parse(name, NamePolicy::Strict).unwrap();
    for (restrictions, expected) in [
        (
            SessionRestrictions { secret_ids: Some([id("WS_TOKEN")].into()), ..SessionRestrictions::default() },
            &["WS_TOKEN"][..],
        ),
        (
            SessionRestrictions { scopes: Some([ScopeKind::Organization].into()), ..SessionRestrictions::default() },
            &["OPENAI_API_KEY"],
        ),
        (SessionRestrictions { kinds: Some([TargetKind::File].into()), ..SessionRestrictions::default() }, &[]),
    ] {
        let session = acme.organization.session(&acme.bob, of_session, &restrictions).await;
        let answer = acme.ask(&session, v1::ResolveRequest::default()).await.unwrap();
        let got: Vec<_> = answer.secrets.iter().map(|each| each.secret_id.as_str()).collect();
        assert_eq!(got, expected, "{restrictions:?}");
        // What it may not have is missing, whether or not it is there.
        for name in ["STRIPE_SECRET", "NOT_THERE"] {
            let request = v1::ResolveRequest { required_secret_ids: names(&[name]), ..Default::default() };
            assert_eq!(refusal(acme.ask(&session, request).await).reason, "SECRET_REQUIRED_MISSING");
        }
    }
}

async fn answers_not_modified_until_the_answer_changes(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let first = acme.bob_asks(for_ws1()).await;
    let again = |etag: &str| v1::ResolveRequest { if_none_match: etag.to_owned(), ..for_ws1() };
    let same = acme.bob_asks(again(&first.etag)).await;
    assert!(same.not_modified && same.secrets.is_empty());
    assert_eq!(
        (&same.etag, same.environment_bytes, &same.revision),
        (&first.etag, first.environment_bytes, &first.revision)
    );
    assert!(!acme.bob_asks(again("something else")).await.not_modified);

    // The same etag does not answer another question.
    let narrowed = v1::ResolveRequest { secret_ids: names(&["WS_TOKEN"]), ..again(&first.etag) };
    assert!(!acme.bob_asks(narrowed).await.not_modified);
    // What is not delivered changes nothing.
    acme.organization.secret(acme.organization.scope(), "WS_TOKEN", "org", plain).await;
    let same = acme.bob_asks(again(&first.etag)).await;
    assert!(same.not_modified && same.revision != first.revision);
    // A new winner does.
    let winner = acme.organization.secret(user_scope(acme.bob.uid), "WS_TOKEN", "bob", plain).await;
    let mut etags = vec![first.etag, acme.bob_asks(for_ws1()).await.etag];
    // So does a new version of the same value, and whether it is masked.
    acme.organization.edit(winner, |secret| secret.current_version = 2).await;
    etags.push(acme.bob_asks(for_ws1()).await.etag);
    acme.organization.edit(winner, |secret| secret.redaction = Redaction::Off).await;
    etags.push(acme.bob_asks(for_ws1()).await.etag);
    // A description does not.
    acme.organization.edit(winner, |secret| secret.description = "bob's".parse().unwrap()).await;
    let last = acme.bob_asks(again(&etags[3])).await;
    assert!(last.not_modified);
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), 4);
}

async fn includes_the_revision_that_was_seen(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let at_least = |token: &str| {
        let requirement = Some(v1::consistency::Requirement::AtLeastAsFresh(token.to_owned()));
        v1::ResolveRequest { consistency: Some(v1::Consistency { requirement }), ..for_ws1() }
    };
    let seen = acme.bob_asks(for_ws1()).await.revision;
    acme.organization.secret(acme.organization.scope(), "NEW", "new", plain).await;
    let now = acme.bob_asks(at_least(&seen)).await.revision;
    assert_ne!(now, seen);
    assert_eq!(acme.bob_asks(at_least(&now)).await.revision, now);

    let (number, change) = now.split_once('.').unwrap();
    let number: u64 = number.parse().unwrap();
    let elsewhere = Uid::from_u128(7).simple();
    for unknown in [format!("{}.{change}", number + 1), format!("{number}.{elsewhere}"), format!("1.{elsewhere}")] {
        let refused = refusal(acme.ask(&acme.bob.token, at_least(&unknown)).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::Unavailable, "STALE"), "{unknown}");
    }
    for malformed in ["", "7", "x.y"] {
        let refused = refusal(acme.ask(&acme.bob.token, at_least(malformed)).await);
        assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, names(&["consistency.at_least_as_fresh"])));
    }
    let fully = v1::Consistency { requirement: Some(v1::consistency::Requirement::FullyConsistent(true)) };
    assert_eq!(acme.bob_asks(v1::ResolveRequest { consistency: Some(fully), ..for_ws1() }).await.revision, now);
}

async fn changes_by_itself_when_a_secret_expires(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let end = server.clock.now().saturating_add(Duration::from_secs(60));
    acme.organization
        .secret(workspace_scope(acme.ws1), "STRIPE_SECRET", "short", |secret, _| secret.expire_time = Some(end))
        .await;
    let before = acme.bob_asks(for_ws1()).await;
    assert!(delivered(&before).contains(&("STRIPE_SECRET", "short")));
    let next = before.next_change_time.unwrap();
    assert_eq!(next.seconds * 1_000_000 + i64::from(next.nanos) / 1_000, end.as_micros());

    server.wait(Duration::from_secs(60));
    let request = v1::ResolveRequest { if_none_match: before.etag, ..for_ws1() };
    let after = acme.bob_asks(request).await;
    assert!(delivered(&after).contains(&("STRIPE_SECRET", "sk-project")));
    assert_eq!(after.next_change_time, None);
}

async fn asks_the_database_as_often_for_300_secrets_as_for_one(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let organization = TestOrganization::new(&server, "acme").await;
    let bob = organization.member("bob").await;
    let api = organization.project("api").await;
    organization.bind(&bob, Role::Member, organization.project_resource(api)).await;
    organization.secret(user_scope(bob.uid), "FIRST", "1", plain).await;
    let request = v1::ResolveRequest { context: context("acme", "api", "", ""), ..Default::default() };

    let ask = async || {
        database.statements.take();
        let answer = server.resolver(&bob.token).resolve(request.clone()).await.unwrap().into_inner();
        (answer.secrets.len(), database.statements.take())
    };
    let (one, statements) = ask().await;
    for (scope, prefix) in [(organization.scope(), "O"), (project_scope(api), "P"), (user_scope(bob.uid), "U")] {
        let values = (0..100).map(|number| (format!("{prefix}_{number}"), format!("value {number}")));
        organization.secrets(scope, values, plain).await;
    }
    let (many, as_many) = ask().await;
    assert_eq!((one, many), (1, 301));
    assert_eq!(as_many.len(), statements.len(), "{as_many:#?}");
    // Who calls: credential, organization, user. What they get: credential and roles, context, revision, secrets, keys. Two of
    // the record.
    assert!(statements.len() <= 10, "{statements:#?}");
}
