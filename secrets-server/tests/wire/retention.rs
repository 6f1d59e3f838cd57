//! What is kept no longer goes, by its age and its kind, in small slices; everything else stays.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use secrets_core::Uid;
use secrets_proto::v1;
use secrets_server::clock::Clock as _;
use secrets_server::retention::Retention;
use secrets_server::service::Settings;
use secrets_server::store::audit::{self, AuditFilter, AuditKind, AuditRecord};
use secrets_server::store::commit;

use crate::support::acme::Acme;
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, WS1, creation, file};

on_both!(
    reads_and_refusals_go_after_ninety_days_and_what_was_changed_or_delivered_stays,
    deliveries_go_when_it_is_configured_with_the_sets_that_nothing_names_any_more,
    what_was_changed_and_delivered_at_once_is_kept_as_long_as_the_change,
    what_was_changed_and_delivered_at_once_is_kept_as_long_as_the_delivery,
    what_was_changed_and_delivered_at_once_is_kept_for_ever_like_a_delivery,
    a_set_that_is_delivered_again_while_its_last_event_goes_stays,
    a_deleted_organization_is_forgotten_after_a_month,
    calls_go_on_while_much_is_removed,
    a_principal_has_a_bounded_number_of_first_results_and_the_newest_stay,
    the_same_request_id_of_two_principals_is_two_requests,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The actions that the audit log of acme has, with how often it has them.
async fn actions(server: &TestServer, acme: &Acme) -> Vec<(String, usize)> {
    let db = server.app.store().reader();
    let rows = audit::list(db, Some(acme.organization), &AuditFilter::default(), None, 10_000).await.unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        let action = row.action.rsplit('/').next().unwrap().to_owned();
        *counts.entry(format!("{action} {}", row.outcome)).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

async fn count(database: &TestDatabase, query: &str, organization: Uid) -> i64 {
    let db = database.store.reader();
    let query = query.replace("SOME", if database.store.is_shared() { "$1" } else { "?" });
    let statement = Statement::from_sql_and_values(db.get_database_backend(), query, [organization.into()]);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn resolve(server: &TestServer, token: &str) {
    let request = v1::ResolveRequest { context: Some(context("", "")), ..Default::default() };
    server.resolver(token).resolve(request).await.unwrap();
}

async fn reads_and_refusals_go_after_ninety_days_and_what_was_changed_or_delivered_stays(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    server.list(&acme.bob, BOB).await;
    resolve(&server, &acme.bob).await;
    let watch = v1::WatchRequest { context: Some(context("", "")), ..Default::default() };
    drop(server.resolver(&acme.bob).watch(watch).await.unwrap());
    assert!(server.try_create(&acme.bob, creation("organizations/acme", "A", "value-1")).await.is_err());
    assert!(server.try_get(&acme.bob, &format!("{BOB}/secrets/NONE")).await.is_err());
    let named = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect::<Vec<_>>();
    let all = [
        "CreateSecret ALLOWED",
        "CreateSecret DENIED",
        "GetSecret FAILED",
        "ListSecrets ALLOWED",
        "Resolve ALLOWED",
        "Watch ALLOWED",
    ];
    assert_eq!(actions(&server, &acme).await, named(&all));
    server.wait(DAY * 90);
    server.app.jobs.purge().await.unwrap();
    assert_eq!(actions(&server, &acme).await, named(&all));
    server.wait(Duration::from_micros(1));
    assert_eq!(server.app.jobs.purge().await.unwrap(), 3);
    assert_eq!(actions(&server, &acme).await, named(&[all[0], all[4], all[5]]));
    server.wait(DAY * 36_500);
    server.app.jobs.purge().await.unwrap();
    assert_eq!(actions(&server, &acme).await, named(&[all[0], all[4], all[5]]));
}

async fn deliveries_go_when_it_is_configured_with_the_sets_that_nothing_names_any_more(database: &TestDatabase) {
    let retention = Retention { audit_deliveries: Some(DAY * 20), ..Retention::default() };
    let server = TestServer::start_with_settings(database, Settings { retention, ..Settings::default() }).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    resolve(&server, &acme.bob).await;
    // Another version, with which no value was compared.
    let moved = v1::Secret { name: format!("{BOB}/secrets/TOKEN"), target: file("~/token"), ..Default::default() };
    let moved = v1::UpdateSecretRequest { secret: Some(moved), ..Default::default() };
    server.try_update(&acme.bob, moved).await.unwrap();
    resolve(&server, &acme.bob).await;
    server.wait(DAY * 10);
    resolve(&server, &acme.bob).await;
    let sets = "SELECT count(*) FROM audit_sets WHERE organization_uid = SOME";
    assert_eq!(count(database, sets, acme.organization).await, 2);
    server.wait(DAY * 11);
    // The first results of the two changes had no request id: two events, and the set of the first.
    assert_eq!(server.app.jobs.purge().await.unwrap(), 3);
    assert_eq!(count(database, sets, acme.organization).await, 1);
    let secret = server.try_get(&acme.bob, &format!("{BOB}/secrets/TOKEN")).await.unwrap();
    let filter = AuditFilter { secrets: Some(vec![secret.uid.parse().unwrap()]), ..AuditFilter::default() };
    let db = server.app.store().reader();
    let left = audit::list(db, Some(acme.organization), &filter, None, 10).await.unwrap();
    assert_eq!(left.iter().filter(|row| row.kind == AuditKind::Delivery).count(), 1);
    assert_eq!(left.iter().filter(|row| row.kind == AuditKind::Change).count(), 2);
    server.wait(DAY * 10);
    server.app.jobs.purge().await.unwrap();
    assert_eq!(count(database, sets, acme.organization).await, 0);
}

async fn what_was_changed_and_delivered_at_once_is_kept_as_long_as_the_change(database: &TestDatabase) {
    assert_eq!(left_after_21_and_41_days(database, 40, Some(20)).await, [(4, 2), (0, 0)]);
}

async fn what_was_changed_and_delivered_at_once_is_kept_as_long_as_the_delivery(database: &TestDatabase) {
    assert_eq!(left_after_21_and_41_days(database, 20, Some(40)).await, [(3, 2), (0, 0)]);
}

async fn what_was_changed_and_delivered_at_once_is_kept_for_ever_like_a_delivery(database: &TestDatabase) {
    assert_eq!(left_after_21_and_41_days(database, 20, None).await, [(3, 2), (3, 2)]);
}

/// How many events and delivered sets are left of a secret that is made, compared with another value, then with the same, and copied.
async fn left_after_21_and_41_days(database: &TestDatabase, changes: u32, deliveries: Option<u32>) -> Vec<(i64, i64)> {
    let retention = Retention {
        audit_changes: Some(DAY * changes),
        audit_deliveries: deliveries.map(|days| DAY * days),
        ..Retention::default()
    };
    let server = TestServer::start_with_settings(database, Settings { retention, ..Settings::default() }).await;
    let acme = Acme::make(&server).await;
    let name = server.create(&acme.bob, BOB, "TOKEN", "value-1").await.name;
    for _ in 0..2 {
        server.rotate(&acme.bob, &name, "value-2").await;
    }
    server.try_copy(&acme.bob, &name, WS1).await.unwrap();
    let events = "SELECT count(*) FROM audit_events WHERE action LIKE '%SecretService%' AND organization_uid = SOME";
    let sets = "SELECT count(*) FROM audit_sets WHERE organization_uid = SOME";
    let mut left = Vec::new();
    for days in [21, 20] {
        server.wait(DAY * days);
        server.app.jobs.purge().await.unwrap();
        left.push((count(database, events, acme.organization).await, count(database, sets, acme.organization).await));
    }
    left
}

async fn a_set_that_is_delivered_again_while_its_last_event_goes_stays(database: &TestDatabase) {
    let retention = Retention { audit_deliveries: Some(DAY * 20), ..Retention::default() };
    let server = TestServer::start_with_settings(database, Settings { retention, ..Settings::default() }).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, BOB, "TOKEN", "value-1").await;
    let lost = "SELECT count(*) FROM audit_events WHERE set_digest IS NOT NULL AND organization_uid = SOME \
                AND NOT EXISTS (SELECT 1 FROM audit_sets WHERE digest = set_digest)";
    for _ in 0..4 {
        resolve(&server, &acme.bob).await;
        server.wait(DAY * 21);
        let purge = server.app.jobs.purge();
        let deliveries = futures_util::future::join_all((0..24).map(|_| resolve(&server, &acme.bob)));
        let (purged, _) = tokio::join!(purge, deliveries);
        purged.unwrap();
        assert_eq!(count(database, lost, acme.organization).await, 0);
    }
}

async fn a_deleted_organization_is_forgotten_after_a_month(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    for n in 0..25 {
        server.create(&acme.bob, BOB, &format!("N{n}"), "value-1").await;
    }
    server.rotate(&acme.bob, &format!("{BOB}/secrets/N0"), "value-2").await;
    let selected = v1::Secret { visibility: crate::wire::secrets::selected(&["api"], &["ws1"]), ..Default::default() };
    let request = v1::CreateSecretRequest { secret: Some(selected), ..creation(ACME, "SELECTED", "value-1") };
    let request_id = "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11".to_owned();
    server.try_create(&acme.ann, v1::CreateSecretRequest { request_id, ..request }).await.unwrap();
    server.program(&acme.ann, ACME, "ci").await;
    server.session(&acme.bob, "ws1", "").await.unwrap();
    let rival = "organizations/rival";
    let kept = server.create(&acme.eve, rival, "KEPT", "value-1").await;
    let request = v1::DeleteOrganizationRequest { name: ACME.into(), ..Default::default() };
    server.directory(&server.operator).delete_organization(request).await.unwrap();

    let tables = [
        "secrets",
        "secret_versions",
        "bindings",
        "credentials",
        "workspaces",
        "projects",
        "users",
        "service_accounts",
        "idempotency",
        "data_keys",
        "changes",
    ];
    let rows = async |table: &str| {
        count(database, &format!("SELECT count(*) FROM {table} WHERE organization_uid = SOME"), acme.organization).await
    };
    server.wait(DAY * 30 - Duration::from_micros(1));
    server.app.jobs.purge().await.unwrap();
    for table in tables {
        // Invitations, sessions and first results have a time of their own, and a data key ends with its organization.
        assert!(rows(table).await > 0 || ["idempotency", "data_keys"].contains(&table), "{table}");
    }
    server.wait(Duration::from_micros(1));
    assert!(server.app.jobs.purge().await.unwrap() > 60);
    for table in tables {
        assert_eq!(rows(table).await, 0, "{table}");
    }
    let selections = "SELECT count(*) FROM secret_visibility WHERE secret_uid NOT IN (SELECT uid FROM secrets) OR resource_uid = SOME";
    assert_eq!(count(database, selections, acme.organization).await, 0);
    // Who did what stays, and so does that it was deleted.
    assert!(rows("audit_events").await > 20);
    let row = "SELECT count(*) FROM organizations WHERE uid = SOME AND live IS NULL AND limits = '{}'";
    assert_eq!(count(database, row, acme.organization).await, 1);
    assert_eq!(server.app.jobs.purge().await.unwrap(), 0);
    assert_eq!(server.stored_value(&kept).await, b"value-1");
    assert_eq!(server.list(&acme.eve, rival).await.len(), 1);
}

async fn calls_go_on_while_much_is_removed(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    server.create(&acme.bob, WS1, "TOKEN", "value-1").await;
    let old = server.clock.now().saturating_sub(DAY * 100);
    let rows: Vec<_> = (0..2_000)
        .map(|n| AuditRecord {
            organization: Some(acme.organization),
            kind: if u128::is_multiple_of(n, 2) { AuditKind::Read } else { AuditKind::Change },
            ..AuditRecord::without_call(
                Uid::from_u128(n + 1),
                old,
                "secretsapi.v1.SecretService/ListSecrets",
                "ALLOWED",
            )
        })
        .collect();
    let tx = server.app.store().begin().await.unwrap();
    audit::insert_many(&tx, &rows).await.unwrap();
    commit(tx).await.unwrap();
    let watch = v1::WatchRequest { context: Some(context("ws1", "")), ..Default::default() };
    let mut watch = server.resolver(&acme.bob).watch(watch).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    let purge = server.app.jobs.purge();
    let calls = async {
        for n in 0..20 {
            server.rotate(&acme.bob, &format!("{WS1}/secrets/TOKEN"), &format!("value-{n}")).await;
            assert_eq!(server.list(&acme.bob, WS1).await.len(), 1);
            assert!(watch.message().await.unwrap().is_some());
        }
    };
    let (removed, ()) = tokio::join!(purge, calls);
    assert_eq!(removed.unwrap(), 1_000);
    let (db, filter) = (server.app.store().reader(), AuditFilter::default());
    let left = audit::list(db, Some(acme.organization), &filter, None, 5_000).await.unwrap();
    let left = left.iter().filter(|row| row.create_time == old).count();
    assert_eq!(left, 1_000);
}

async fn a_principal_has_a_bounded_number_of_first_results_and_the_newest_stay(database: &TestDatabase) {
    let retention = Retention { request_ids_per_principal: 16, ..Retention::default() };
    let server = TestServer::start_with_settings(database, Settings { retention, ..Settings::default() }).await;
    let acme = Acme::make(&server).await;
    let create = |n: u128| v1::CreateSecretRequest {
        request_id: Uid::from_u128(n).to_string(),
        ..creation(BOB, &format!("N{n}"), "value-1")
    };
    let anns = v1::CreateSecretRequest { parent: "organizations/acme/users/ann".into(), ..create(1_000) };
    let first = server.try_create(&acme.ann, anns.clone()).await.unwrap();
    for n in 0..60 {
        server.wait(Duration::from_millis(1));
        server.try_create(&acme.bob, create(n)).await.unwrap();
        let stored = count(database, "SELECT count(*) FROM idempotency WHERE principal_uid = SOME", acme.users["bob"]);
        assert!(stored.await <= 17);
    }
    // The last sixteen are repeats, the first ones are requests anew.
    let newest = server.try_create(&acme.bob, create(59)).await.unwrap();
    assert_eq!(newest.secret.unwrap().name, format!("{BOB}/secrets/N59"));
    server.try_create(&acme.bob, create(45)).await.unwrap();
    assert!(server.try_create(&acme.bob, create(0)).await.is_err());
    // Nobody else loses theirs by it.
    assert_eq!(server.try_create(&acme.ann, anns).await.unwrap(), first);
}

async fn the_same_request_id_of_two_principals_is_two_requests(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let acme = Acme::make(&server).await;
    let session = server.session(&acme.bob, "ws1", "").await.unwrap();
    let program = server.program(&acme.ann, ACME, "ci").await;
    let request = || v1::CreateTokenRequest {
        display_name: "laptop".into(),
        request_id: "7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11".into(),
        ..Default::default()
    };
    let mut tokens = std::collections::BTreeSet::new();
    for token in [&acme.ann, &acme.bob, &program, &server.operator] {
        let created = server.access(token).create_token(request()).await.unwrap().into_inner();
        let info = created.token_info.unwrap();
        assert!(tokens.insert((info.principal.clone(), info.name.clone())), "{tokens:?}");
        let again = server.access(token).create_token(request()).await.unwrap().into_inner();
        assert_eq!(again.token_info.unwrap().name, info.name);
        assert_eq!(again.token, "", "it is shown once");
    }
    assert_eq!(tokens.iter().map(|(principal, _)| principal).collect::<std::collections::BTreeSet<_>>().len(), 4);
    // A session gets nothing of what its creator got.
    assert!(server.access(&session.token).create_token(request()).await.is_err());
}
