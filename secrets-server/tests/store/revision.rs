//! The revision row counts changes, and makes mutations of one organization take turns.

use std::sync::Arc;

use secrets_core::{Scope, ScopeKind};
use secrets_server::store::revision::{self, Revision};
use secrets_server::store::{StoreError, UniqueIndex, commit, project};
use tokio::sync::Barrier;

use crate::store::fixture::{self, NOW, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    counts_changes,
    says_which_scopes_changed_since,
    is_absent_for_an_unknown_organization,
    has_a_lock_for_the_platform,
    undoes_what_is_rolled_back,
    distinguishes_its_own_history_from_another,
    reads_one_state_through_a_snapshot,
    serializes_32_writers,
    lets_one_of_32_have_a_name,
);

async fn counts_changes(database: &TestDatabase) {
    let organization = fixture::organization(&database.store, 1, "acme").await;
    let before = revision::current(database.store.reader(), organization).await.unwrap().unwrap();
    assert_eq!(before, Revision { revision: 0, change_id: uid(1_000_001) });

    let tx = database.store.begin().await.unwrap();
    let mut lock = revision::lock(&tx, organization).await.unwrap().unwrap();
    assert_eq!(lock.current(), before);
    let scope = Scope::new(ScopeKind::Organization, organization);
    assert_eq!(lock.bump(&tx, scope, uid(7), NOW).await.unwrap(), 1);
    assert_eq!(lock.bump(&tx, Scope::new(ScopeKind::Project, uid(2)), uid(8), NOW).await.unwrap(), 2);
    commit(tx).await.unwrap();

    let after = revision::current(database.store.reader(), organization).await.unwrap().unwrap();
    assert_eq!(after, Revision { revision: 2, change_id: uid(8) });
}

async fn says_which_scopes_changed_since(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let rival = fixture::organization(&database.store, 2, "rival").await;
    let tx = database.store.begin().await.unwrap();
    let mut lock = revision::lock(&tx, acme).await.unwrap().unwrap();
    for (change, project) in [(7, 11), (8, 12), (9, 12)] {
        lock.bump(&tx, Scope::new(ScopeKind::Project, uid(project)), uid(change), NOW).await.unwrap();
    }
    commit(tx).await.unwrap();
    let db = database.store.reader();
    let current = revision::current_of(db, &[acme, rival, uid(404)]).await.unwrap();
    assert_eq!(current.keys().copied().collect::<Vec<_>>(), [acme, rival]);
    assert_eq!(current[&acme], Revision { revision: 3, change_id: uid(9) });
    let known = |revision, change| Revision { revision, change_id: uid(change) };
    for (known, scopes) in [(known(0, 0), vec![11, 12]), (known(1, 7), vec![12]), (known(3, 9), vec![])] {
        let mut since = revision::scopes_since(db, acme, known).await.unwrap();
        since.sort();
        assert_eq!(since, scopes.into_iter().map(uid).collect::<Vec<_>>());
        assert!(revision::scopes_since(db, rival, known).await.unwrap().is_empty());
    }
}

async fn is_absent_for_an_unknown_organization(database: &TestDatabase) {
    let tx = database.store.begin().await.unwrap();
    assert!(revision::lock(&tx, uid(404)).await.unwrap().is_none());
    assert_eq!(revision::current(&tx, uid(404)).await.unwrap(), None);
}

async fn has_a_lock_for_the_platform(database: &TestDatabase) {
    let tx = database.store.begin().await.unwrap();
    assert_eq!(revision::lock_platform(&tx).await.unwrap().current().revision, 0);
}

async fn undoes_what_is_rolled_back(database: &TestDatabase) {
    let organization = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    let mut lock = revision::lock(&tx, organization).await.unwrap().unwrap();
    lock.bump(&tx, Scope::new(ScopeKind::Organization, organization), uid(7), NOW).await.unwrap();
    drop(tx);
    let tx = database.store.begin().await.unwrap();
    assert_eq!(revision::lock(&tx, organization).await.unwrap().unwrap().current().revision, 0);
}

async fn distinguishes_its_own_history_from_another(database: &TestDatabase) {
    let organization = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    let mut lock = revision::lock(&tx, organization).await.unwrap().unwrap();
    let start = lock.current();
    for change in [7, 8, 9] {
        lock.bump(&tx, Scope::new(ScopeKind::Organization, organization), uid(change), NOW).await.unwrap();
    }
    let current = lock.current();
    for (known, included) in [
        (start, true),
        (Revision { revision: 1, change_id: uid(7) }, true),
        (Revision { revision: 2, change_id: uid(8) }, true),
        (current, true),
        (Revision { revision: 2, change_id: uid(7) }, false),
        (Revision { revision: 3, change_id: uid(8) }, false),
        (Revision { revision: 4, change_id: uid(9) }, false),
        (Revision { revision: u64::MAX, change_id: uid(9) }, false),
    ] {
        assert_eq!(revision::includes(&tx, organization, current, known).await, Ok(included), "{known:?}");
    }
}

async fn reads_one_state_through_a_snapshot(database: &TestDatabase) {
    let organization = fixture::organization(&database.store, 1, "acme").await;
    let snapshot = database.store.snapshot().await.unwrap();
    let before = revision::current(&snapshot, organization).await.unwrap();
    let tx = database.store.begin().await.unwrap();
    let mut lock = revision::lock(&tx, organization).await.unwrap().unwrap();
    lock.bump(&tx, Scope::new(ScopeKind::Organization, organization), uid(7), NOW).await.unwrap();
    commit(tx).await.unwrap();
    assert_eq!(revision::current(&snapshot, organization).await.unwrap(), before);
    drop(snapshot);
    let after = database.store.snapshot().await.unwrap();
    assert_ne!(revision::current(&after, organization).await.unwrap(), before);
    let refused = project::insert(&after, &fixture::project_row(organization, 10, "api")).await;
    assert!(refused.is_err(), "a snapshot does not write");
}

/// Count, then insert if the count allows: without the lock, writers that count at the same time all pass.
async fn serializes_32_writers(database: &TestDatabase) {
    const LIMIT: u64 = 5;
    let organization = fixture::organization(&database.store, 1, "acme").await;
    let start = Arc::new(Barrier::new(32));
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let (store, start) = (database.store.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let tx = store.begin().await?;
                let mut lock = revision::lock(&tx, organization).await?.expect("the organization is there");
                if project::count(&tx, organization).await? >= LIMIT {
                    return Ok(false);
                }
                let row = fixture::project_row(organization, 100 + writer, &format!("p{writer}"));
                project::insert(&tx, &row).await?;
                lock.bump(&tx, Scope::new(ScopeKind::Organization, organization), uid(writer), NOW).await?;
                commit(tx).await?;
                Ok::<_, StoreError>(true)
            })
        })
        .collect();
    let mut inserted = 0;
    for writer in writers {
        inserted += u64::from(writer.await.unwrap().unwrap());
    }
    assert_eq!(inserted, LIMIT);
    let reader = database.store.reader();
    assert_eq!(project::count(reader, organization).await.unwrap(), LIMIT);
    assert_eq!(revision::current(reader, organization).await.unwrap().unwrap().revision, LIMIT);
}

async fn lets_one_of_32_have_a_name(database: &TestDatabase) {
    let organization = fixture::organization(&database.store, 1, "acme").await;
    let start = Arc::new(Barrier::new(32));
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let (store, start) = (database.store.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let tx = store.begin().await?;
                // Without the lock: the index alone must hold.
                project::insert(&tx, &fixture::project_row(organization, 100 + writer, "api")).await?;
                commit(tx).await
            })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error, StoreError::UniqueViolation(UniqueIndex::ProjectId)),
        }
    }
    assert_eq!(won, 1);
}
