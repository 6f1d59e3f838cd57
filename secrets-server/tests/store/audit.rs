//! Audit events, and who was delivered what.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, Statement};
use secrets_core::{Timestamp, Uid};
use secrets_server::store::audit::{self, AuditFilter, AuditKind, AuditRecord, AuditSet, Purpose};

use crate::store::fixture::{NOW, later, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    reads_an_event_as_it_was_written,
    pages_from_the_newest,
    filters_by_resource_principal_and_time,
    filters_by_action_outcome_and_what_is_below_a_path,
    leaves_out_what_was_for_a_purpose_and_counts_it,
    ends_a_search_at_so_many_events,
    finds_deliveries_of_a_secret,
    writes_a_set_once,
    writes_more_events_than_a_statement_has_parameters,
    writes_no_events,
    stores_only_kinds_that_the_release_before_knows,
    reads_a_kind_of_a_later_release_as_a_change,
    looks_only_into_the_details_of_what_delivered_something,
    purges_one_kind_in_slices_and_sets_with_their_last_event,
);

fn event(number: u128, seconds: i64) -> AuditRecord {
    AuditRecord {
        uid: uid(number),
        kind: AuditKind::Change,
        create_time: later(seconds),
        organization: Some(uid(1)),
        request_id: "req-1".to_owned(),
        caller_request_id: "trace-7".to_owned(),
        purpose: None,
        principal_kind: "USER".to_owned(),
        principal_uid: Some(uid(30)),
        principal_name: "organizations/acme/users/bob".to_owned(),
        credential: Some(uid(100)),
        peer: "127.0.0.1:4711".to_owned(),
        action: "secretsapi.v1.SecretService/CreateSecret".to_owned(),
        resource_name: "organizations/acme/projects/api/secrets/A".to_owned(),
        resource_uid: Some(uid(50)),
        outcome: "ALLOWED".to_owned(),
        reason: String::new(),
        revision: Some(7),
        set_digest: None,
        detail: "{}".to_owned(),
    }
}

async fn list(database: &TestDatabase, filter: AuditFilter, after: Option<(Timestamp, Uid)>, limit: u64) -> Vec<u128> {
    let rows = audit::list(database.store.reader(), Some(uid(1)), &filter, after, limit).await.unwrap();
    rows.into_iter().map(|row| row.uid.as_u128()).collect()
}

async fn insert(database: &TestDatabase, rows: &[AuditRecord], sets: &[AuditSet]) {
    let tx = database.store.begin().await.unwrap();
    audit::insert_sets(&tx, sets).await.unwrap();
    audit::insert_many(&tx, rows).await.unwrap();
    secrets_server::store::commit(tx).await.unwrap();
}

async fn reads_an_event_as_it_was_written(database: &TestDatabase) {
    let bare = AuditRecord {
        kind: AuditKind::DeliveringChange,
        organization: None,
        principal_uid: None,
        credential: None,
        resource_uid: None,
        revision: None,
        set_digest: Some(vec![1; 32]),
        ..event(2, 0)
    };
    insert(database, &[event(1, 0), bare.clone()], &[]).await;
    let all = AuditFilter::default();
    let db = database.store.reader();
    assert_eq!(audit::list(db, Some(uid(1)), &all, None, 10).await.unwrap(), [event(1, 0)]);
    assert_eq!(audit::list(db, None, &all, None, 10).await.unwrap(), [bare]);
}

async fn pages_from_the_newest(database: &TestDatabase) {
    let elsewhere = AuditRecord { organization: Some(uid(2)), ..event(9, 3) };
    insert(database, &[event(1, 0), event(2, 5), event(3, 5), event(4, 9), elsewhere], &[]).await;
    let all = AuditFilter::default();
    assert_eq!(list(database, all.clone(), None, 2).await, [4, 3]);
    assert_eq!(list(database, all.clone(), Some((later(5), uid(3))), 2).await, [2, 1]);
    assert_eq!(list(database, all, Some((NOW, uid(1))), 2).await, Vec::<u128>::new());
}

async fn filters_by_resource_principal_and_time(database: &TestDatabase) {
    let other_resource = AuditRecord { resource_uid: Some(uid(51)), ..event(2, 1) };
    let other_principal = AuditRecord { principal_name: "operator".to_owned(), ..event(3, 2) };
    insert(database, &[event(1, 0), other_resource, other_principal], &[]).await;
    let by = AuditFilter::default();
    assert_eq!(list(database, AuditFilter { secrets: Some(vec![uid(50)]), ..by.clone() }, None, 9).await, [3, 1]);
    assert_eq!(
        list(database, AuditFilter { principal: Some("operator".to_owned()), ..by.clone() }, None, 9).await,
        [3]
    );
    assert_eq!(list(database, AuditFilter { from: Some(later(1)), ..by.clone() }, None, 9).await, [3, 2]);
    assert_eq!(list(database, AuditFilter { until: Some(later(1)), ..by.clone() }, None, 9).await, [1]);
    let all = AuditFilter {
        secrets: Some(vec![uid(50)]),
        principal: Some("organizations/acme/users/bob".to_owned()),
        from: Some(NOW),
        until: Some(later(9)),
        ..AuditFilter::default()
    };
    assert_eq!(list(database, all, None, 9).await, [1]);
}

async fn filters_by_action_outcome_and_what_is_below_a_path(database: &TestDatabase) {
    let named = |number, name: &str| AuditRecord { resource_name: name.to_owned(), ..event(number, 1) };
    let denied = AuditRecord { outcome: "DENIED".to_owned(), ..event(2, 2) };
    let resolve = AuditRecord { action: "secretsapi.v1.ResolveService/Resolve".to_owned(), ..event(3, 3) };
    let [itself, longer, similar] =
        [(4, "a_i"), (5, "a_ix"), (6, "abi")].map(|(n, id)| named(n, &format!("organizations/acme/projects/{id}")));
    let below = named(7, "organizations/acme/projects/a_i/secrets/A");
    insert(database, &[event(1, 0), denied, resolve, itself, longer, similar, below], &[]).await;
    let by = AuditFilter::default();
    let action = Some("secretsapi.v1.ResolveService/Resolve".to_owned());
    assert_eq!(list(database, AuditFilter { action, ..by.clone() }, None, 9).await, [3]);
    assert_eq!(list(database, AuditFilter { outcome: Some("DENIED"), ..by.clone() }, None, 9).await, [2]);
    let below = Some("organizations/acme/projects/a_i".to_owned());
    assert_eq!(list(database, AuditFilter { below, ..by }, None, 9).await, [7, 4]);
}

async fn leaves_out_what_was_for_a_purpose_and_counts_it(database: &TestDatabase) {
    let completion = |number, seconds| AuditRecord { purpose: Some(Purpose::Completion), ..event(number, seconds) };
    let of_operator = AuditRecord { principal_name: "operator".to_owned(), ..completion(8, 4) };
    let elsewhere = AuditRecord { organization: Some(uid(2)), ..completion(9, 3) };
    let rows = [event(1, 0), completion(2, 5), event(3, 5), completion(4, 5), event(5, 9), completion(6, 9)];
    insert(database, &rows, &[]).await;
    insert(database, &[of_operator, elsewhere], &[]).await;
    let db = database.store.reader();
    assert_eq!(audit::list(db, Some(uid(1)), &AuditFilter::default(), None, 1).await.unwrap(), [completion(6, 9)]);
    let without = AuditFilter { without: Some(Purpose::Completion), ..AuditFilter::default() };
    assert!(without.is_searched());
    assert_eq!(list(database, without.clone(), None, 9).await, [5, 3, 1]);
    let count = async |filter: &AuditFilter, after, last| {
        audit::count_left_out(db, Some(uid(1)), filter, after, last).await.unwrap()
    };
    assert_eq!(count(&without, None, None).await, 4);
    assert_eq!(count(&AuditFilter::default(), None, None).await, 0);
    // Pages that end at 5 and 3 have the others between them, also those of the same time.
    assert_eq!(count(&without, None, Some((later(9), uid(5)))).await, 1);
    assert_eq!(count(&without, Some((later(9), uid(5))), Some((later(5), uid(3)))).await, 1);
    assert_eq!(count(&without, Some((later(5), uid(3))), None).await, 2);
    let operators = AuditFilter { principal: Some("operator".to_owned()), ..without.clone() };
    assert_eq!(count(&operators, None, None).await, 1);
    let denied = AuditFilter { outcome: Some("DENIED"), ..without.clone() };
    assert_eq!(count(&denied, None, None).await, 0);
    let recent = AuditFilter { from: Some(later(5)), until: Some(later(9)), ..without };
    assert_eq!(count(&recent, None, None).await, 2);
}

/// The last of so many is where a search ends: of what an index finds, so that the events of others do not count.
async fn ends_a_search_at_so_many_events(database: &TestDatabase) {
    let of_operator = |number, seconds| AuditRecord { principal_name: "operator".to_owned(), ..event(number, seconds) };
    let elsewhere = AuditRecord { organization: Some(uid(2)), ..event(9, 9) };
    let delivery = AuditRecord { resource_uid: None, set_digest: Some(vec![1; 32]), ..event(5, 5) };
    let set = AuditSet { digest: vec![1; 32], organization: uid(1), secrets: vec![(uid(50), 1)] };
    insert(database, &[event(1, 1), of_operator(2, 2), event(3, 3), of_operator(4, 4), delivery, elsewhere], &[set])
        .await;
    let floor = async |filter: &AuditFilter, after, among| {
        audit::floor(database.store.reader(), Some(uid(1)), filter, after, among).await.unwrap()
    };
    let all = AuditFilter { outcome: Some("DENIED"), ..AuditFilter::default() };
    assert_eq!(floor(&all, None, 2).await, Some(later(4)));
    assert_eq!(floor(&all, None, 6).await, None);
    // Behind all events of that time.
    assert_eq!(floor(&all, Some((later(4), Uid::nil())), 2).await, Some(later(2)));
    let operators = AuditFilter { principal: Some("operator".to_owned()), ..all.clone() };
    assert_eq!(floor(&operators, None, 2).await, Some(later(2)));
    let delivered = AuditFilter { secrets: Some(vec![uid(50)]), ..all };
    assert_eq!(floor(&delivered, None, 1).await, Some(later(5)));
    assert_eq!(floor(&delivered, None, 4).await, Some(later(1)));
}

async fn finds_deliveries_of_a_secret(database: &TestDatabase) {
    let resolve = |number, seconds, digest: u8| AuditRecord {
        action: "secretsapi.v1.ResolveService/Resolve".to_owned(),
        resource_uid: None,
        set_digest: Some(vec![digest; 32]),
        ..event(number, seconds)
    };
    let set = |digest: u8, organization, secrets: &[(Uid, u32)]| AuditSet {
        digest: vec![digest; 32],
        organization,
        secrets: secrets.to_vec(),
    };
    let sets = [set(1, uid(1), &[(uid(50), 3), (uid(51), 1)]), set(2, uid(1), &[(uid(51), 1)])];
    let events = [event(1, 0), resolve(2, 1, 1), resolve(3, 2, 2), resolve(4, 3, 1)];
    insert(database, &events, &sets).await;
    let of = |secrets: &[u128]| AuditFilter {
        secrets: Some(secrets.iter().map(|secret| uid(*secret)).collect()),
        ..AuditFilter::default()
    };
    assert_eq!(list(database, of(&[50]), None, 9).await, [4, 2, 1]);
    assert_eq!(list(database, of(&[51]), None, 9).await, [4, 3, 2]);
    assert_eq!(list(database, of(&[50, 51]), None, 9).await, [4, 3, 2, 1]);
    assert_eq!(list(database, of(&[]), None, 9).await, Vec::<u128>::new());

    let db = database.store.reader();
    let digests = [vec![1; 32], vec![2; 32], vec![3; 32]];
    let (both, one) = (vec![(uid(50), 3), (uid(51), 1)], vec![(uid(51), 1)]);
    let all = audit::sets(db, uid(1), &digests, None).await.unwrap();
    assert_eq!(all, BTreeMap::from([(vec![1; 32], both), (vec![2; 32], one)]));
    let some = audit::sets(db, uid(1), &digests, Some(&[uid(50)])).await.unwrap();
    assert_eq!(some, BTreeMap::from([(vec![1; 32], vec![(uid(50), 3)])]));
    let sizes = audit::set_sizes(db, uid(1), &digests).await.unwrap();
    assert_eq!(sizes, BTreeMap::from([(vec![1; 32], 2), (vec![2; 32], 1)]));
    assert!(audit::sets(db, uid(2), &digests, None).await.unwrap().is_empty());
    assert!(audit::set_sizes(db, uid(2), &digests).await.unwrap().is_empty());
}

async fn writes_a_set_once(database: &TestDatabase) {
    let set = AuditSet { digest: vec![1; 32], organization: uid(1), secrets: vec![(uid(50), 3), (uid(51), 1)] };
    insert(database, &[], &[set.clone(), set.clone()]).await;
    insert(database, &[], std::slice::from_ref(&set)).await;
    let stored = audit::sets(database.store.reader(), uid(1), &[vec![1; 32]], None).await.unwrap();
    assert_eq!(stored, BTreeMap::from([(set.digest, set.secrets)]));
}

async fn writes_more_events_than_a_statement_has_parameters(database: &TestDatabase) {
    let events: Vec<_> = (1..=4000).map(|number| event(number, 0)).collect();
    insert(database, &events, &[]).await;
    assert_eq!(list(database, AuditFilter::default(), None, 5000).await.len(), 4000);
}

async fn writes_no_events(database: &TestDatabase) {
    insert(database, &[], &[]).await;
    let empty = AuditSet { digest: vec![3; 32], organization: uid(1), secrets: Vec::new() };
    insert(database, &[], &[empty]).await;
    assert_eq!(list(database, AuditFilter::default(), None, 10).await, Vec::<u128>::new());
}

/// Servers of the release before read the table during an upgrade, and refuse a number that they do not know.
async fn stores_only_kinds_that_the_release_before_knows(database: &TestDatabase) {
    let set = |kind, number| AuditRecord { kind, set_digest: Some(vec![1; 32]), ..event(number, 0) };
    let events = [
        event(1, 0),
        set(AuditKind::DeliveringChange, 2),
        set(AuditKind::Delivery, 3),
        AuditRecord { kind: AuditKind::Delivery, ..event(4, 0) },
        AuditRecord { kind: AuditKind::Read, ..event(5, 0) },
        AuditRecord { kind: AuditKind::Refusal, ..event(6, 0) },
    ];
    insert(database, &events, &[]).await;
    let tx = database.store.begin().await.unwrap();
    let row = tx.query_one_raw(Statement::from_string(
        tx.get_database_backend(),
        "SELECT count(*) AS unknown FROM audit_events WHERE kind NOT BETWEEN 0 AND 3",
    ));
    assert_eq!(row.await.unwrap().unwrap().try_get::<i64>("", "unknown").unwrap(), 0);
    let stored = audit::list(&tx, Some(uid(1)), &AuditFilter::default(), None, 9).await.unwrap();
    let stored: BTreeMap<_, _> = stored.into_iter().map(|row| (row.uid, row.kind)).collect();
    assert_eq!(stored, events.iter().map(|row| (row.uid, row.kind)).collect());
}

async fn reads_a_kind_of_a_later_release_as_a_change(database: &TestDatabase) {
    insert(database, &[event(1, 0)], &[]).await;
    let tx = database.store.begin().await.unwrap();
    tx.execute_unprepared("UPDATE audit_events SET kind = 4711").await.unwrap();
    let stored = audit::list(&tx, Some(uid(1)), &AuditFilter::default(), None, 9).await.unwrap();
    assert_eq!(stored, [event(1, 0)]);
}

/// Those of what delivered nothing have no source, and may be large.
async fn looks_only_into_the_details_of_what_delivered_something(database: &TestDatabase) {
    let detailed = |number, set_digest| AuditRecord {
        detail: r#"{"source":"here"}"#.to_owned(),
        set_digest,
        resource_name: "elsewhere".to_owned(),
        ..event(number, 0)
    };
    insert(database, &[detailed(1, None), detailed(2, Some(vec![1; 32]))], &[]).await;
    let filter = |text: &str| AuditFilter {
        below: Some("organizations/acme".to_owned()),
        or_detailed: Some(text.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(list(database, filter("here"), None, 9).await, [2]);
    assert_eq!(list(database, filter("there"), None, 9).await, Vec::<u128>::new());
}

async fn purges_one_kind_in_slices_and_sets_with_their_last_event(database: &TestDatabase) {
    let delivery = |number, seconds, digest: u8| AuditRecord {
        kind: AuditKind::Delivery,
        set_digest: Some(vec![digest; 32]),
        ..event(number, seconds)
    };
    let read = |number, seconds| AuditRecord { kind: AuditKind::Read, ..event(number, seconds) };
    let set = |digest: u8, organization| AuditSet {
        digest: vec![digest; 32],
        organization: uid(organization),
        secrets: vec![(uid(50), 1), (uid(51), 1)],
    };
    let elsewhere = AuditRecord { organization: Some(uid(2)), ..delivery(9, 90, 1) };
    let events = [read(1, 1), read(2, 2), read(3, 3), event(4, 0), delivery(5, 0, 1), delivery(6, 50, 1), elsewhere];
    insert(database, &events, &[set(1, 1), set(1, 2)]).await;
    let purge = async |kind, seconds, limit| {
        let tx = database.store.begin().await.unwrap();
        let rows = audit::purge(&tx, kind, later(seconds), limit).await.unwrap();
        secrets_server::store::commit(tx).await.unwrap();
        rows
    };
    let sets = async |organization| {
        audit::sets(database.store.reader(), uid(organization), &[vec![1; 32]], None).await.unwrap().len()
    };
    assert_eq!(purge(AuditKind::Read, 3, 1).await, 1);
    assert_eq!(list(database, AuditFilter::default(), None, 9).await, [6, 3, 2, 5, 4]);
    assert_eq!(purge(AuditKind::Read, 3, 9).await, 1);
    assert_eq!(purge(AuditKind::Read, 3, 9).await, 0);
    assert_eq!(purge(AuditKind::Delivery, 10, 9).await, 1);
    assert_eq!((sets(1).await, sets(2).await), (1, 1));
    // The event and the two rows of its set; that of another organization with the same digest is another one.
    assert_eq!(purge(AuditKind::Delivery, 60, 9).await, 3);
    assert_eq!((sets(1).await, sets(2).await), (0, 1));
    assert_eq!(list(database, AuditFilter::default(), None, 9).await, [3, 4]);
}
