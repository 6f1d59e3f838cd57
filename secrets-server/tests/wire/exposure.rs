//! ListExposure: what somebody received, what is left of it, and who may know.

use std::collections::BTreeMap;
use std::time::Duration;

use secrets_core::{NamePolicy, Role, SecretId, SessionRestrictions, Uid};
use secrets_proto::v1;
use secrets_proto::v1::ExposureState::{Current, Deleted, Inactive, Replaced};
use secrets_server::clock::Clock as _;
use secrets_server::retention::Retention;
use secrets_server::service::Settings;
use secrets_server::store::audit::AuditRecord;
use tonic::{Code, Status};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestAccount, TestOrganization, plain, project_scope, user_scope};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::secrets::text;

on_both!(
    says_what_is_left_of_what_somebody_received,
    a_value_that_came_back_or_only_moved_is_still_known,
    a_copy_is_known_with_its_source_and_the_reverse,
    a_value_that_came_back_is_known_from_a_copy,
    more_copies_than_are_looked_at_are_not_missing_without_a_word,
    an_account_has_received_what_its_sessions_did,
    a_session_has_received_what_it_did_itself,
    pages_go_on_where_the_one_before_ended,
    a_page_looks_through_so_many_events,
    shows_a_users_own_secrets_to_others_by_uid_alone,
    is_for_admins_and_auditors,
    finds_who_was_deleted_and_nobody_who_never_was,
    whoever_had_a_name_has_received_what_their_sessions_did,
    says_from_when_on_it_is_complete,
    names_the_fields_of_a_bad_question,
    is_recorded_itself,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const BOB: &str = "organizations/acme/users/bob";

struct Acme<'a> {
    organization: TestOrganization<'a>,
    ann: TestAccount,
    bob: TestAccount,
    api: Uid,
}

impl<'a> Acme<'a> {
    /// `acme` with its admin ann and its member bob, both members of the project `api`.
    async fn new(server: &'a TestServer) -> Self {
        let organization = TestOrganization::new(server, "acme").await;
        let (ann, bob) = (organization.member("ann").await, organization.member("bob").await);
        organization.bind(&ann, Role::Admin, organization.level()).await;
        let api = organization.project("api").await;
        for member in [&ann, &bob] {
            organization.bind(member, Role::Member, organization.project_resource(api)).await;
        }
        Self { organization, ann, bob, api }
    }

    fn server(&self) -> &TestServer {
        self.organization.server
    }

    /// A secret of the project.
    async fn secret(&self, name: &str) -> Uid {
        self.organization.secret(project_scope(self.api), name, "x", plain).await
    }

    async fn resolve(&self, token: &str) {
        let context = v1::Context { organization: "acme".into(), project: "api".into(), ..Default::default() };
        let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
        self.server().resolver(token).resolve(request).await.unwrap();
    }

    /// A session in the project, and its resource path.
    async fn session(&self, creator: &TestAccount, user: Option<&TestAccount>) -> (String, String) {
        let context = self.organization.context(Some(self.api), None, user.map(|user| user.uid));
        let token = self.organization.session(creator, context, &SessionRestrictions::default()).await;
        let me = self.server().access(&token).who_am_i(v1::WhoAmIRequest {}).await.unwrap().into_inner();
        (token, me.principal)
    }

    async fn ask(&self, token: &str, request: v1::ListExposureRequest) -> Result<v1::ListExposureResponse, Status> {
        self.server().audit(token).list_exposure(request).await.map(tonic::Response::into_inner)
    }

    /// What ann sees of somebody in one page, by the secret's name.
    async fn exposure(&self, principal: &str) -> BTreeMap<String, v1::ReceivedSecret> {
        let page = self.ask(&self.ann.token, of(principal)).await.unwrap();
        assert_eq!(page.next_page_token, "");
        page.secrets.into_iter().map(|each| (id(&each), each)).collect()
    }

    /// The same: the version, and what is left of it.
    async fn left(&self, principal: &str) -> Vec<(String, u32, v1::ExposureState)> {
        let exposure = self.exposure(principal).await;
        exposure.into_iter().map(|(id, each)| (id, each.version, each.state())).collect()
    }
}

fn of(principal: &str) -> v1::ListExposureRequest {
    v1::ListExposureRequest { parent: "organizations/acme".into(), principal: principal.into(), ..Default::default() }
}

fn id(secret: &v1::ReceivedSecret) -> String {
    secret.secret.rsplit('/').next().unwrap().to_owned()
}

fn row(id: &str, version: u32, state: v1::ExposureState) -> (String, u32, v1::ExposureState) {
    (id.to_owned(), version, state)
}

async fn says_what_is_left_of_what_somebody_received(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let start = server.clock.now().as_micros() / 1_000_000;
    let (kept, again) = (acme.secret("A_KEPT").await, acme.secret("B_AGAIN").await);
    let (rotated, disabled) = (acme.secret("C_ROTATED").await, acme.secret("D_DISABLED").await);
    let expired = acme.secret("E_EXPIRED").await;
    acme.secret("F_DELETED").await;
    acme.resolve(&acme.bob.token).await;
    server.wait(Duration::from_secs(60));
    for uid in [again, rotated] {
        acme.organization.edit(uid, |secret| secret.current_version += 1).await;
    }
    acme.organization.edit(rotated, |secret| secret.visibility = secrets_core::Visibility::All).await;
    let now = server.clock.now();
    acme.organization.edit(expired, |secret| secret.expire_time = Some(now)).await;
    acme.organization.edit(disabled, |secret| secret.disabled = true).await;
    let name = "organizations/acme/projects/api/secrets/F_DELETED".to_owned();
    let delete = v1::DeleteSecretRequest { name, ..Default::default() };
    server.secrets(&acme.ann.token).delete_secret(delete).await.unwrap();
    acme.secret("G_NOT_RECEIVED").await;
    // Of the two that were rotated, bob gets one anew.
    let only = SessionRestrictions {
        secret_ids: Some(["A_KEPT", "B_AGAIN"].map(|id| SecretId::parse(id, NamePolicy::Strict).unwrap()).into()),
        ..SessionRestrictions::default()
    };
    let context = acme.organization.context(Some(acme.api), None, Some(acme.bob.uid));
    let session = acme.organization.session(&acme.bob, context, &only).await;
    acme.resolve(&session).await;
    acme.resolve(&session).await;

    assert_eq!(
        acme.left(BOB).await,
        [
            row("A_KEPT", 1, Current),
            row("B_AGAIN", 2, Current),
            row("C_ROTATED", 1, Replaced),
            row("D_DISABLED", 1, Inactive),
            row("E_EXPIRED", 1, Inactive),
            row("F_DELETED", 1, Deleted),
        ]
    );
    let exposure = acme.exposure(BOB).await;
    let seen = |id: &str| {
        let each = &exposure[id];
        (each.count, each.first_time.unwrap().seconds - start, each.last_time.unwrap().seconds - start)
    };
    assert_eq!((seen("A_KEPT"), seen("B_AGAIN"), seen("C_ROTATED")), ((3, 0, 60), (2, 60, 60), (1, 0, 0)));
    let first = &exposure["A_KEPT"];
    assert_eq!(
        (first.uid.as_str(), first.secret.as_str()),
        (kept.to_string().as_str(), "organizations/acme/projects/api/secrets/A_KEPT")
    );
    assert_eq!(first.actions, ["secretsapi.v1.ResolveService/Resolve"]);
    // Who asked has received nothing.
    assert_eq!(acme.exposure("organizations/acme/users/ann").await.len(), 0);
}

async fn a_value_that_came_back_or_only_moved_is_still_known(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    for name in ["MOVED", "ROLLED_BACK", "ROTATED"] {
        acme.secret(name).await;
    }
    acme.resolve(&acme.bob.token).await;
    let path = |name: &str| format!("organizations/acme/projects/api/secrets/{name}");
    let mut secrets = server.secrets(&acme.ann.token);
    for (name, value) in [("ROLLED_BACK", "other"), ("ROTATED", "other")] {
        let secret = Some(v1::Secret { name: path(name), ..Default::default() });
        let update = v1::UpdateSecretRequest { secret, value: text(value), ..Default::default() };
        secrets.update_secret(update).await.unwrap();
    }
    assert_eq!(
        acme.left(BOB).await,
        [row("MOVED", 1, Current), row("ROLLED_BACK", 1, Replaced), row("ROTATED", 1, Replaced)]
    );
    let back = v1::RollbackSecretRequest { name: path("ROLLED_BACK"), version: 1, ..Default::default() };
    secrets.rollback_secret(back).await.unwrap();
    let target = Some(v1::Target { kind: Some(v1::target::Kind::ApiOnly(v1::ApiOnlyTarget {})) });
    for (value, expected) in [(None, Current), (text("other"), Replaced)] {
        let moved = Some(v1::Secret { name: path("MOVED"), target: target.clone(), ..Default::default() });
        secrets.update_secret(v1::UpdateSecretRequest { secret: moved, value, ..Default::default() }).await.unwrap();
        assert_eq!(
            acme.left(BOB).await,
            [row("MOVED", 1, expected), row("ROLLED_BACK", 1, Current), row("ROTATED", 1, Replaced)]
        );
    }
    let versions = v1::ListSecretVersionsRequest { parent: path("MOVED"), ..Default::default() };
    let versions = secrets.list_secret_versions(versions).await.unwrap().into_inner().versions;
    let sources: Vec<_> = versions.iter().map(|version| (version.version, version.source_version)).collect();
    assert_eq!(sources, [(3, 0), (2, 1), (1, 0)]);
}

async fn a_copy_is_known_with_its_source_and_the_reverse(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    for name in ["COPIED", "MOVED"] {
        acme.secret(name).await;
    }
    let path = |name: &str| format!("organizations/acme/projects/api/secrets/{name}");
    let parent = || "organizations/acme".to_owned();
    acme.resolve(&acme.bob.token).await;
    let mut secrets = server.secrets(&acme.ann.token);
    let moved = v1::MoveSecretRequest { name: path("MOVED"), parent: parent(), ..Default::default() };
    secrets.move_secret(moved).await.unwrap();
    let copied = v1::CopySecretRequest { name: path("COPIED"), parent: parent(), ..Default::default() };
    secrets.copy_secret(copied).await.unwrap();
    let seen = async || {
        let page = acme.ask(&acme.ann.token, of(BOB)).await.unwrap().secrets;
        let mut seen: Vec<_> =
            page.iter().map(|each| (each.secret.clone(), each.state(), !each.copied_from.is_empty())).collect();
        seen.sort();
        seen
    };
    let of_acme = |name: &str| format!("organizations/acme/secrets/{name}");
    assert_eq!(
        seen().await,
        [
            (path("COPIED"), Current, false),
            (path("MOVED"), Deleted, false),
            (of_acme("COPIED"), Current, true),
            (of_acme("MOVED"), Current, true),
        ]
    );
    // A new value of one says nothing of the other.
    let secret = Some(v1::Secret { name: path("COPIED"), ..Default::default() });
    let update = v1::UpdateSecretRequest { secret, value: text("other"), ..Default::default() };
    secrets.update_secret(update).await.unwrap();
    assert_eq!(seen().await[0], (path("COPIED"), Replaced, false));
    assert_eq!(seen().await[2], (of_acme("COPIED"), Current, true));
    // It has no version of its own that it comes from.
    let versions = v1::ListSecretVersionsRequest { parent: of_acme("COPIED"), ..Default::default() };
    let versions = secrets.list_secret_versions(versions).await.unwrap().into_inner().versions;
    assert_eq!(versions[0].source_version, 0);

    // Carol receives the copies alone.
    let carol = acme.organization.member("carol").await;
    let context = v1::Context { organization: "acme".into(), ..Default::default() };
    let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
    server.resolver(&carol.token).resolve(request).await.unwrap();
    let back = v1::UndeleteSecretRequest { name: path("MOVED"), ..Default::default() };
    secrets.undelete_secret(back).await.unwrap();
    let page = acme.ask(&acme.ann.token, of("organizations/acme/users/carol")).await.unwrap().secrets;
    let mut names: Vec<_> = page.iter().map(|each| (each.secret.as_str(), each.state())).collect();
    names.sort_unstable();
    let (copied, moved, source) = (of_acme("COPIED"), of_acme("MOVED"), path("MOVED"));
    assert_eq!(names, [(source.as_str(), Current), (copied.as_str(), Current), (moved.as_str(), Current)]);
}

async fn a_value_that_came_back_is_known_from_a_copy(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.secret("A").await;
    let (source, copy) = ("organizations/acme/projects/api/secrets/A", "organizations/acme/secrets/A");
    let mut secrets = server.secrets(&acme.ann.token);
    let copied =
        v1::CopySecretRequest { name: source.into(), parent: "organizations/acme".into(), ..Default::default() };
    secrets.copy_secret(copied).await.unwrap();
    let context = v1::Context { organization: "acme".into(), ..Default::default() };
    let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
    server.resolver(&acme.bob.token).resolve(request).await.unwrap();
    secrets.delete_secret(v1::DeleteSecretRequest { name: copy.into(), ..Default::default() }).await.unwrap();
    let secret = Some(v1::Secret { name: source.into(), ..Default::default() });
    let update = v1::UpdateSecretRequest { secret, value: text("other"), ..Default::default() };
    secrets.update_secret(update).await.unwrap();
    acme.resolve(&acme.bob.token).await;
    let seen = async || {
        let page = acme.ask(&acme.ann.token, of(BOB)).await.unwrap().secrets;
        let of_source = page.into_iter().find(|each| each.secret == source).unwrap();
        (of_source.version, of_source.state(), of_source.count, !of_source.copied_from.is_empty())
    };
    assert_eq!(seen().await, (2, Current, 1, false));
    let back = v1::RollbackSecretRequest { name: source.into(), version: 1, ..Default::default() };
    secrets.rollback_secret(back).await.unwrap();
    assert_eq!(seen().await, (3, Current, 1, true));
}

async fn more_copies_than_are_looked_at_are_not_missing_without_a_word(database: &TestDatabase) {
    const LOOKED_AT: usize = 5_000;
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.secret("A").await;
    acme.resolve(&acme.bob.token).await;
    let copies = async |from: usize, to: usize| {
        let values = (from..to).map(|number| (format!("COPY_{number}"), "x".to_owned()));
        acme.organization.secrets(acme.organization.scope(), values, plain).await;
        let source = "SELECT uid FROM secrets WHERE secret_id = 'A'";
        let copied = format!(
            "UPDATE secret_versions SET source_secret_uid = ({source}), source_version = 1 WHERE secret_uid NOT IN ({source})"
        );
        acme.organization.execute(&copied).await;
        let page = acme.ask(&acme.ann.token, of(BOB)).await.unwrap();
        (page.secrets.len(), page.copies_incomplete)
    };
    // With the one that was received.
    assert_eq!(copies(0, LOOKED_AT - 1).await, (LOOKED_AT, false));
    assert_eq!(copies(LOOKED_AT - 1, LOOKED_AT).await, (LOOKED_AT, true));
}

async fn an_account_has_received_what_its_sessions_did(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.secret("A").await;
    let carol = acme.organization.member("carol").await;
    acme.organization.bind(&carol, Role::Member, acme.organization.project_resource(acme.api)).await;
    let sandboxd = server.program(&server.operator, "platform", "sandboxd").await;
    server.bind(&server.operator, "platform", "serviceAccounts/sandboxd", v1::Role::Delegate).await.unwrap();
    // Bob's own, carol's, and one for bob by a program of the platform.
    for (token, user) in [(&acme.bob.token, "bob"), (&carol.token, "carol"), (&sandboxd, "bob")] {
        let context =
            v1::Context { organization: "acme".into(), project: "api".into(), user: user.into(), ..Default::default() };
        let request = v1::CreateSessionRequest { context: Some(context), ..Default::default() };
        let session = server.access(token).create_session(request).await.unwrap().into_inner().token;
        acme.resolve(&session).await;
        server.wait(Duration::from_secs(1));
    }
    for (principal, count) in [
        ("organizations/acme/users/bob", Some(2)),
        ("organizations/acme/users/carol", Some(1)),
        ("serviceAccounts/sandboxd", Some(1)),
        ("organizations/acme/users/ann", None),
    ] {
        let exposure = acme.exposure(principal).await;
        assert_eq!(exposure.get("A").map(|each| each.count), count, "{principal}");
    }
}

async fn a_session_has_received_what_it_did_itself(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.secret("A").await;
    acme.resolve(&acme.bob.token).await;
    let (token, name) = acme.session(&acme.bob, Some(&acme.bob)).await;
    assert_eq!(acme.exposure(&name).await.len(), 0);
    acme.resolve(&token).await;
    assert_eq!(acme.exposure(&name).await["A"].count, 1);
    assert_eq!(acme.exposure(BOB).await["A"].count, 2);
}

async fn pages_go_on_where_the_one_before_ended(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    // Each delivery has one secret more than the one before.
    for name in ["A", "B", "C"] {
        acme.secret(name).await;
        acme.resolve(&acme.bob.token).await;
        server.wait(Duration::from_secs(1));
    }
    for _ in 0..3 {
        let (token, _) = acme.session(&acme.bob, Some(&acme.bob)).await;
        acme.resolve(&token).await;
        server.wait(Duration::from_secs(1));
    }
    acme.secret("D").await;
    let (token, _) = acme.session(&acme.bob, Some(&acme.bob)).await;
    acme.resolve(&token).await;

    let (mut request, mut counts, mut sizes) = (of(BOB), BTreeMap::<String, u64>::new(), Vec::new());
    request.page_size = 3;
    let last = loop {
        let page = acme.ask(&acme.ann.token, request.clone()).await.unwrap();
        sizes.push(page.secrets.len());
        for each in page.secrets {
            *counts.entry(id(&each)).or_default() += each.count;
        }
        if page.next_page_token.is_empty() {
            break request;
        }
        request.page_token = page.next_page_token;
    };
    // The newest session comes after bob's own, and does not fit beside them.
    assert_eq!(sizes, [3, 4]);
    assert_eq!(counts, [("A", 7), ("B", 6), ("C", 5), ("D", 1)].map(|(id, count)| (id.to_owned(), count)).into());
    let other = v1::ListExposureRequest { principal: "organizations/acme/users/ann".into(), ..last };
    assert_eq!(refusal(acme.ask(&acme.ann.token, other).await).reason, "INVALID_PAGE_TOKEN");
}

async fn a_page_looks_through_so_many_events(database: &TestDatabase) {
    const SEARCHED: usize = 10_000;
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.secret("A").await;
    acme.resolve(&acme.bob.token).await;
    let row = |number: usize| AuditRecord {
        organization: Some(acme.organization.organization),
        principal_name: BOB.to_owned(),
        // Several at each time.
        ..AuditRecord::without_call(
            Uid::from_u128(number as u128 + 1),
            server.clock.now().saturating_add(Duration::from_micros(number as u64 / 3)),
            "authenticate",
            "ALLOWED",
        )
    };
    let rows: Vec<_> = (0..2 * SEARCHED - 1).map(row).collect();
    let tx = server.app.store().begin().await.unwrap();
    secrets_server::store::audit::insert_many(&tx, &rows).await.unwrap();
    secrets_server::store::commit(tx).await.unwrap();

    let (mut request, mut counts) = (of(BOB), Vec::new());
    loop {
        let page = acme.ask(&acme.ann.token, request.clone()).await.unwrap();
        counts.push(page.secrets.iter().map(|each| each.count).sum::<u64>());
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    // Whether there is another event is seen by the next page.
    assert_eq!(counts, [0, 1, 0]);
}

async fn shows_a_users_own_secrets_to_others_by_uid_alone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let private = acme.organization.secret(user_scope(acme.bob.uid), "DATING_APP_KEY", "x", plain).await;
    acme.organization.secret(user_scope(acme.ann.uid), "ANNS_OWN", "x", plain).await;
    acme.organization.secret(acme.organization.scope(), "SHARED", "x", plain).await;
    acme.resolve(&acme.bob.token).await;
    acme.resolve(&acme.ann.token).await;
    let bob = acme.ask(&acme.ann.token, of(BOB)).await.unwrap().secrets;
    assert!(!format!("{bob:?}").contains("DATING"), "{bob:?}");
    let mut seen: Vec<_> = bob.iter().map(|each| (each.secret.as_str(), each.uid.as_str(), each.state())).collect();
    seen.sort_unstable();
    assert_eq!(seen[0], ("", private.to_string().as_str(), Current));
    assert_eq!(seen[1].0, "organizations/acme/secrets/SHARED");
    let own = acme.ask(&acme.ann.token, of("organizations/acme/users/ann")).await.unwrap().secrets;
    assert!(own.iter().any(|each| each.secret == "organizations/acme/users/ann/secrets/ANNS_OWN"), "{own:?}");
}

async fn is_for_admins_and_auditors(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let auditor = acme.organization.user("audrey").await;
    acme.organization.bind(&auditor, Role::Auditor, acme.organization.level()).await;
    let (session, _) = acme.session(&acme.ann, Some(&acme.ann)).await;
    let globex = TestOrganization::new(&server, "globex").await;
    let mallory = globex.member("mallory").await;
    globex.bind(&mallory, Role::Admin, globex.level()).await;
    acme.resolve(&acme.bob.token).await;
    for (who, token, may) in [
        ("an admin", &acme.ann.token, true),
        ("an auditor", &auditor.token, true),
        ("a member about themselves", &acme.bob.token, false),
        ("a session of an admin", &session, false),
        ("an admin of another organization", &mallory.token, false),
        ("the operator", &server.operator, false),
    ] {
        // Nobody learns by being refused whether there is somebody.
        for principal in [BOB, "organizations/acme/users/nobody"] {
            match acme.ask(token, of(principal)).await {
                Ok(_) => assert!(may && principal == BOB, "{who}"),
                refused => {
                    let code = if may { Code::NotFound } else { Code::PermissionDenied };
                    assert_eq!(refusal(refused).code, code, "{who}");
                    assert!(!may || principal != BOB, "{who}");
                }
            }
        }
    }
}

async fn finds_who_was_deleted_and_nobody_who_never_was(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.secret("A").await;
    let (token, session) = acme.session(&acme.bob, Some(&acme.bob)).await;
    acme.resolve(&token).await;
    let delete = v1::DeleteUserRequest { name: BOB.into(), ..Default::default() };
    // He himself has never called: what is left are his sessions, as long as he is there.
    assert_eq!(acme.exposure(BOB).await["A"].count, 1);
    acme.resolve(&acme.bob.token).await;
    server.directory(&acme.ann.token).delete_user(delete).await.unwrap();
    assert_eq!(acme.exposure(BOB).await["A"].count, 2);
    assert_eq!(acme.exposure(&session).await["A"].count, 1);
    for unknown in [
        "organizations/acme/users/nobody",
        "organizations/acme/serviceAccounts/nobody",
        "serviceAccounts/nobody",
        "organizations/acme/sessions/7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11",
    ] {
        let refused = refusal(acme.ask(&acme.ann.token, of(unknown)).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"), "{unknown}");
    }
    assert_eq!(acme.exposure("operator").await.len(), 0);
}

async fn whoever_had_a_name_has_received_what_their_sessions_did(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.secret("A").await;
    let agent = acme.organization.service_account("agent").await;
    acme.organization.bind(&agent, Role::Resolver, acme.organization.project_resource(acme.api)).await;
    // Neither of them ever calls.
    for (creator, user) in [(&acme.bob, Some(&acme.bob)), (&agent, None)] {
        let (token, _) = acme.session(creator, user).await;
        acme.resolve(&token).await;
    }
    let count = async |principal: &str| acme.exposure(principal).await.get("A").map(|each| each.count);
    let mut directory = server.directory(&acme.ann.token);
    let service_account = "organizations/acme/serviceAccounts/agent";
    let delete = v1::DeleteServiceAccountRequest { name: service_account.into(), ..Default::default() };
    directory.delete_service_account(delete).await.unwrap();
    let delete = v1::DeleteUserRequest { name: BOB.into(), ..Default::default() };
    directory.delete_user(delete).await.unwrap();
    assert_eq!((count(BOB).await, count(service_account).await), (Some(1), Some(1)));
    // Another one of the same name hides nothing of the first, even once they have called.
    let again = acme.organization.member("bob").await;
    acme.organization.bind(&again, Role::Member, acme.organization.project_resource(acme.api)).await;
    assert_eq!(count(BOB).await, Some(1));
    acme.resolve(&again.token).await;
    assert_eq!((count(BOB).await, count(service_account).await), (Some(2), Some(1)));
}

async fn says_from_when_on_it_is_complete(database: &TestDatabase) {
    let retention =
        Retention { audit_deliveries: Some(DAY * 400), audit_changes: Some(DAY * 500), ..Default::default() };
    let settings = Settings { retention, ..Settings::default() };
    let server = TestServer::start_with_settings(database, settings).await;
    let acme = Acme::new(&server).await;
    let (_, session) = acme.session(&acme.bob, Some(&acme.bob)).await;
    // Before the organization there was nothing.
    let page = acme.ask(&acme.ann.token, of(BOB)).await.unwrap();
    assert_eq!((page.complete_since, page.sessions_complete_since), (None, None));
    server.wait(DAY * 600);
    let days = |time: Option<prost_types::Timestamp>| {
        time.map(|time| (server.clock.now().as_micros() / 1_000_000 - time.seconds) / (24 * 60 * 60))
    };
    for (principal, sessions) in [(BOB, Some(30)), (session.as_str(), None)] {
        let page = acme.ask(&acme.ann.token, of(principal)).await.unwrap();
        assert_eq!((days(page.complete_since), days(page.sessions_complete_since)), (Some(400), sessions));
    }
}

async fn names_the_fields_of_a_bad_question(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    for (request, field, reason) in [
        (v1::ListExposureRequest { parent: "platform".into(), ..of(BOB) }, "parent", "INVALID_RESOURCE_NAME"),
        (of(""), "principal", "INVALID_RESOURCE_NAME"),
        (of("organizations/globex/users/bob"), "principal", "INVALID_RESOURCE_NAME"),
        (v1::ListExposureRequest { page_size: -1, ..of(BOB) }, "page_size", "INVALID_ARGUMENT_VALUE"),
    ] {
        let refused = refusal(acme.ask(&acme.ann.token, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, reason), "{field}");
        assert_eq!(refused.fields, [field]);
    }
}

async fn is_recorded_itself(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.ask(&acme.ann.token, of(BOB)).await.unwrap();
    acme.ask(&acme.bob.token, of(BOB)).await.unwrap_err();
    let request = v1::ListAuditEventsRequest {
        parent: "organizations/acme".into(),
        action: "secretsapi.v1.AuditService/ListExposure".into(),
        ..Default::default()
    };
    let events = server.audit(&acme.ann.token).list_audit_events(request).await.unwrap().into_inner().events;
    let mut seen: Vec<_> = events
        .iter()
        .map(|event| (event.principal.as_str(), event.resource.as_str(), event.outcome(), event.delivered.len()))
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            ("organizations/acme/users/ann", "organizations/acme", v1::AuditOutcome::Allowed, 0),
            (BOB, "organizations/acme", v1::AuditOutcome::Denied, 0),
        ]
    );
}
