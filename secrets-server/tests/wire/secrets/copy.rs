//! CopySecret and MoveSecret: what a copy has, and what is left of what was moved.

use sea_orm::ConnectionTrait as _;
use secrets_proto::v1;
use secrets_server::crypto::{SystemRandom, ValueIdentity};
use secrets_server::store::secret::{self, SecretWithVersion};
use secrets_server::store::{Writer, commit, revision};
use tonic::Response;

use super::{ACME, API, BOB, WS1, codes, creation, file, names, selected};
use crate::support::acme::Acme;
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_copy_has_the_value_and_what_is_said_of_it_but_not_whom_it_reaches,
    a_copy_goes_from_any_scope_into_any_other,
    a_program_copies_what_it_resolves,
    a_move_leaves_a_source_that_can_be_undeleted,
    a_copy_is_recorded_as_a_delivery_of_its_source,
    an_auditor_sees_what_was_copied_from_where_also_when_it_is_gone,
    a_refusal_that_tells_how_long_the_value_is_is_recorded_too,
    a_rehearsal_changes_nothing_and_opens_nothing,
    a_repeat_returns_what_was_done_first,
    what_changed_while_it_waited_is_copied_as_it_is_then,
    a_copy_is_sealed_before_the_lock,
);

const ID: &str = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11";
const CAT: &str = "organizations/acme/users/cat";

async fn a_copy_has_the_value_and_what_is_said_of_it_but_not_whom_it_reaches(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let expire_time = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
    let secret = v1::Secret {
        target: file("~/key"),
        description: "for CI".into(),
        labels: [("team".to_owned(), "web".to_owned())].into(),
        group: "aws".into(),
        visibility: selected(&["api"], &[]),
        redaction: v1::Redaction::Off.into(),
        expire_time,
        ..Default::default()
    };
    let source = server.create_with(&acme.ann, ACME, "KEY", secret).await.secret.unwrap();
    let response = server.try_copy(&acme.bob, &source.name, BOB).await.unwrap();
    assert_eq!(codes(&response.warnings), [v1::WarningCode::ShadowsBroader]);
    let copy = response.secret.unwrap();
    assert_eq!((copy.name.as_str(), copy.current_version), ("organizations/acme/users/bob/secrets/KEY", 1));
    assert_ne!(copy.uid, source.uid);
    assert_eq!((&copy.target, &copy.description, &copy.labels), (&source.target, &source.description, &source.labels));
    assert_eq!((copy.redaction, copy.expire_time), (source.redaction, source.expire_time));
    assert_eq!((copy.group.as_str(), copy.visibility.as_ref().unwrap().mode()), ("", v1::VisibilityMode::All));
    assert_eq!((copy.creator.as_str(), copy.override_policy()), (BOB, v1::OverridePolicy::Allowed));
    assert_eq!(server.stored_value(&copy).await, b"s3cret-value");
    assert_eq!(server.try_get(&acme.bob, &copy.name).await.unwrap(), copy);
    // From then on they have nothing to do with each other.
    assert_eq!(server.try_get(&acme.ann, &source.name).await.unwrap(), source);
    server.rotate(&acme.ann, &source.name, "value-2").await;
    assert_eq!(server.stored_value(&copy).await, b"s3cret-value");
}

async fn a_copy_goes_from_any_scope_into_any_other(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.bind(&acme.ann, API, &format!("{ACME}/users/ann"), v1::Role::Member).await.unwrap();
    let (ann, ws2) = (format!("{ACME}/users/ann"), format!("{ACME}/workspaces/ws2"));
    for (n, (token, from, to)) in [
        (&acme.bob, BOB, WS1),
        (&acme.bob, WS1, BOB),
        (&acme.bob, API, WS1),
        (&acme.bob, ACME, BOB),
        (&acme.cat, API, ws2.as_str()),
        (&acme.cat, ws2.as_str(), API),
        (&acme.cat, CAT, API),
        (&acme.ann, API, ACME),
        (&acme.ann, ACME, API),
        (&acme.ann, ann.as_str(), ACME),
    ]
    .into_iter()
    .enumerate()
    {
        let writer = match from {
            API => &acme.cat,
            ACME => &acme.ann,
            _ => token,
        };
        let source = server.create(writer, from, &format!("KEY_{n}"), &format!("value-{n}")).await;
        let copy = server.try_copy(token, &source.name, to).await.unwrap_or_else(|no| panic!("{from} {to}: {no}"));
        let copy = copy.secret.unwrap();
        assert_eq!(copy.name, format!("{to}/secrets/KEY_{n}"));
        assert_eq!(server.stored_value(&copy).await, format!("value-{n}").into_bytes());
    }
}

async fn a_program_copies_what_it_resolves(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let bot = server.program(&acme.ann, ACME, "ci").await;
    let name = format!("{ACME}/serviceAccounts/ci");
    server.bind(&acme.ann, ACME, &name, v1::Role::Admin).await.unwrap();
    let shared = server.create(&acme.ann, ACME, "SHARED", "value-1").await.name;
    let team = server.create(&acme.cat, API, "TEAM", "value-2").await.name;
    let web = format!("{ACME}/projects/web");
    assert_eq!(refusal(server.try_copy(&bot, &shared, &web).await).reason, "PERMISSION_DENIED");
    // A resolver of one project receives what its contexts get: its secrets, and the organization's.
    server.bind(&acme.ann, API, &name, v1::Role::Resolver).await.unwrap();
    for source in [&shared, &team] {
        server.try_copy(&bot, source, &web).await.unwrap();
    }
    assert_eq!(names(&server.list(&bot, &web).await), ["SHARED", "TEAM"]);
    let of_web = v1::Secret { visibility: selected(&["web"], &[]), ..Default::default() };
    let of_web = server.create_with(&acme.ann, ACME, "OF_WEB", of_web).await.secret.unwrap().name;
    assert_eq!(refusal(server.try_copy(&bot, &of_web, &web).await).reason, "PERMISSION_DENIED");
}

async fn a_move_leaves_a_source_that_can_be_undeleted(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let source = server.create(&acme.bob, BOB, "KEY", "value-1").await;
    let moved = server.try_move(&acme.bob, &source.name, WS1).await.unwrap();
    let (there, left) = (moved.secret.unwrap(), moved.source.unwrap());
    assert_eq!((there.name.as_str(), there.current_version), ("organizations/acme/workspaces/ws1/secrets/KEY", 1));
    assert_eq!(server.stored_value(&there).await, b"value-1");
    assert_eq!((&left.name, &left.uid), (&source.name, &source.uid));
    let day = |time: Option<prost_types::Timestamp>| time.unwrap().seconds / (24 * 60 * 60);
    assert_eq!(day(left.purge_time) - day(left.delete_time), 7);
    assert!(server.list(&acme.bob, BOB).await.is_empty());
    let resolve = v1::ResolveRequest { context: Some(context("ws1", "")), ..Default::default() };
    let resolved = server.resolver(&acme.dan).resolve(resolve).await;
    // dan takes part in the workspace, and not in its project.
    assert!(resolved.is_err());
    let resolve = v1::ResolveRequest { context: Some(context("ws1", "")), ..Default::default() };
    let resolved = server.resolver(&acme.bob).resolve(resolve).await.unwrap().into_inner();
    assert_eq!(resolved.revision, moved.revision);
    assert_eq!(resolved.secrets.iter().map(|secret| secret.secret.as_str()).collect::<Vec<_>>(), [&there.name]);
    let back = server.try_undelete(&acme.bob, &source.name, "").await.unwrap().secret.unwrap();
    assert_eq!((&back.uid, server.stored_value(&back).await), (&source.uid, b"value-1".to_vec()));
    // It is not moved onto what is there, in either direction.
    for (name, to) in [(&back.name, WS1), (&there.name, BOB)] {
        assert_eq!(refusal(server.try_move(&acme.bob, name, to).await).reason, "ALREADY_EXISTS");
    }
}

async fn a_copy_is_recorded_as_a_delivery_of_its_source(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let source = server.create(&acme.bob, BOB, "KEY", "value-1").await;
    server.rotate(&acme.bob, &source.name, "value-2").await;
    server.try_copy(&acme.bob, &source.name, WS1).await.unwrap();
    refusal(server.try_copy(&acme.bob, &source.name, WS1).await);
    let there = format!("{WS1}/secrets/KEY");
    server.delete(&acme.bob, &there).await;
    server.try_move(&acme.bob, &source.name, WS1).await.unwrap();
    let request =
        |secret: &str| v1::ListAuditEventsRequest { parent: ACME.into(), secret: secret.into(), ..Default::default() };
    let of_source = server.audit(&acme.bob).list_audit_events(request(&source.name)).await.unwrap().into_inner();
    let of_copy = server.audit(&acme.ann).list_audit_events(request(&there)).await.unwrap().into_inner();
    for (events, is_own) in [(of_source.events, true), (of_copy.events, false)] {
        for action in ["CopySecret", "MoveSecret"] {
            let done: Vec<_> = events.iter().filter(|event| event.action.ends_with(action)).collect();
            let [done] = done
                .into_iter()
                .filter(|event| event.outcome() == v1::AuditOutcome::Allowed)
                .collect::<Vec<_>>()
                .try_into()
                .unwrap();
            assert_eq!((done.principal.as_str(), done.resource.as_str()), (BOB, there.as_str()));
            // A user's own secret appears to others by its uid alone; what was asked for is named to nobody else.
            if is_own {
                assert_eq!((done.delivered[0].uid.as_str(), done.delivered[0].version), (source.uid.as_str(), 2));
            } else {
                assert!(done.delivered.is_empty() || done.delivered[0].secret.is_empty(), "{done:?}");
            }
        }
        let failed = events.iter().filter(|event| event.outcome() == v1::AuditOutcome::Failed);
        assert!(failed.into_iter().all(|event| event.delivered.is_empty()), "{events:?}");
    }
}

async fn an_auditor_sees_what_was_copied_from_where_also_when_it_is_gone(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let web = format!("{ACME}/projects/web");
    server.bind(&acme.ann, &web, CAT, v1::Role::Admin).await.unwrap();
    let team = server.create(&acme.cat, API, "TEAM", "value-1").await;
    let own = server.create(&acme.cat, CAT, "OWN", "value-1").await;
    let later = || server.wait(std::time::Duration::from_secs(1));
    server.try_copy(&acme.cat, &team.name, &web).await.unwrap();
    later();
    server.try_copy(&acme.cat, &own.name, &web).await.unwrap();
    server.delete(&acme.cat, &format!("{web}/secrets/TEAM")).await;
    later();
    server.try_move(&acme.cat, &team.name, &web).await.unwrap();
    later();
    // Refused before anything was read.
    refusal(server.try_copy(&acme.cat, &own.name, &web).await);
    let asked = async |token: &str, ask: &dyn Fn(&mut v1::ListAuditEventsRequest)| {
        let mut request = v1::ListAuditEventsRequest { parent: ACME.into(), ..Default::default() };
        ask(&mut request);
        let events = server.audit(token).list_audit_events(request).await.unwrap().into_inner().events;
        let copies = events
            .into_iter()
            .filter(|event| event.action.ends_with("/CopySecret") || event.action.ends_with("/MoveSecret"));
        copies.map(|event| (event.resource, event.source)).collect::<Vec<_>>()
    };
    let (to_team, to_own) = (format!("{web}/secrets/TEAM"), format!("{web}/secrets/OWN"));
    let copies = |own: &str| {
        let copied = |to: &str, from: &str| (to.to_owned(), from.to_owned());
        vec![copied(&to_own, ""), copied(&to_team, &team.name), copied(&to_own, own), copied(&to_team, &team.name)]
    };
    let of_web = |request: &mut v1::ListAuditEventsRequest| request.scope = web.clone();
    let of_api = |request: &mut v1::ListAuditEventsRequest| request.scope = API.into();
    // A person's own secret appears to others by its uid alone.
    assert_eq!(asked(&acme.ann, &|_| {}).await, copies(&own.uid));
    assert_eq!(asked(&acme.ann, &of_web).await, copies(&own.uid));
    // What left the project is asked for by the project as well.
    let of_team = [copies("")[1].clone(), copies("")[3].clone()];
    assert_eq!(asked(&acme.ann, &of_api).await, of_team);
    for id in ["ap", "api2", "pi"] {
        let other = |request: &mut v1::ListAuditEventsRequest| request.scope = format!("{ACME}/projects/{id}");
        assert!(asked(&acme.ann, &other).await.is_empty(), "{id}");
    }
    let own_name = own.name.clone();
    let of_own = |request: &mut v1::ListAuditEventsRequest| request.secret = own_name.clone();
    assert_eq!(asked(&acme.cat, &of_own).await, [copies(&own.name)[2].clone()]);
    // By its copy, the source is as hidden as before.
    let of_copy = |request: &mut v1::ListAuditEventsRequest| request.secret = to_own.clone();
    assert_eq!(asked(&acme.ann, &of_copy).await, [copies("")[0].clone(), copies(&own.uid)[2].clone()]);

    server.delete(&acme.cat, &own.name).await;
    server.wait(std::time::Duration::from_secs(8 * 24 * 60 * 60));
    server.app.jobs.purge().await.unwrap();
    assert_eq!(asked(&acme.ann, &|_| {}).await, copies(&own.uid));
    assert_eq!(asked(&acme.ann, &of_api).await, of_team);
}

async fn a_refusal_that_tells_how_long_the_value_is_is_recorded_too(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::with(&server, secrets_core::NamePolicy::Strict, r#"{"bytes_per_scope":4096}"#).await;
    let source = server.create(&acme.bob, BOB, "KEY", &"x".repeat(2_000)).await;
    server.create(&acme.bob, WS1, "FULL", &"x".repeat(3_000)).await;
    let refuses = async |validate_only: bool| {
        server.wait(std::time::Duration::from_secs(1));
        let request = v1::CopySecretRequest {
            name: source.name.clone(),
            parent: WS1.into(),
            validate_only,
            ..Default::default()
        };
        refusal(server.secrets(&acme.bob).copy_secret(request).await)
    };
    for rehearses in [true, false] {
        let refused = refuses(rehearses).await;
        assert_eq!((refused.reason.as_str(), &*refused.metadata["limit"]), ("LIMIT_EXCEEDED", "bytes_per_scope"));
    }
    let limit = async |limits: &str| {
        let tx = server.app.store().begin().await.unwrap();
        tx.execute_unprepared(&format!("UPDATE organizations SET limits = '{limits}'")).await.unwrap();
        commit(tx).await.unwrap();
    };
    limit(r#"{"value_bytes":8}"#).await;
    let refused = refuses(false).await;
    assert_eq!(refused.reason, "INVALID_VALUE");
    assert!(refused.message.contains("must be at most 8 bytes"), "{}", refused.message);
    // How many secrets there are tells nothing of the value.
    limit(r#"{"secrets_per_scope":1}"#).await;
    assert_eq!(refuses(false).await.metadata["limit"], "secrets_per_scope");
    let request = v1::ListAuditEventsRequest { parent: ACME.into(), secret: source.name.clone(), ..Default::default() };
    let events = server.audit(&acme.bob).list_audit_events(request).await.unwrap().into_inner().events;
    let copies: Vec<_> = events.iter().filter(|event| event.action.ends_with("/CopySecret")).collect();
    assert_eq!(copies.len(), 3, "{copies:?}");
    for event in copies {
        assert_eq!((event.outcome(), event.delivered.len()), (v1::AuditOutcome::Failed, 1));
        assert_eq!(event.source, source.name);
        assert_eq!((&event.delivered[0].uid, event.delivered[0].version), (&source.uid, 1));
    }
}

async fn a_rehearsal_changes_nothing_and_opens_nothing(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let source = server.try_create(&acme.bob, creation(BOB, "KEY", "value-1")).await.unwrap();
    let (revision, source) = (source.revision, source.secret.unwrap());
    for deletes in [false, true] {
        let (name, parent) = (source.name.clone(), WS1.to_owned());
        let (answered, shown) = if deletes {
            let request = v1::MoveSecretRequest { name, parent, validate_only: true, ..Default::default() };
            let answer = server.secrets(&acme.bob).move_secret(request).await.unwrap().into_inner();
            assert_eq!(answer.source.unwrap().uid, source.uid);
            (answer.revision, answer.secret.unwrap())
        } else {
            let request = v1::CopySecretRequest { name, parent, validate_only: true, ..Default::default() };
            let answer = server.secrets(&acme.bob).copy_secret(request).await.unwrap().into_inner();
            (answer.revision, answer.secret.unwrap())
        };
        assert_eq!((answered, shown.name), (revision.clone(), format!("{WS1}/secrets/KEY")));
    }
    assert!(server.list(&acme.bob, WS1).await.is_empty());
    assert_eq!(server.try_get(&acme.bob, &source.name).await.unwrap(), source);
    let request = v1::ListAuditEventsRequest { parent: ACME.into(), secret: source.name.clone(), ..Default::default() };
    let events = server.audit(&acme.bob).list_audit_events(request).await.unwrap().into_inner().events;
    assert!(events.iter().all(|event| event.delivered.is_empty()), "{events:?}");
    // What would refuse it refuses the rehearsal.
    server.create(&acme.bob, WS1, "KEY", "there").await;
    let request =
        v1::CopySecretRequest { name: source.name, parent: WS1.into(), validate_only: true, ..Default::default() };
    assert_eq!(refusal(server.secrets(&acme.bob).copy_secret(request).await).reason, "ALREADY_EXISTS");
}

async fn a_repeat_returns_what_was_done_first(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let source = server.create(&acme.bob, BOB, "KEY", "value-1").await;
    let request = |parent: &str| v1::MoveSecretRequest {
        name: source.name.clone(),
        parent: parent.into(),
        request_id: ID.into(),
        ..Default::default()
    };
    let mut bob = server.secrets(&acme.bob);
    let first = bob.move_secret(request(WS1)).await.map(Response::into_inner).unwrap();
    // The source is not there any more, and the destination is taken.
    assert_eq!(bob.move_secret(request(WS1)).await.map(Response::into_inner).unwrap(), first);
    assert_eq!(server.list(&acme.bob, WS1).await.len(), 1);
    let other = v1::MoveSecretRequest { etag: "x".into(), ..request(WS1) };
    assert_eq!(refusal(bob.move_secret(other).await).reason, "REQUEST_ID_REUSED");
    // A repeat is for whoever may still do it.
    let team = server.create(&acme.cat, API, "TEAM", "value-2").await.name;
    let copy = v1::CopySecretRequest { name: team, parent: BOB.into(), request_id: ID.into(), ..Default::default() };
    bob.copy_secret(copy.clone()).await.unwrap();
    let request = v1::ListBindingsRequest { parent: API.into(), ..Default::default() };
    let bindings = server.access(&acme.ann).list_bindings(request).await.unwrap().into_inner().bindings;
    let of_bob = bindings.iter().find(|binding| binding.principal == BOB && binding.resource == API).unwrap();
    server.unbind(&acme.ann, &of_bob.name).await.unwrap();
    assert_eq!(refusal(bob.copy_secret(copy).await).reason, "PERMISSION_DENIED");
}

async fn what_changed_while_it_waited_is_copied_as_it_is_then(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let source = server.create(&acme.cat, API, "KEY", "value-1").await;
    let blocking = server.app.store().begin_for(Writer::Organization(acme.organization)).await.unwrap();
    revision::lock(&blocking, acme.organization).await.unwrap().unwrap();
    let release = async {
        // Enough for a call on loopback to arrive.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let uid = source.uid.parse().unwrap();
        let SecretWithVersion { mut secret, mut version } =
            secret::by_uid(&blocking, acme.organization, uid).await.unwrap().unwrap();
        secret.current_version = 2;
        secret.description = "newer".parse().unwrap();
        let key = server.app.keys().active_data_key(&blocking, acme.organization).await.unwrap();
        let identity = ValueIdentity {
            organization: acme.organization,
            scope: secret.scope,
            secret: uid,
            secret_id: &secret.secret_id,
            version: 2,
            target: &version.target,
        };
        version.blob = key.seal(&SystemRandom, &identity, b"value-2").unwrap();
        version.version = 2;
        assert!(secret::add_version(&blocking, &secret, &version).await.unwrap());
        commit(blocking).await.unwrap();
    };
    let (copied, ()) = tokio::join!(server.try_copy(&acme.bob, &source.name, BOB), release);
    let copy = copied.unwrap().secret.unwrap();
    assert_eq!((copy.description.as_str(), server.stored_value(&copy).await), ("newer", b"value-2".to_vec()));
}

async fn a_copy_is_sealed_before_the_lock(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let source = server.create(&acme.bob, BOB, "KEY", "value-1").await;
    database.statements.take();
    server.try_copy(&acme.bob, &source.name, WS1).await.unwrap();
    let statements = database.statements.take();
    let lock = statements.iter().position(|statement| statement.contains("revisions")).unwrap();
    let keys = statements.iter().enumerate().filter(|(_, each)| each.contains("data_keys"));
    assert!(keys.into_iter().any(|(at, _)| at < lock), "{statements:?}");
}
