//! Transactions: whole or not at all, whatever becomes of those who make them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use sea_orm::ConnectionTrait;
use secrets_core::Uid;
use secrets_server::store::{self, Store, StoreError, WriteTransaction, project};
use tokio::sync::Barrier;

use crate::store::fixture;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    shows_others_what_was_committed,
    keeps_32_writers_apart,
    continues_after_callers_that_are_dropped_at_any_await,
    continues_after_a_caller_that_panics,
    refuses_to_go_on_after_a_statement_that_failed,
    refuses_to_go_on_after_a_statement_that_was_cut_off,
    confirms_what_was_committed_before,
    leaves_no_transaction_of_a_caller_that_is_dropped_while_it_is_begun,
);

async fn shows_others_what_was_committed(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    for number in 1..=50 {
        write(&database.store, acme, number).await.unwrap();
        assert_eq!(projects(database, acme).await, u64::try_from(number).unwrap());
    }
}

/// Half of them give up after they have written. On SQLite they share commits.
async fn keeps_32_writers_apart(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let before = database.store.group_commits();
    let start = Arc::new(Barrier::new(32));
    let writers = (0..32).map(|writer| {
        let (store, start) = (database.store.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            for turn in 0..10 {
                let number = 100 * writer + turn;
                let tx = store.begin().await.unwrap();
                insert(&tx, acme, number).await.unwrap();
                if writer % 2 == 0 {
                    store::commit(tx).await.unwrap();
                    assert!(exists(&store, acme, number).await);
                } else {
                    drop(tx);
                    assert!(!exists(&store, acme, number).await);
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(projects(database, acme).await, 160);
    let commits = database.store.group_commits() - before;
    if database.store.backend() == "SQLite" {
        assert!((1..80).contains(&commits), "{commits} commits of 160 transactions");
    }
}

/// Each victim goes one await further than the one before, and vanishes while it waits or just when it would go on. Next
/// to it account else writes.
async fn continues_after_callers_that_are_dropped_at_any_await(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let mut victims = Vec::new();
    for (polls, when) in (1..40).flat_map(|polls| [(polls, When::Waiting), (polls, When::Woken)]) {
        let number = 10 * u128::try_from(victims.len()).unwrap();
        let victim = async {
            let tx = database.store.begin().await?;
            insert(&tx, acme, number).await?;
            insert(&tx, acme, number + 1).await?;
            store::commit(tx).await
        };
        let (victim, other) = tokio::join!(cut_off(polls, when, victim), write(&database.store, acme, number + 2));
        assert_eq!(other, Ok(()), "{when:?} after {polls}");
        write(&database.store, acme, number + 3).await.unwrap();
        victims.push((number, victim));
    }
    // Only now: PostgreSQL may take a moment to end a commit that nobody waits for.
    let mut expected = 2 * victims.len();
    for (number, committed) in &victims {
        let kept = exists(&database.store, acme, *number).await;
        assert_eq!(kept, exists(&database.store, acme, number + 1).await, "half of {number} is there");
        assert!(committed.is_none() || (*committed == Some(Ok(())) && kept), "{number} was acknowledged");
        expected += if kept { 2 } else { 0 };
    }
    assert_eq!(projects(database, acme).await, u64::try_from(expected).unwrap());
    let vanished = victims.iter().filter(|(_, committed)| committed.is_none()).count();
    assert!(vanished > 0 && vanished < victims.len(), "{vanished} vanished");
}

async fn continues_after_a_caller_that_panics(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let store = database.store.clone();
    let panics = tokio::spawn(async move {
        let tx = store.begin().await.unwrap();
        insert(&tx, acme, 1).await.unwrap();
        panic!("on purpose");
    });
    let (panicked, written) = tokio::join!(panics, write(&database.store, acme, 2));
    assert!(panicked.unwrap_err().is_panic());
    written.unwrap();
    write(&database.store, acme, 3).await.unwrap();
    assert_eq!(projects(database, acme).await, 2);
}

async fn refuses_to_go_on_after_a_statement_that_failed(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    insert(&tx, acme, 1).await.unwrap();
    assert!(matches!(insert(&tx, acme, 1).await, Err(StoreError::UniqueViolation(_))));
    assert!(matches!(insert(&tx, acme, 2).await, Err(StoreError::Refused(_))));
    assert!(matches!(store::commit(tx).await, Err(StoreError::Refused(_))));
    assert_eq!(projects(database, acme).await, 0);
}

async fn refuses_to_go_on_after_a_statement_that_was_cut_off(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    insert(&tx, acme, 1).await.unwrap();
    let slow = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) SELECT max(x) FROM c";
    assert!(cut_off(1, When::Waiting, tx.execute_unprepared(slow)).await.is_none());
    assert!(matches!(insert(&tx, acme, 2).await, Err(StoreError::Refused(_))));
    assert!(matches!(store::commit(tx).await, Err(StoreError::Refused(_))));
    write(&database.store, acme, 3).await.unwrap();
    assert_eq!(projects(database, acme).await, 1);
}

async fn confirms_what_was_committed_before(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    write(&database.store, acme, 1).await.unwrap();
    let tx = database.store.begin().await.unwrap();
    assert_eq!(project::count(&tx, acme).await.unwrap(), 1);
    let confirmation = tx.confirmation();
    drop(tx);
    confirmation.wait().await.unwrap();
}

#[derive(Clone, Copy, Debug)]
enum When {
    /// As soon as it waits.
    Waiting,
    /// When what it waits for has happened.
    Woken,
}

/// Polls a future so many times and then drops it, if it has not ended by then.
async fn cut_off<T>(polls: u32, when: When, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        match (future.as_mut().poll(context), when) {
            (Poll::Ready(ended), _) => Poll::Ready(Some(ended)),
            (Poll::Pending, When::Waiting) if polled == polls => Poll::Ready(None),
            (Poll::Pending, _) => Poll::Pending,
        }
    })
    .await
}

pub async fn write(store: &Store, organization: Uid, number: u128) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    insert(&tx, organization, number).await?;
    store::commit(tx).await
}

pub async fn insert(tx: &WriteTransaction, organization: Uid, number: u128) -> Result<(), StoreError> {
    project::insert(tx, &fixture::project_row(organization, 100 + number, &format!("p{number}"))).await
}

pub async fn exists(store: &Store, organization: Uid, number: u128) -> bool {
    let id = format!("p{number}").parse().unwrap();
    project::by_id(store.reader(), organization, &id).await.unwrap().is_some()
}

pub async fn projects(database: &TestDatabase, organization: Uid) -> u64 {
    project::count(database.store.reader(), organization).await.unwrap()
}

/// The connection goes on to others, whose transaction it would be.
async fn leaves_no_transaction_of_a_caller_that_is_dropped_while_it_is_begun(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let store = &database.store;
    for turn in 0..60 {
        let mut begin = pin!(store.snapshot());
        // The first time it may have to wait for a connection.
        for _ in 0..1 + turn % 3 {
            if poll_fn(|context| Poll::Ready(begin.as_mut().poll(context).is_ready())).await {
                break;
            }
            tokio::task::yield_now().await;
        }
        begin.set(store.snapshot());
        // Whatever connection these get: a snapshot can't be taken in a transaction that has read.
        for _ in 0..10 {
            project::count(store.reader(), acme).await.unwrap();
            let snapshot = store.snapshot().await.unwrap();
            project::count(&snapshot, acme).await.unwrap();
        }
    }
}
