//! ListAuditEvents: who did what, who received which secret, and who may know.

use std::time::Duration;

use secrets_core::{Role, SessionRestrictions};
use secrets_proto::v1;
use secrets_server::clock::Clock;
use tonic::{Code, Request, Status};

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestAccount, TestOrganization, plain, project_scope, user_scope};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    shows_the_callers_request_id_beside_its_own,
    shows_who_received_a_secret_and_which_version,
    lists_every_event_of_a_secret,
    finds_a_deleted_secret_too,
    finds_events_of_a_principal_and_a_time,
    finds_events_of_an_action_an_outcome_and_a_project,
    looks_through_so_many_events_a_page,
    says_which_fields_were_changed,
    marks_listings_by_completion_and_nothing_else,
    leaves_out_listings_by_completion_and_counts_them,
    pages_with_tokens_bound_to_the_question,
    pages_end_where_the_details_of_events_would_be_too_large,
    shows_a_users_own_secrets_to_others_by_uid_alone,
    is_for_admins_and_auditors_and_for_users_about_their_own,
    names_the_fields_of_a_bad_question,
    records_who_was_denied_and_why,
);

const RESOLVE: &str = "secretsapi.v1.ResolveService/Resolve";

struct Acme<'a> {
    organization: TestOrganization<'a>,
    ann: TestAccount,
    bob: TestAccount,
    api: secrets_core::Uid,
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

    async fn resolve(&self, token: &str) -> Result<v1::ResolveResponse, Status> {
        let context = v1::Context { organization: "acme".into(), project: "api".into(), ..Default::default() };
        let request = v1::ResolveRequest { context: Some(context), ..Default::default() };
        self.organization.server.resolver(token).resolve(request).await.map(tonic::Response::into_inner)
    }

    async fn list(
        &self,
        token: &str,
        request: v1::ListAuditEventsRequest,
    ) -> Result<v1::ListAuditEventsResponse, Status> {
        self.organization.server.audit(token).list_audit_events(request).await.map(tonic::Response::into_inner)
    }

    async fn ann_lists(&self, request: v1::ListAuditEventsRequest) -> Vec<v1::AuditEvent> {
        self.list(&self.ann.token, request).await.unwrap().events
    }
}

fn of_acme() -> v1::ListAuditEventsRequest {
    v1::ListAuditEventsRequest { parent: "organizations/acme".into(), ..Default::default() }
}

fn about(secret: &str) -> v1::ListAuditEventsRequest {
    v1::ListAuditEventsRequest { secret: format!("organizations/acme/{secret}"), ..of_acme() }
}

/// A caller chooses an id for its own logs, and can't pass its calls off as those of others.
async fn shows_the_callers_request_id_beside_its_own(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    for given in ["trace-7", "trace-7", "not sane"] {
        let mut request = Request::new(v1::WhoAmIRequest {});
        request.metadata_mut().insert("x-request-id", given.parse().unwrap());
        let answer = server.access(&acme.bob.token).who_am_i(request).await.unwrap();
        assert_ne!(answer.metadata().get("x-request-id").unwrap(), given);
    }
    let mut events = acme.ann_lists(of_acme()).await;
    events.retain(|event| event.action.ends_with("/WhoAmI"));
    let mut given: Vec<_> = events.iter().map(|event| event.caller_request_id.as_str()).collect();
    given.sort_unstable();
    assert_eq!(given, ["", "trace-7", "trace-7"]);
    let own: std::collections::BTreeSet<_> = events.iter().map(|event| &event.request_id).collect();
    assert_eq!(own.len(), 3, "{events:?}");
}

async fn shows_who_received_a_secret_and_which_version(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let stripe = acme
        .organization
        .secret(project_scope(acme.api), "STRIPE_SECRET", "sk", |secret, _| secret.current_version = 3);
    let stripe = stripe.await;
    acme.organization.secret(acme.organization.scope(), "OTHER", "x", plain).await;
    acme.resolve(&acme.bob.token).await.unwrap();
    server.wait(Duration::from_secs(10));
    let of_session = acme.organization.context(Some(acme.api), None, Some(acme.bob.uid));
    let session = acme.organization.session(&acme.bob, of_session, &SessionRestrictions::default()).await;
    acme.resolve(&session).await.unwrap();
    // Neither a listing nor an answer without the secret is about it.
    acme.ann_lists(of_acme()).await;
    server.wait(Duration::from_secs(10));
    let narrowed = SessionRestrictions { secret_ids: Some(Default::default()), ..SessionRestrictions::default() };
    let nothing = acme.organization.session(&acme.bob, of_session, &narrowed).await;
    acme.resolve(&nothing).await.unwrap();

    let events = acme.ann_lists(about("projects/api/secrets/STRIPE_SECRET")).await;
    assert_eq!(events.len(), 2);
    assert!(events[0].principal.starts_with("organizations/acme/sessions/"), "{}", events[0].principal);
    assert!(events[0].event_time.unwrap().seconds - events[1].event_time.unwrap().seconds == 10);
    let first = &events[1];
    assert_eq!(first.principal, "organizations/acme/users/bob");
    assert_eq!((first.action.as_str(), first.resource.as_str()), (RESOLVE, "organizations/acme/projects/api"));
    assert_eq!((first.outcome(), first.reason.as_str()), (v1::AuditOutcome::Allowed, ""));
    assert!(!first.request_id.is_empty() && first.peer.starts_with("127.0.0.1:"), "{first:?}");
    let delivered = v1::DeliveredSecret {
        secret: "organizations/acme/projects/api/secrets/STRIPE_SECRET".into(),
        uid: stripe.to_string(),
        version: 3,
    };
    assert_eq!(first.delivered, [delivered]);

    let all = acme.ann_lists(of_acme()).await;
    let resolves: Vec<_> = all.iter().filter(|event| event.action == RESOLVE).collect();
    let sizes: Vec<_> = resolves.iter().map(|event| event.delivered.len()).collect();
    assert_eq!(sizes, [0, 2, 2]);
}

async fn lists_every_event_of_a_secret(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let name = "organizations/acme/projects/api/secrets/STRIPE_SECRET";
    let value = |text: &str| Some(v1::SecretValue { value: Some(v1::secret_value::Value::Text(text.into())) });
    let mut admin = server.secrets(&acme.ann.token);
    let next = || server.wait(Duration::from_secs(1));

    let parent = "organizations/acme/projects/api".to_owned();
    let create = v1::CreateSecretRequest {
        parent,
        secret_id: "STRIPE_SECRET".into(),
        value: value("sk_1"),
        ..Default::default()
    };
    let created = admin.create_secret(create).await.unwrap().into_inner().secret.unwrap();
    next();
    acme.resolve(&acme.bob.token).await.unwrap();
    next();
    let secret = Some(v1::Secret { name: name.into(), ..Default::default() });
    let update = v1::UpdateSecretRequest { secret, value: value("sk_2"), ..Default::default() };
    admin.update_secret(update).await.unwrap();
    next();
    let delete = || v1::DeleteSecretRequest { name: name.into(), ..Default::default() };
    assert!(server.secrets(&acme.bob.token).delete_secret(delete()).await.is_err());
    next();
    acme.resolve(&acme.bob.token).await.unwrap();
    next();
    admin.delete_secret(delete()).await.unwrap();

    let events = acme.ann_lists(about("projects/api/secrets/STRIPE_SECRET")).await;
    let recorded: Vec<_> = events
        .iter()
        .rev()
        .map(|event| {
            let action = event.action.rsplit('/').next().unwrap();
            let principal = event.principal.rsplit('/').next().unwrap();
            (principal, action, event.outcome(), event.delivered.first().map(|each| each.version))
        })
        .collect();
    let (allowed, denied) = (v1::AuditOutcome::Allowed, v1::AuditOutcome::Denied);
    assert_eq!(
        recorded,
        [
            ("ann", "CreateSecret", allowed, None),
            ("bob", "Resolve", allowed, Some(1)),
            // Her value was compared with the one that she may receive.
            ("ann", "UpdateSecret", allowed, Some(1)),
            ("bob", "Resolve", allowed, Some(2)),
            ("ann", "DeleteSecret", allowed, None),
        ]
    );
    assert_eq!(events.last().unwrap().resource, name);
    assert!(events.iter().flat_map(|event| &event.delivered).all(|each| each.uid == created.uid));
    assert!(!format!("{events:?}").contains("sk_"));
    // A denial comes before any look-up that could tell whether the secret exists, and so knows the path alone.
    let denials = acme.ann_lists(of_acme()).await;
    let denials: Vec<_> = denials.iter().filter(|event| event.outcome() == denied).collect();
    assert_eq!((denials.len(), denials[0].resource.as_str()), (1, name));
}

async fn finds_a_deleted_secret_too(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let old = acme.organization.secret(project_scope(acme.api), "TOKEN", "old", plain).await;
    acme.resolve(&acme.bob.token).await.unwrap();
    let tx = server.app.store().begin().await.unwrap();
    let stamp =
        secrets_server::store::secret::Stamp { revision: 2, time: server.clock.now(), updater: "operator".to_owned() };
    assert!(
        secrets_server::store::secret::delete(&tx, acme.organization.organization, old, server.clock.now(), &stamp)
            .await
            .unwrap()
    );
    secrets_server::store::commit(tx).await.unwrap();
    let events = acme.ann_lists(about("projects/api/secrets/TOKEN")).await;
    assert_eq!(events[0].delivered[0].uid, old.to_string());
    assert_eq!(events[0].delivered[0].secret, "organizations/acme/projects/api/secrets/TOKEN");

    // Another of the same name: the log tells of both.
    server.wait(Duration::from_secs(1));
    let new = acme.organization.secret(project_scope(acme.api), "TOKEN", "new", plain).await;
    acme.resolve(&acme.bob.token).await.unwrap();
    let events = acme.ann_lists(about("projects/api/secrets/TOKEN")).await;
    let uids: Vec<_> = events.iter().map(|event| event.delivered[0].uid.clone()).collect();
    assert_eq!(uids, [new.to_string(), old.to_string()]);
}

async fn finds_events_of_a_principal_and_a_time(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let start = server.clock.now();
    for token in [&acme.bob.token, &acme.ann.token, &acme.bob.token] {
        acme.resolve(token).await.unwrap();
        server.wait(Duration::from_secs(60));
    }
    let by = |principal: &str| v1::ListAuditEventsRequest { principal: principal.into(), ..of_acme() };
    let at = |seconds| {
        let micros = start.saturating_add(Duration::from_secs(seconds)).as_micros();
        Some(prost_types::Timestamp {
            seconds: micros.div_euclid(1_000_000),
            nanos: i32::try_from(micros.rem_euclid(1_000_000)).unwrap() * 1_000,
        })
    };
    assert_eq!(acme.ann_lists(by("organizations/acme/users/bob")).await.len(), 2);
    assert_eq!(acme.ann_lists(by("organizations/acme/users/nobody")).await.len(), 0);
    let second = v1::ListAuditEventsRequest { start_time: at(60), end_time: at(120), ..of_acme() };
    let principals: Vec<_> = acme.ann_lists(second).await.into_iter().map(|event| event.principal).collect();
    assert_eq!(principals, ["organizations/acme/users/ann"]);
    let last = v1::ListAuditEventsRequest { start_time: at(61), ..by("organizations/acme/users/bob") };
    assert_eq!(acme.ann_lists(last).await.len(), 1);
}

async fn finds_events_of_an_action_an_outcome_and_a_project(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization.secret(project_scope(acme.api), "A", "x", plain).await;
    let carol = acme.organization.member("carol").await;
    acme.resolve(&acme.bob.token).await.unwrap();
    assert!(acme.resolve(&carol.token).await.is_err());
    server
        .secrets(&acme.bob.token)
        .delete_secret(v1::DeleteSecretRequest {
            name: "organizations/acme/projects/api/secrets/A".into(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    acme.ann_lists(of_acme()).await;

    let ask = async |request: v1::ListAuditEventsRequest| -> Vec<(String, String)> {
        let mut seen: Vec<_> = acme
            .ann_lists(request)
            .await
            .into_iter()
            .map(|event| {
                let last = |path: &str| path.rsplit('/').next().unwrap().to_owned();
                (last(&event.principal), last(&event.action))
            })
            .collect();
        seen.sort();
        seen
    };
    let pair = |who: &str, what: &str| (who.to_owned(), what.to_owned());
    let action = |action: &str| v1::ListAuditEventsRequest { action: action.into(), ..of_acme() };
    assert_eq!(ask(action(RESOLVE)).await, [pair("bob", "Resolve"), pair("carol", "Resolve")]);
    let denied = |request| v1::ListAuditEventsRequest { outcome: v1::AuditOutcome::Denied.into(), ..request };
    assert_eq!(ask(denied(of_acme())).await, [pair("bob", "DeleteSecret"), pair("carol", "Resolve")]);
    assert_eq!(ask(denied(action(RESOLVE))).await, [pair("carol", "Resolve")]);
    let in_api = v1::ListAuditEventsRequest { scope: "organizations/acme/projects/api".into(), ..of_acme() };
    let of_api = [pair("bob", "DeleteSecret"), pair("bob", "Resolve"), pair("carol", "Resolve")];
    assert_eq!(ask(in_api).await, of_api);
    let in_ap = v1::ListAuditEventsRequest { scope: "organizations/acme/projects/ap".into(), ..of_acme() };
    assert!(ask(in_ap).await.is_empty());
}

async fn looks_through_so_many_events_a_page(database: &TestDatabase) {
    const SEARCHED: usize = 10_000;
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let row = |number: usize, outcome: &str| secrets_server::store::audit::AuditRecord {
        organization: Some(acme.organization.organization),
        ..secrets_server::store::audit::AuditRecord::without_call(
            secrets_core::Uid::from_u128(number as u128 + 1),
            server.clock.now().saturating_add(Duration::from_micros(number as u64)),
            "authenticate",
            outcome,
        )
    };
    let mut rows: Vec<_> = (0..2 * SEARCHED + 5).map(|number| row(number, "ALLOWED")).collect();
    rows[1].outcome = "DENIED".to_owned();
    let tx = server.app.store().begin().await.unwrap();
    secrets_server::store::audit::insert_many(&tx, &rows).await.unwrap();
    secrets_server::store::commit(tx).await.unwrap();

    let mut request = v1::ListAuditEventsRequest {
        outcome: v1::AuditOutcome::Denied.into(),
        action: "authenticate".into(),
        ..of_acme()
    };
    let mut sizes = Vec::new();
    loop {
        let page = acme.list(&acme.ann.token, request.clone()).await.unwrap();
        sizes.push(page.events.len());
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(sizes, [0, 0, 1]);
    let other = v1::ListAuditEventsRequest { outcome: v1::AuditOutcome::Failed.into(), ..request };
    assert_eq!(refusal(acme.list(&acme.ann.token, other).await).reason, "INVALID_PAGE_TOKEN");
}

async fn says_which_fields_were_changed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization.secret(project_scope(acme.api), "A", "x", plain).await;
    let name = "organizations/acme/projects/api/secrets/A".to_owned();
    let labels = [("marker".to_owned(), "marker".to_owned())].into();
    let secret = v1::Secret { name, description: "marker-of-a-text".into(), labels, ..Default::default() };
    for value in [None, Some("marker-of-a-value"), Some("marker-of-a-value")] {
        let value = value.map(|text| v1::SecretValue { value: Some(v1::secret_value::Value::Text(text.into())) });
        let update = v1::UpdateSecretRequest { secret: Some(secret.clone()), value, ..Default::default() };
        server.secrets(&acme.ann.token).update_secret(update).await.unwrap();
        server.wait(Duration::from_secs(1));
    }
    let organization = v1::Organization {
        name: "organizations/acme".into(),
        display_name: "marker-of-a-name".into(),
        allowed_reserved: vec!["PAGER".into()],
        ..Default::default()
    };
    let update = v1::UpdateOrganizationRequest { organization: Some(organization), ..Default::default() };
    server.directory(&acme.ann.token).update_organization(update).await.unwrap();
    let events = acme.ann_lists(of_acme()).await;
    let changed: Vec<_> = events
        .iter()
        .rev()
        .filter(|event| event.action.contains("/Update"))
        .map(|event| event.changed_fields.join(","))
        .collect();
    // The value is the same the second time.
    assert_eq!(changed, ["description,labels", "value", "", "display_name,allowed_reserved"]);
    assert!(!format!("{events:?}").contains("marker"));
}

/// A request whose caller says what it is for.
fn with_purpose<T>(message: T, purpose: &'static str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-purpose", tonic::metadata::MetadataValue::from_static(purpose));
    request
}

fn listing(project: &str) -> v1::ListSecretsRequest {
    v1::ListSecretsRequest { parent: format!("organizations/acme/projects/{project}"), ..Default::default() }
}

/// Whoever has their calls left out hides no change, no delivery and no refusal.
async fn marks_listings_by_completion_and_nothing_else(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization.project("web").await;
    acme.organization.secret(project_scope(acme.api), "A", "x", plain).await;
    acme.organization.secret(user_scope(acme.bob.uid), "OWN", "x", plain).await;
    let context = Some(v1::Context { organization: "acme".into(), project: "api".into(), ..Default::default() });
    let completion = "completion";
    let (mut secrets, mut resolver) = (server.secrets(&acme.bob.token), server.resolver(&acme.bob.token));
    let mut access = server.access(&acme.bob.token);

    secrets.list_secrets(with_purpose(listing("api"), completion)).await.unwrap();
    let explain = v1::ExplainRequest { context: context.clone(), ..Default::default() };
    resolver.explain(with_purpose(explain, completion)).await.unwrap();
    let projects = v1::ListProjectsRequest { parent: "organizations/acme".into(), ..Default::default() };
    server.directory(&acme.bob.token).list_projects(with_purpose(projects, completion)).await.unwrap();
    access.who_am_i(with_purpose(v1::WhoAmIRequest {}, completion)).await.unwrap();

    access.who_am_i(with_purpose(v1::WhoAmIRequest {}, "backup")).await.unwrap();
    assert!(secrets.list_secrets(with_purpose(listing("web"), completion)).await.is_err());
    let resolve = v1::ResolveRequest { context, ..Default::default() };
    resolver.resolve(with_purpose(resolve, completion)).await.unwrap();
    let name = || "organizations/acme/users/bob/secrets/OWN".to_owned();
    let get = v1::GetSecretRequest { name: name() };
    secrets.get_secret(with_purpose(get, completion)).await.unwrap();
    let secret = Some(v1::Secret { name: name(), description: "changed".into(), ..Default::default() });
    let update = v1::UpdateSecretRequest { secret, ..Default::default() };
    secrets.update_secret(with_purpose(update, completion)).await.unwrap();

    let by_bob = || v1::ListAuditEventsRequest { principal: "organizations/acme/users/bob".into(), ..of_acme() };
    let events = acme.ann_lists(by_bob()).await;
    let named = |is_marked: bool| {
        let chosen = events.iter().filter(|event| (event.purpose() == v1::CallPurpose::Completion) == is_marked);
        let mut names: Vec<_> =
            chosen.map(|event| (event.action.rsplit('/').next().unwrap(), event.outcome().as_str_name())).collect();
        names.sort_unstable();
        names
    };
    let (allowed, denied) = ("AUDIT_OUTCOME_ALLOWED", "AUDIT_OUTCOME_DENIED");
    let marked = ["Explain", "ListProjects", "ListSecrets", "WhoAmI"].map(|name| (name, allowed));
    assert_eq!(named(true), marked);
    let others = [
        ("GetSecret", allowed),
        ("ListSecrets", denied),
        ("Resolve", allowed),
        ("UpdateSecret", allowed),
        ("WhoAmI", allowed),
    ];
    assert_eq!(named(false), others);

    let page =
        acme.list(&acme.ann.token, v1::ListAuditEventsRequest { exclude_completion: true, ..by_bob() }).await.unwrap();
    assert_eq!((page.events.len(), page.excluded_count), (others.len(), 4));
}

async fn leaves_out_listings_by_completion_and_counts_them(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization.secret(project_scope(acme.api), "A", "x", plain).await;
    for round in 0..9 {
        for _ in 0..round % 4 {
            let request = with_purpose(listing("api"), "completion");
            server.secrets(&acme.bob.token).list_secrets(request).await.unwrap();
        }
        server.secrets(&acme.bob.token).list_secrets(listing("api")).await.unwrap();
        // Some have the same time.
        server.wait(Duration::from_secs(round % 2));
    }
    let mut request = v1::ListAuditEventsRequest {
        exclude_completion: true,
        scope: "organizations/acme/projects/api".into(),
        page_size: 2,
        ..of_acme()
    };
    let (mut listed, mut excluded) = (0, Vec::new());
    loop {
        let page = acme.list(&acme.ann.token, request.clone()).await.unwrap();
        assert!(page.events.iter().all(|event| event.purpose() == v1::CallPurpose::Unspecified));
        listed += page.events.len();
        excluded.push(page.excluded_count);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((listed, excluded.iter().sum::<u32>()), (9, 12), "{excluded:?}");
    assert!(excluded.iter().filter(|count| **count > 0).count() > 2, "{excluded:?}");

    let other = v1::ListAuditEventsRequest { exclude_completion: false, ..request.clone() };
    assert_eq!(refusal(acme.list(&acme.ann.token, other).await).reason, "INVALID_PAGE_TOKEN");
    let all =
        v1::ListAuditEventsRequest { exclude_completion: false, page_size: 0, page_token: String::new(), ..request };
    let all = acme.list(&acme.ann.token, all).await.unwrap();
    assert_eq!((all.events.len(), all.excluded_count), (21, 0));
    let secret = v1::ListAuditEventsRequest { exclude_completion: true, ..about("projects/api/secrets/A") };
    assert_eq!(acme.list(&acme.ann.token, secret).await.unwrap().excluded_count, 0);
}

async fn pages_with_tokens_bound_to_the_question(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization.secret(project_scope(acme.api), "A", "a", plain).await;
    for _ in 0..5 {
        acme.resolve(&acme.bob.token).await.unwrap();
    }
    let page = |token: &str| v1::ListAuditEventsRequest {
        page_size: 2,
        page_token: token.into(),
        principal: "organizations/acme/users/bob".into(),
        ..of_acme()
    };
    let (mut seen, mut token, mut sizes) = (std::collections::BTreeSet::new(), String::new(), Vec::new());
    loop {
        let answer = acme.list(&acme.ann.token, page(&token)).await.unwrap();
        sizes.push(answer.events.len());
        seen.extend(answer.events.into_iter().map(|event| event.uid));
        if answer.next_page_token.is_empty() {
            break;
        }
        token = answer.next_page_token;
    }
    assert_eq!((seen.len(), sizes), (5, vec![2, 2, 1]));

    for other in [
        v1::ListAuditEventsRequest { principal: String::new(), ..page(&token) },
        v1::ListAuditEventsRequest { start_time: Some(prost_types::Timestamp::default()), ..page(&token) },
        v1::ListAuditEventsRequest { secret: "organizations/acme/projects/api/secrets/A".into(), ..page(&token) },
        page("bm90IG9uZSBvZiBvdXJz"),
        page("%%%"),
    ] {
        let refused = refusal(acme.list(&acme.ann.token, other).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_PAGE_TOKEN"));
    }
}

async fn pages_end_where_the_details_of_events_would_be_too_large(database: &TestDatabase) {
    const CHANGES: usize = 12;
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    for change in 0..CHANGES {
        // As many and as long as they can be, and all others than before.
        let long =
            |number: usize| format!("/etc/ssl/certs/{change:02}{number:02}{}", format!("/{:x<202}", "").repeat(20));
        let organization = v1::Organization {
            name: "organizations/acme".into(),
            allowed_reserved: (0..100).map(long).collect(),
            ..Default::default()
        };
        let request = v1::UpdateOrganizationRequest { organization: Some(organization), ..Default::default() };
        server.directory(&acme.ann.token).update_organization(request).await.unwrap();
    }
    let (mut seen, mut request) = (std::collections::BTreeMap::new(), of_acme());
    loop {
        let page = acme.list(&acme.ann.token, request.clone()).await.unwrap();
        assert!(!page.events.is_empty());
        for event in page.events.into_iter().filter(|event| event.action.ends_with("/UpdateOrganization")) {
            assert_eq!(event.allowed_reserved.len(), 100);
            assert!(seen.insert(event.uid, event.disallowed_reserved.len()).is_none(), "an event comes once");
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((seen.len(), seen.values().sum::<usize>()), (CHANGES, 100 * (CHANGES - 1)));
}

async fn shows_a_users_own_secrets_to_others_by_uid_alone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let private = acme.organization.secret(user_scope(acme.bob.uid), "DATING_APP_KEY", "x", plain).await;
    acme.organization.secret(user_scope(acme.ann.uid), "ANNS_OWN", "x", plain).await;
    acme.organization.secret(acme.organization.scope(), "SHARED", "x", plain).await;
    acme.resolve(&acme.bob.token).await.unwrap();
    acme.resolve(&acme.ann.token).await.unwrap();
    // An event about the secret itself, as changing it leaves one.
    let row = secrets_server::store::audit::AuditRecord {
        uid: secrets_core::Uid::from_u128(1),
        kind: secrets_server::store::audit::AuditKind::Change,
        create_time: server.clock.now(),
        organization: Some(acme.organization.organization),
        request_id: String::new(),
        caller_request_id: String::new(),
        purpose: None,
        principal_kind: "USER".to_owned(),
        principal_uid: Some(acme.bob.uid),
        principal_name: "organizations/acme/users/bob".to_owned(),
        credential: None,
        peer: String::new(),
        action: "secretsapi.v1.SecretService/UpdateSecret".to_owned(),
        resource_name: "organizations/acme/users/bob/secrets/DATING_APP_KEY".to_owned(),
        resource_uid: Some(private),
        outcome: "ALLOWED".to_owned(),
        reason: String::new(),
        revision: None,
        set_digest: None,
        detail: String::new(),
    };
    let tx = server.app.store().begin().await.unwrap();
    secrets_server::store::audit::insert_many(&tx, &[row]).await.unwrap();
    secrets_server::store::commit(tx).await.unwrap();

    let seen = acme.ann_lists(of_acme()).await;
    let text = format!("{seen:?}");
    assert!(!text.contains("DATING"), "{text}");
    assert!(text.contains("organizations/acme/users/ann/secrets/ANNS_OWN"));
    let updated = seen.iter().find(|event| event.action.ends_with("UpdateSecret")).unwrap();
    assert_eq!(updated.resource, private.to_string());
    let to_bob = seen.iter().find(|event| event.principal.ends_with("bob") && event.action == RESOLVE).unwrap();
    let delivered: Vec<_> = to_bob.delivered.iter().map(|each| (each.secret.as_str(), each.uid.as_str())).collect();
    assert_eq!(delivered[1], ("", private.to_string().as_str()));
    assert_eq!(delivered[0].0, "organizations/acme/secrets/SHARED");

    // To bob they have names.
    let own = acme.list(&acme.bob.token, about("users/bob/secrets/DATING_APP_KEY")).await.unwrap().events;
    assert_eq!(own.len(), 2);
    for event in own {
        match event.action.as_str() {
            RESOLVE => assert_eq!(event.delivered[0].secret, "organizations/acme/users/bob/secrets/DATING_APP_KEY"),
            _ => assert_eq!(event.resource, "organizations/acme/users/bob/secrets/DATING_APP_KEY"),
        }
    }
}

async fn is_for_admins_and_auditors_and_for_users_about_their_own(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    acme.organization.secret(user_scope(acme.bob.uid), "OWN", "x", plain).await;
    acme.organization.secret(project_scope(acme.api), "A", "x", plain).await;
    let auditor = acme.organization.user("audrey").await;
    acme.organization.bind(&auditor, Role::Auditor, acme.organization.level()).await;
    let of_session = acme.organization.context(None, None, Some(acme.ann.uid));
    let session = acme.organization.session(&acme.ann, of_session, &SessionRestrictions::default()).await;
    let globex = TestOrganization::new(&server, "globex").await;
    let mallory = globex.member("mallory").await;
    globex.bind(&mallory, Role::Admin, globex.level()).await;

    let platform = || v1::ListAuditEventsRequest { parent: "platform".into(), ..Default::default() };
    let own = || about("users/bob/secrets/OWN");
    let shared = || about("projects/api/secrets/A");
    for (who, token, request, may) in [
        ("an admin, everything", &acme.ann.token, of_acme(), true),
        ("an admin, a shared secret", &acme.ann.token, shared(), true),
        ("an admin, a person's own", &acme.ann.token, own(), false),
        ("an admin, the platform", &acme.ann.token, platform(), false),
        ("an auditor, everything", &auditor.token, of_acme(), true),
        ("an auditor, a shared secret", &auditor.token, shared(), true),
        ("an auditor, a person's own", &auditor.token, own(), false),
        ("a member, everything", &acme.bob.token, of_acme(), false),
        ("a member, a shared secret", &acme.bob.token, shared(), false),
        ("a member, a project that is not there", &acme.bob.token, about("projects/no/secrets/A"), false),
        ("a person, their own", &acme.bob.token, own(), true),
        ("a session of an admin", &session, of_acme(), false),
        ("an admin of another organization", &mallory.token, of_acme(), false),
        ("the operator, an organization", &server.operator, of_acme(), false),
        ("the operator, the platform", &server.operator, platform(), true),
    ] {
        match acme.list(token, request).await {
            Ok(_) => assert!(may, "{who}"),
            refused => {
                assert_eq!(refusal(refused).code, Code::PermissionDenied, "{who}");
                assert!(!may, "{who}");
            }
        }
    }
    let missing = refusal(acme.list(&acme.ann.token, about("projects/api/secrets/NOT_THERE")).await);
    assert_eq!((missing.code, missing.reason.as_str()), (Code::NotFound, "SECRET_NOT_FOUND"));
    let missing = refusal(acme.list(&acme.ann.token, about("projects/nowhere/secrets/A")).await);
    assert_eq!((missing.code, missing.reason.as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
}

async fn names_the_fields_of_a_bad_question(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let parent = |parent: &str| v1::ListAuditEventsRequest { parent: parent.into(), ..Default::default() };
    let nanos = prost_types::Timestamp { seconds: 0, nanos: -1 };
    for (request, field, reason) in [
        (parent(""), "parent", "INVALID_RESOURCE_NAME"),
        (parent("organizations/acme/projects/api"), "parent", "INVALID_RESOURCE_NAME"),
        (
            v1::ListAuditEventsRequest { secret: "organizations/globex/secrets/A".into(), ..of_acme() },
            "secret",
            "INVALID_RESOURCE_NAME",
        ),
        (v1::ListAuditEventsRequest { secret: "A".into(), ..of_acme() }, "secret", "INVALID_RESOURCE_NAME"),
        (v1::ListAuditEventsRequest { principal: "bob".into(), ..of_acme() }, "principal", "INVALID_RESOURCE_NAME"),
        (v1::ListAuditEventsRequest { action: "Resolve".into(), ..of_acme() }, "action", "INVALID_ARGUMENT_VALUE"),
        (v1::ListAuditEventsRequest { outcome: 9, ..of_acme() }, "outcome", "INVALID_ARGUMENT_VALUE"),
        (
            v1::ListAuditEventsRequest { scope: "organizations/acme".into(), ..of_acme() },
            "scope",
            "INVALID_RESOURCE_NAME",
        ),
        (v1::ListAuditEventsRequest { start_time: Some(nanos), ..of_acme() }, "start_time", "INVALID_ARGUMENT_VALUE"),
        (v1::ListAuditEventsRequest { page_size: -1, ..of_acme() }, "page_size", "INVALID_ARGUMENT_VALUE"),
    ] {
        let refused = refusal(acme.list(&acme.ann.token, request).await);
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, reason), "{field}");
        assert_eq!(refused.fields, [field]);
    }
}

async fn records_who_was_denied_and_why(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let carol = acme.organization.member("carol").await;
    assert!(acme.resolve(&carol.token).await.is_err());
    let missing = v1::ResolveRequest {
        context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
        required_secret_ids: vec!["ABSENT".into()],
        ..Default::default()
    };
    assert!(server.resolver(&carol.token).resolve(missing).await.is_err());
    let by = v1::ListAuditEventsRequest { principal: "organizations/acme/users/carol".into(), ..of_acme() };
    let mut recorded: Vec<_> = acme
        .ann_lists(by)
        .await
        .into_iter()
        .map(|event| (event.outcome(), event.reason.clone(), event.resource.clone(), event.delivered.len()))
        .collect();
    recorded.sort_by_key(|(outcome, ..)| *outcome as i32);
    assert_eq!(
        recorded,
        [
            (v1::AuditOutcome::Denied, "PERMISSION_DENIED".into(), "organizations/acme/projects/api".into(), 0),
            (v1::AuditOutcome::Failed, "SECRET_REQUIRED_MISSING".into(), "organizations/acme".into(), 0),
        ]
    );
}
