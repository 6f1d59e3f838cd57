//! Resolve: the right set, to the right caller, all of it or nothing, and never unrecorded.

use std::time::Duration;

use secrets_core::{Allow, NamePolicy, OverridePolicy, Redaction, Role, ScopeKind, SecretId, Target, TargetKind, Uid};
use secrets_proto::v1;
use secrets_server::store::secret::StoredSecret;
use secrets_server::store::{binding, user, workspace};
use tonic::Code;

use crate::database::{TestDatabase, on_both};
use crate::harness::{Refusal, Wire, refusal};
use crate::seed::{Somebody, World, plain, project_scope, user_scope, workspace_scope};

on_both!(
    delivers_the_effective_set_of_a_context,
    fills_in_the_callers_own_context,
    keeps_a_session_to_its_context,
    tells_nobody_what_they_may_not_see,
    refuses_a_workspace_beside_another_project,
    gives_a_resolver_contexts_without_a_user,
    ends_with_the_membership,
    delivers_only_what_is_asked_for,
    narrows_a_session_to_what_it_may_have,
    names_what_is_required_and_missing,
    answers_not_modified_until_the_answer_changes,
    includes_the_revision_that_was_seen,
    changes_by_itself_when_a_secret_expires,
    warns_of_an_environment_that_is_too_large,
    says_when_an_answer_is_too_large_for_a_message,
    names_the_fields_of_a_bad_question,
    asks_the_database_as_often_for_300_secrets_as_for_one,
    delivers_nothing_when_a_value_does_not_open,
);

/// `acme` with bob, who owns `ws1` of the project `api`, and a secret in each of the scopes.
struct Acme<'a> {
    world: World<'a>,
    bob: Somebody,
    api: Uid,
    ws1: Uid,
}

impl<'a> Acme<'a> {
    async fn new(wire: &'a Wire<'a>) -> Self {
        let world = World::new(wire, "acme").await;
        let bob = world.member("bob").await;
        let api = world.project("api").await;
        let ws1 = world.workspace("ws1", Some(api), bob.uid).await;
        world.bind(&bob, Role::Member, world.project_level(api)).await;
        world.secret(world.scope(), "OPENAI_API_KEY", "sk-org", plain).await;
        world.secret(world.scope(), "LINEAR_API_KEY", "lin-org", plain).await;
        world.secret(project_scope(api), "STRIPE_SECRET", "sk-project", plain).await;
        world.secret(workspace_scope(ws1), "WS_TOKEN", "ws", plain).await;
        world.secret(user_scope(bob.uid), "LINEAR_API_KEY", "lin-bob", plain).await;
        Self { world, bob, api, ws1 }
    }

    async fn ask(&self, token: &str, request: v1::ResolveRequest) -> Result<v1::ResolveResponse, tonic::Status> {
        self.world.wire.resolver(token).resolve(request).await.map(tonic::Response::into_inner)
    }

    async fn bob_asks(&self, request: v1::ResolveRequest) -> v1::ResolveResponse {
        self.ask(&self.bob.token, request).await.unwrap()
    }
}

fn context(organization: &str, project: &str, workspace: &str, user: &str) -> Option<v1::Context> {
    let [organization, project, workspace, user] = [organization, project, workspace, user].map(str::to_owned);
    Some(v1::Context { organization, project, workspace, user })
}

fn for_ws1() -> v1::ResolveRequest {
    v1::ResolveRequest { context: context("acme", "", "ws1", ""), ..Default::default() }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn delivered(answer: &v1::ResolveResponse) -> Vec<(&str, &str)> {
    answer.secrets.iter().map(|each| (each.secret_id.as_str(), std::str::from_utf8(&each.value).unwrap())).collect()
}

async fn delivers_the_effective_set_of_a_context(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let path = |target: &mut Target| *target = file("~/.ssh/deploy_key");
    acme.world.secret(project_scope(acme.api), "DEPLOY_KEY", "-----BEGIN", |_, target| path(target)).await;

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
    assert_eq!(answer.env_bytes, 82);
    assert!(answer.revision.starts_with("6."), "{}", answer.revision);
    assert!(!answer.etag.is_empty() && !answer.not_modified && answer.warnings.is_empty());
    assert_eq!(answer.next_change_time, None);
}

async fn fills_in_the_callers_own_context(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let own = v1::ResolveRequest { context: context("acme", "", "", ""), ..Default::default() };
    let answer = acme.bob_asks(own).await;
    assert_eq!(delivered(&answer), [("LINEAR_API_KEY", "lin-bob"), ("OPENAI_API_KEY", "sk-org")]);
    assert_eq!(answer.context, context("acme", "", "", "bob"));

    let refused = refusal(acme.ask(&acme.bob.token, v1::ResolveRequest::default()).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "CONTEXT_INVALID"));
}

async fn keeps_a_session_to_its_context(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let of_session = acme.world.context(Some(acme.api), Some(acme.ws1), Some(acme.bob.uid));
    let session = acme.world.session(&acme.bob, of_session, &Allow::default()).await;

    let answer = acme.ask(&session, v1::ResolveRequest::default()).await.unwrap();
    assert_eq!(answer.context, context("acme", "api", "ws1", "bob"));
    assert_eq!(delivered(&answer), delivered(&acme.bob_asks(for_ws1()).await));
    for same in [context("acme", "", "ws1", ""), context("acme", "api", "ws1", "bob")] {
        let request = v1::ResolveRequest { context: same, ..Default::default() };
        assert_eq!(acme.ask(&session, request).await.unwrap().etag, answer.etag);
    }

    acme.world.member("carol").await;
    acme.world.workspace("ws2", Some(acme.api), acme.bob.uid).await;
    for other in [
        context("acme", "", "", ""),
        context("acme", "api", "", ""),
        context("acme", "", "ws2", ""),
        context("acme", "", "ws1", "carol"),
        context("acme", "", "nowhere", ""),
        context("globex", "", "ws1", ""),
    ] {
        let refused =
            refusal(acme.ask(&session, v1::ResolveRequest { context: other.clone(), ..Default::default() }).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::PermissionDenied, "PERMISSION_DENIED"), "{other:?}");
    }
}

async fn tells_nobody_what_they_may_not_see(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let globex = World::new(&wire, "globex").await;
    let mallory = globex.member("mallory").await;
    let carol = acme.world.member("carol").await;
    let ann = acme.world.member("ann").await;
    acme.world.bind(&ann, Role::Admin, acme.world.level()).await;
    let nobody = acme.world.user("nobody").await;

    let mut refusals = Vec::new();
    for (token, asked) in [
        // Of another organization, of one that is not there.
        (&mallory.token, context("acme", "", "", "")),
        (&mallory.token, context("acme", "", "", "bob")),
        (&mallory.token, context("initech", "", "", "")),
        // A project and a workspace without membership, and ones that are not there.
        (&carol.token, context("acme", "api", "", "")),
        (&carol.token, context("acme", "nowhere", "", "")),
        (&carol.token, context("acme", "", "ws1", "")),
        (&carol.token, context("acme", "", "nowhere", "")),
        (&carol.token, context("acme", "nowhere", "ws1", "")),
        // Somebody else, and nobody; an admin is no exception.
        (&carol.token, context("acme", "", "", "bob")),
        (&carol.token, context("acme", "", "", "nowhere")),
        (&ann.token, context("acme", "", "", "bob")),
        (&ann.token, context("acme", "", "ws1", "bob")),
        (&ann.token, context("acme", "api", "", "")),
        // Without a role.
        (&nobody.token, context("acme", "", "", "")),
    ] {
        let request = v1::ResolveRequest { context: asked.clone(), ..Default::default() };
        let refused = refusal(acme.ask(token, request).await);
        assert_eq!(refused.code, Code::PermissionDenied, "{asked:?}");
        refusals.push(refused);
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:?}");

    let operator = v1::ResolveRequest { context: context("acme", "", "", ""), ..Default::default() };
    assert_eq!(refusal(acme.ask(&wire.operator, operator).await), refusals[0]);
    let stranger = refusal(acme.ask("", for_ws1()).await);
    assert_eq!((stranger.code, stranger.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
}

async fn refuses_a_workspace_beside_another_project(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let web = acme.world.project("web").await;
    acme.world.workspace("loose", None, acme.bob.uid).await;
    let beside =
        |workspace: &str| v1::ResolveRequest { context: context("acme", "web", workspace, ""), ..Default::default() };
    // Not a member of `web`: nothing is told.
    assert_eq!(refusal(acme.ask(&acme.bob.token, beside("ws1")).await).code, Code::PermissionDenied);

    acme.world.bind(&acme.bob, Role::Member, acme.world.project_level(web)).await;
    for workspace in ["ws1", "loose"] {
        let refused = refusal(acme.ask(&acme.bob.token, beside(workspace)).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "CONTEXT_INVALID"));
        assert_eq!(refused.fields, ["context.project"]);
    }
    // A resolver of `web` learns nothing of workspaces elsewhere.
    let ci = acme.world.service_account("ci").await;
    acme.world.bind(&ci, Role::Resolver, acme.world.project_level(web)).await;
    let told: Vec<Refusal> = [
        refusal(acme.ask(&ci.token, beside("ws1")).await),
        refusal(acme.ask(&ci.token, beside("loose")).await),
        refusal(acme.ask(&ci.token, beside("nowhere")).await),
    ]
    .into();
    assert_eq!((told[0].reason.as_str(), &told[1]), ("CONTEXT_INVALID", &told[0]));
    assert_eq!(told[1], told[2]);
    // The right one beside it changes nothing.
    let right = v1::ResolveRequest { context: context("acme", "api", "ws1", ""), ..Default::default() };
    assert_eq!(acme.bob_asks(right).await.etag, acme.bob_asks(for_ws1()).await.etag);
}

async fn gives_a_resolver_contexts_without_a_user(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let ci = acme.world.service_account("ci").await;
    let ask = |asked| v1::ResolveRequest { context: asked, ..Default::default() };
    assert_eq!(refusal(acme.ask(&ci.token, for_ws1()).await).code, Code::PermissionDenied);
    acme.world.bind(&ci, Role::Resolver, acme.world.project_level(acme.api)).await;
    let answer = acme.ask(&ci.token, for_ws1()).await.unwrap();
    assert_eq!(answer.context, context("acme", "api", "ws1", ""));
    assert!(delivered(&answer).contains(&("LINEAR_API_KEY", "lin-org")), "no user takes part");
    for denied in [context("acme", "", "ws1", "bob"), context("acme", "", "", "")] {
        assert_eq!(refusal(acme.ask(&ci.token, ask(denied)).await).code, Code::PermissionDenied);
    }
}

async fn ends_with_the_membership(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let carol = acme.world.member("carol").await;
    let membership = acme.world.bind(&carol, Role::Member, acme.world.project_level(acme.api)).await;
    let of_session = acme.world.context(Some(acme.api), None, Some(carol.uid));
    let session = acme.world.session(&carol, of_session, &Allow::default()).await;
    let ask = || v1::ResolveRequest { context: context("acme", "api", "", ""), ..Default::default() };
    assert!(acme.ask(&carol.token, ask()).await.is_ok());
    assert!(acme.ask(&session, ask()).await.is_ok());

    let tx = wire.app.store().begin().await.unwrap();
    assert!(binding::delete(&tx, Some(acme.world.organization), membership).await.unwrap());
    assert!(workspace::transfer(&tx, acme.world.organization, acme.ws1, None).await.unwrap());
    secrets_server::store::commit(tx).await.unwrap();
    assert_eq!(refusal(acme.ask(&carol.token, ask()).await).code, Code::PermissionDenied);
    assert_eq!(refusal(acme.ask(&session, ask()).await).code, Code::PermissionDenied);
    // Bob no longer owns his workspace.
    assert_eq!(refusal(acme.ask(&acme.bob.token, for_ws1()).await).code, Code::PermissionDenied);

    let tx = wire.app.store().begin().await.unwrap();
    let now = wire.app.now();
    assert!(user::delete(&tx, acme.world.organization, carol.uid, now, now).await.unwrap());
    secrets_server::store::commit(tx).await.unwrap();
    assert_eq!(refusal(acme.ask(&session, ask()).await).code, Code::Unauthenticated);
}

async fn delivers_only_what_is_asked_for(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    acme.world.secret(acme.world.scope(), "ROOT_PASSWORD", "hunter2!", |_, target| *target = Target::ApiOnly).await;
    acme.world.secret(acme.world.scope(), "CA", "pem", |_, target| *target = file("/etc/ssl/acme.pem")).await;
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
    let lock = |secret: &mut StoredSecret, target: &mut Target| {
        secret.override_policy = OverridePolicy::Locked;
        *target = file("~/token");
    };
    acme.world.secret(project_scope(acme.api), "WS_TOKEN", "locked", lock).await;
    let variables = v1::ResolveRequest { kinds: vec![v1::TargetKind::EnvironmentVariable.into()], ..for_ws1() };
    assert!(!delivered(&acme.bob_asks(variables).await).iter().any(|(name, _)| *name == "WS_TOKEN"));
}

async fn narrows_a_session_to_what_it_may_have(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let of_session = acme.world.context(Some(acme.api), Some(acme.ws1), Some(acme.bob.uid));
    let id = |name| SecretId::parse(name, NamePolicy::Strict).unwrap();
    for (allow, expected) in [
        (Allow { secret_ids: Some([id("WS_TOKEN")].into()), ..Allow::default() }, &["WS_TOKEN"][..]),
        (Allow { scopes: Some([ScopeKind::Organization].into()), ..Allow::default() }, &["OPENAI_API_KEY"]),
        (Allow { kinds: Some([TargetKind::File].into()), ..Allow::default() }, &[]),
    ] {
        let session = acme.world.session(&acme.bob, of_session, &allow).await;
        let answer = acme.ask(&session, v1::ResolveRequest::default()).await.unwrap();
        let got: Vec<_> = answer.secrets.iter().map(|each| each.secret_id.as_str()).collect();
        assert_eq!(got, expected, "{allow:?}");
        // What it may not have is missing, whether or not it is there.
        for name in ["STRIPE_SECRET", "NOT_THERE"] {
            let request = v1::ResolveRequest { required_secret_ids: names(&[name]), ..Default::default() };
            assert_eq!(refusal(acme.ask(&session, request).await).reason, "SECRET_REQUIRED_MISSING");
        }
    }
}

async fn names_what_is_required_and_missing(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let ask = |required: &[&str]| v1::ResolveRequest { required_secret_ids: names(required), ..for_ws1() };
    assert_eq!(acme.bob_asks(ask(&["WS_TOKEN", "LINEAR_API_KEY"])).await.secrets.len(), 4);
    let refused = refusal(acme.ask(&acme.bob.token, ask(&["ZED", "WS_TOKEN", "ABSENT"])).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "SECRET_REQUIRED_MISSING"));
    assert_eq!(refused.metadata["secret_ids"], "ABSENT, ZED");
    assert_eq!(refused.metadata["count"], "2");
    assert!(refused.message.contains("ABSENT, ZED"), "{}", refused.message);

    let many: Vec<_> = (0..300).map(|number| format!("{}_{number}", "N".repeat(100))).collect();
    let refused = acme.ask(&acme.bob.token, v1::ResolveRequest { required_secret_ids: many, ..for_ws1() }).await;
    let status = refused.as_ref().unwrap_err();
    assert!(status.details().len() + status.message().len() <= 4096, "{}", status.details().len());
    assert_eq!(refusal(refused).metadata["count"], "300");
}

async fn answers_not_modified_until_the_answer_changes(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let first = acme.bob_asks(for_ws1()).await;
    let again = |etag: &str| v1::ResolveRequest { if_none_match: etag.to_owned(), ..for_ws1() };
    let same = acme.bob_asks(again(&first.etag)).await;
    assert!(same.not_modified && same.secrets.is_empty());
    assert_eq!((&same.etag, same.env_bytes, &same.revision), (&first.etag, first.env_bytes, &first.revision));
    assert!(!acme.bob_asks(again("something else")).await.not_modified);

    // The same etag does not answer another question.
    let narrowed = v1::ResolveRequest { secret_ids: names(&["WS_TOKEN"]), ..again(&first.etag) };
    assert!(!acme.bob_asks(narrowed).await.not_modified);
    // What is not delivered changes nothing.
    acme.world.secret(acme.world.scope(), "WS_TOKEN", "org", plain).await;
    let same = acme.bob_asks(again(&first.etag)).await;
    assert!(same.not_modified && same.revision != first.revision);
    // A new winner does.
    let winner = acme.world.secret(user_scope(acme.bob.uid), "WS_TOKEN", "bob", plain).await;
    let mut etags = vec![first.etag, acme.bob_asks(for_ws1()).await.etag];
    // So does a new version of the same value, and whether it is masked.
    acme.world.edit(winner, |secret| secret.current_version = 2).await;
    etags.push(acme.bob_asks(for_ws1()).await.etag);
    acme.world.edit(winner, |secret| secret.redaction = Redaction::Off).await;
    etags.push(acme.bob_asks(for_ws1()).await.etag);
    // A description does not.
    acme.world.edit(winner, |secret| secret.description = "bob's".parse().unwrap()).await;
    let last = acme.bob_asks(again(&etags[3])).await;
    assert!(last.not_modified);
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), 4);
}

async fn includes_the_revision_that_was_seen(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let at_least = |token: &str| {
        let requirement = Some(v1::consistency::Requirement::AtLeastAsFresh(token.to_owned()));
        v1::ResolveRequest { consistency: Some(v1::Consistency { requirement }), ..for_ws1() }
    };
    let seen = acme.bob_asks(for_ws1()).await.revision;
    acme.world.secret(acme.world.scope(), "NEW", "new", plain).await;
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
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let end = wire.app.now().saturating_add(Duration::from_secs(60));
    acme.world
        .secret(workspace_scope(acme.ws1), "STRIPE_SECRET", "short", |secret, _| secret.expire_time = Some(end))
        .await;
    let before = acme.bob_asks(for_ws1()).await;
    assert!(delivered(&before).contains(&("STRIPE_SECRET", "short")));
    let next = before.next_change_time.unwrap();
    assert_eq!(next.seconds * 1_000_000 + i64::from(next.nanos) / 1_000, end.as_micros());

    wire.wait(Duration::from_secs(60));
    let request = v1::ResolveRequest { if_none_match: before.etag, ..for_ws1() };
    let after = acme.bob_asks(request).await;
    assert!(delivered(&after).contains(&("STRIPE_SECRET", "sk-project")));
    assert_eq!(after.next_change_time, None);
}

async fn warns_of_an_environment_that_is_too_large(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let large = (0..8).map(|number| (format!("LARGE_{number}"), "x".repeat(65_536)));
    acme.world.secrets(workspace_scope(acme.ws1), large, plain).await;
    let answer = acme.bob_asks(for_ws1()).await;
    assert_eq!(answer.env_bytes, 82 + 8 * (65_536 + 9));
    assert_eq!(answer.warnings.len(), 1);
    assert_eq!(answer.warnings[0].code(), v1::WarningCode::LargeEnvironment);
    let some = v1::ResolveRequest { secret_ids: names(&["LARGE_1"]), ..for_ws1() };
    assert!(acme.bob_asks(some).await.warnings.is_empty());
}

async fn says_when_an_answer_is_too_large_for_a_message(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    // More than a scope may hold: limits may have been higher once.
    let large = (0..64).map(|number| (format!("LARGE_{number}"), "x".repeat(65_536)));
    acme.world.secrets(workspace_scope(acme.ws1), large, plain).await;
    let refused = refusal(acme.ask(&acme.bob.token, for_ws1()).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    assert_eq!(refused.metadata["limit"], "answer_bytes");
    let less =
        v1::ResolveRequest { secret_ids: (0..60).map(|number| format!("LARGE_{number}")).collect(), ..for_ws1() };
    assert_eq!(acme.bob_asks(less).await.secrets.len(), 60);
}

async fn names_the_fields_of_a_bad_question(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    let asked = |context| v1::ResolveRequest { context, ..Default::default() };
    for (request, field, reason) in [
        (asked(context("", "api", "", "")), "context", "CONTEXT_INVALID"),
        (asked(context("Acme", "", "", "")), "context.organization", "INVALID_ARGUMENT_VALUE"),
        (asked(context("acme", "api/..", "", "")), "context.project", "INVALID_ARGUMENT_VALUE"),
        (asked(context("acme", "", "ws%31", "")), "context.workspace", "INVALID_ARGUMENT_VALUE"),
        (asked(context("acme", "", "", "b\0b")), "context.user", "INVALID_ARGUMENT_VALUE"),
        (v1::ResolveRequest { secret_ids: names(&["a-b"]), ..for_ws1() }, "secret_ids", "INVALID_SECRET_ID"),
        (
            v1::ResolveRequest { required_secret_ids: names(&[&"A".repeat(128)]), ..for_ws1() },
            "required_secret_ids",
            "INVALID_SECRET_ID",
        ),
        (v1::ResolveRequest { kinds: vec![9], ..for_ws1() }, "kinds", "INVALID_ARGUMENT_VALUE"),
    ] {
        let refused = refusal(acme.ask(&acme.bob.token, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, reason), "{field}");
        assert_eq!(refused.fields, [field]);
    }
}

async fn asks_the_database_as_often_for_300_secrets_as_for_one(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let world = World::new(&wire, "acme").await;
    let bob = world.member("bob").await;
    let api = world.project("api").await;
    world.bind(&bob, Role::Member, world.project_level(api)).await;
    world.secret(user_scope(bob.uid), "FIRST", "1", plain).await;
    let request = v1::ResolveRequest { context: context("acme", "api", "", ""), ..Default::default() };

    let ask = async || {
        database.statements.take();
        let answer = wire.resolver(&bob.token).resolve(request.clone()).await.unwrap().into_inner();
        (answer.secrets.len(), database.statements.take())
    };
    let (one, statements) = ask().await;
    for (scope, prefix) in [(world.scope(), "O"), (project_scope(api), "P"), (user_scope(bob.uid), "U")] {
        let values = (0..100).map(|number| (format!("{prefix}_{number}"), format!("value {number}")));
        world.secrets(scope, values, plain).await;
    }
    let (many, as_many) = ask().await;
    assert_eq!((one, many), (1, 301));
    assert_eq!(as_many.len(), statements.len(), "{as_many:#?}");
    // Who calls: credential, organization, user, roles. What they get: context, revision, secrets, keys. Two of the record.
    assert!(statements.len() <= 10, "{statements:#?}");
}

async fn delivers_nothing_when_a_value_does_not_open(database: &TestDatabase) {
    let wire = Wire::start(database).await;
    let acme = Acme::new(&wire).await;
    acme.world.secret(workspace_scope(acme.ws1), "A", "value of a", plain).await;
    acme.world.secret(workspace_scope(acme.ws1), "B", "value of b", plain).await;
    let blob_of = |name: &str| {
        format!(
            "(SELECT v.blob FROM secret_versions v JOIN secrets s ON s.uid = v.secret_uid WHERE s.secret_id = '{name}')"
        )
    };
    let uid_of = |name: &str| format!("(SELECT uid FROM secrets WHERE secret_id = '{name}')");
    acme.world
        .execute(&format!("UPDATE secret_versions SET blob = {} WHERE secret_uid = {}", blob_of("B"), uid_of("A")))
        .await;
    acme.world
        .execute(&format!(
            "UPDATE secret_versions SET target_kind = 'API_ONLY' WHERE secret_uid = {}",
            uid_of("WS_TOKEN")
        ))
        .await;

    let all = v1::ResolveRequest { required_secret_ids: names(&["WS_TOKEN"]), ..for_ws1() };
    let refused = refusal(acme.ask(&acme.bob.token, all).await);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::DataLoss, "SECRET_UNREADABLE"));
    assert_eq!(refused.metadata["secret_ids"], "A, WS_TOKEN");
    assert!(!refused.message.contains("value of"));
    // The others are as they were.
    let b = v1::ResolveRequest { secret_ids: names(&["B"]), ..for_ws1() };
    assert_eq!(delivered(&acme.bob_asks(b).await), [("B", "value of b")]);

    // A data key that does not open takes with it what it sealed.
    acme.world.execute("UPDATE data_keys SET version = 2").await;
    let refused = refusal(acme.ask(&acme.bob.token, for_ws1()).await);
    assert_eq!((refused.reason.as_str(), refused.metadata["count"].as_str()), ("SECRET_UNREADABLE", "5"));
}

fn file(path: &str) -> Target {
    Target::File { path: path.parse().unwrap(), mode: secrets_core::FileMode::default() }
}
