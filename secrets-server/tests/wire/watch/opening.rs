use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::watch_response::Event;
use tonic::{Code, Response};

use super::{Acme, ws1};
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, creation, file, text};

on_both!(
    begins_with_the_set_that_resolve_would_deliver,
    begins_with_a_heartbeat_when_the_etag_is_current,
    reports_only_what_is_asked_for,
    a_session_watches_its_own_context_as_narrow_as_it_is,
    is_for_those_who_may_resolve,
    an_opened_watch_is_recorded,
    sends_heartbeats_when_nothing_changes,
);

async fn resolve(acme: &Acme<'_>, token: &str, asked: &v1::WatchRequest) -> v1::ResolveResponse {
    let request = v1::ResolveRequest {
        context: asked.context.clone(),
        secret_ids: asked.secret_ids.clone(),
        required_secret_ids: asked.required_secret_ids.clone(),
        kinds: asked.kinds.clone(),
        ..Default::default()
    };
    acme.server.resolver(token).resolve(request).await.map(Response::into_inner).unwrap()
}

async fn begins_with_the_set_that_resolve_would_deliver(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let (event, lines) = acme.bob_watches().await.set().await;
    assert_eq!(lines, ["LINEAR_API_KEY v1 of user", "OPENAI_API_KEY v1 of organization"]);
    let Some(Event::Set(set)) = &event.event else { panic!() };
    let answer = resolve(&acme, &acme.bob, &ws1()).await;
    assert_eq!((&event.etag, &event.revision), (&answer.etag, &answer.revision));
    assert_eq!(set.context, answer.context, "with the implied project and user");
    assert_eq!(set.context.as_ref().unwrap().project, "api");
    let watched = |secret: &v1::WatchedSecret| (secret.secret.clone(), secret.target.clone());
    let delivered = |secret: &v1::ResolvedSecret| (secret.secret.clone(), secret.target.clone());
    assert!(set.secrets.iter().map(watched).eq(answer.secrets.iter().map(delivered)));
    for value in ["lin-bob", "lin-org", "sk-org"] {
        assert!(!format!("{event:?}").contains(value), "{event:?}");
    }
}

async fn begins_with_a_heartbeat_when_the_etag_is_current(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let answer = resolve(&acme, &acme.bob, &ws1()).await;
    let known = v1::WatchRequest { if_none_match: answer.etag.clone(), ..ws1() };
    let mut watching = acme.open(&acme.bob, known.clone()).await.unwrap();
    let first = watching.hears().await.unwrap();
    assert!(matches!(first.event, Some(Event::Heartbeat(_))), "{first:?}");
    assert_eq!((&first.etag, &first.revision), (&answer.etag, &answer.revision));
    // What comes afterwards is reported as a change of the set that the caller has.
    acme.create(&acme.bob, creation(BOB, "OWN", "value")).await;
    let (etag, delivery_changed, lines) = watching.change().await;
    assert_eq!((delivery_changed, lines), (true, vec!["+ OWN v1 of user".to_owned()]));
    assert_ne!(etag, answer.etag);

    // The etag is that of another set now.
    let (event, lines) = acme.open(&acme.bob, known).await.unwrap().set().await;
    assert_eq!((event.etag, lines.len()), (etag, 3));
}

async fn reports_only_what_is_asked_for(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let certificate = v1::CreateSecretRequest {
        secret: Some(v1::Secret { target: file("/etc/ssl/corp.pem"), ..Default::default() }),
        ..creation(BOB, "CERTIFICATE", "pem")
    };
    acme.create(&acme.bob, certificate).await;
    let api_only = v1::Target { kind: Some(v1::target::Kind::ApiOnly(v1::ApiOnlyTarget {})) };
    let hidden = v1::CreateSecretRequest {
        secret: Some(v1::Secret { target: Some(api_only), ..Default::default() }),
        ..creation(BOB, "WEBHOOK_KEY", "key")
    };
    acme.create(&acme.bob, hidden).await;
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let kinds = |kind: v1::TargetKind| vec![i32::from(kind)];
    for (asked, expected) in [
        (ws1(), names(&["CERTIFICATE", "LINEAR_API_KEY", "OPENAI_API_KEY"])),
        (v1::WatchRequest { secret_ids: names(&["WEBHOOK_KEY", "NOT_THERE"]), ..ws1() }, names(&["WEBHOOK_KEY"])),
        (
            v1::WatchRequest { required_secret_ids: names(&["WEBHOOK_KEY"]), ..ws1() },
            names(&["CERTIFICATE", "LINEAR_API_KEY", "OPENAI_API_KEY", "WEBHOOK_KEY"]),
        ),
        (v1::WatchRequest { kinds: kinds(v1::TargetKind::File), ..ws1() }, names(&["CERTIFICATE"])),
        (
            v1::WatchRequest { secret_ids: names(&["OPENAI_API_KEY"]), kinds: kinds(v1::TargetKind::File), ..ws1() },
            names(&[]),
        ),
    ] {
        let mut watching = acme.open(&acme.bob, asked.clone()).await.unwrap();
        let (event, lines) = watching.set().await;
        let found: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(found, expected, "{asked:?}");
        if !asked.secret_ids.contains(&"NOT_THERE".to_owned()) {
            assert_eq!(event.etag, resolve(&acme, &acme.bob, &asked).await.etag, "{asked:?}");
        }
    }
    // A change outside of the filters is none; the first that is reported is one within.
    let asked = v1::WatchRequest { secret_ids: names(&["OPENAI_API_KEY"]), ..ws1() };
    let mut watching = acme.open(&acme.bob, asked).await.unwrap();
    watching.set().await;
    acme.create(&acme.bob, creation(BOB, "OUTSIDE", "value")).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    acme.create(&acme.bob, creation(BOB, "OPENAI_API_KEY", "sk-bob")).await;
    assert_eq!(watching.change().await.2, ["* OPENAI_API_KEY v1 of user"]);

    let mistaken = v1::WatchRequest { secret_ids: names(&["linear-api-key"]), ..ws1() };
    let refused = refusal(acme.open(&acme.bob, mistaken).await.map(drop));
    assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_SECRET_ID", names(&["secret_ids"])));
}

async fn a_session_watches_its_own_context_as_narrow_as_it_is(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let request = v1::CreateSessionRequest {
        context: Some(context("ws1", "")),
        restrictions: Some(v1::SessionRestrictions {
            secret_ids: Some(v1::SecretIdList { values: vec!["OPENAI_API_KEY".into()] }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let session = server.access(&acme.bob).create_session(request).await.unwrap().into_inner().token;
    let mut watching = acme.open(&session, v1::WatchRequest::default()).await.unwrap();
    assert_eq!(watching.set().await.1, ["OPENAI_API_KEY v1 of organization"]);
    let elsewhere = v1::WatchRequest { context: Some(context("", "")), ..Default::default() };
    assert_eq!(refusal(acme.open(&session, elsewhere).await.map(drop)).code, Code::PermissionDenied);
}

async fn is_for_those_who_may_resolve(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    server.organization("rival").await;
    let cat = server.person(&acme.ann, "acme", "cat").await;
    let reader = server.program(&acme.ann, ACME, "reader").await;
    for (token, code) in [
        ("", Code::Unauthenticated),
        ("sper_nonsense", Code::Unauthenticated),
        (&cat, Code::PermissionDenied),
        (&acme.ann, Code::PermissionDenied),
        (&reader, Code::PermissionDenied),
        (&server.operator, Code::PermissionDenied),
    ] {
        assert_eq!(refusal(acme.open(token, ws1()).await.map(drop)).code, code, "{token}");
    }
    let rival = v1::Context { organization: "rival".into(), ..Default::default() };
    for context in [rival, context("nowhere", "")] {
        let asked = v1::WatchRequest { context: Some(context), ..Default::default() };
        assert_eq!(refusal(acme.open(&acme.bob, asked).await.map(drop)).code, Code::PermissionDenied);
    }
    let nowhere = refusal(acme.open(&acme.bob, v1::WatchRequest::default()).await.map(drop));
    assert_eq!(nowhere.reason, "CONTEXT_INVALID");

    // A program that may resolve the workspace without anybody gets nobody's own.
    server.bind(&acme.ann, ACME, "organizations/acme/serviceAccounts/reader", v1::Role::Resolver).await.unwrap();
    let (_, lines) = acme.open(&reader, ws1()).await.unwrap().set().await;
    assert_eq!(lines, ["LINEAR_API_KEY v1 of organization", "OPENAI_API_KEY v1 of organization"]);
}

async fn an_opened_watch_is_recorded(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let cat = server.person(&acme.ann, "acme", "cat").await;
    let mut watching = acme.bob_watches().await;
    watching.set().await;
    acme.open(&cat, ws1()).await.err().unwrap();
    // A look for a change is no event of its own.
    acme.create(&acme.ann, v1::CreateSecretRequest { value: text("v"), ..creation(ACME, "NEW", "v") }).await;
    watching.change().await;
    let list = v1::ListAuditEventsRequest { parent: ACME.into(), page_size: 1_000, ..Default::default() };
    let listed = server.audit(&acme.ann).list_audit_events(list).await.unwrap().into_inner();
    let watches = listed.events.iter().filter(|event| event.action.ends_with("/Watch"));
    let mut recorded: Vec<_> =
        watches.map(|event| (event.principal.as_str(), event.outcome(), event.resource.as_str())).collect();
    recorded.sort_unstable_by_key(|(principal, ..)| *principal);
    let ws1 = "organizations/acme/workspaces/ws1";
    assert_eq!(
        recorded,
        [(BOB, v1::AuditOutcome::Allowed, ws1), ("organizations/acme/users/cat", v1::AuditOutcome::Denied, ws1)]
    );
}

async fn sends_heartbeats_when_nothing_changes(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::new(&server).await;
    let mut watching = acme.bob_watches().await;
    let (set, _) = watching.set().await;
    let begun = std::time::Instant::now();
    let alive = watching.hears().await.unwrap();
    assert!(matches!(alive.event, Some(Event::Heartbeat(_))), "{alive:?}");
    assert_eq!(alive.etag, set.etag);
    assert!(begun.elapsed() > Duration::from_secs(10), "{:?}", begun.elapsed());
}
