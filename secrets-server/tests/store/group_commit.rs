//! What transactions that share a commit on SQLite do to each other.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use secrets_server::store::{self, DatabaseConfig, Store, StoreError, WriteTransaction, project};

use crate::store::fixture;
use crate::store::transaction::{exists, insert, projects, write};
use crate::support::database::TestDatabase;

#[tokio::test]
async fn shares_one_commit_among_those_who_wait_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let before = database.store.group_commits();
    let (first, second) = two(&database.store).await;
    insert(&first, acme, 1).await.unwrap();
    let mut first = pin!(store::commit(first));
    let second = tokio::select! {
        biased;
        _ = &mut first => panic!("acknowledged before the one that waited had its turn"),
        second = second => second.unwrap(),
    };
    assert_eq!(project::count(&second, acme).await.unwrap(), 1, "it sees what it is committed with");
    assert!(!exists(&database.store, acme, 1).await, "it is not durable, and others do not see it");
    insert(&second, acme, 2).await.unwrap();
    let (first, second) = tokio::join!(first, store::commit(second));
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert_eq!(projects(&database, acme).await, 2);
    assert_eq!(database.store.group_commits() - before, 1);
    database.end().await;
}

#[tokio::test]
async fn undoes_one_and_keeps_the_other_of_a_commit_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let before = database.store.group_commits();
    let (first, second) = two(&database.store).await;
    insert(&first, acme, 1).await.unwrap();
    let second = async {
        let tx = second.await.unwrap();
        insert(&tx, acme, 2).await.unwrap();
        assert!(insert(&tx, acme, 1).await.is_err());
        let confirmation = tx.confirmation();
        drop(tx);
        confirmation.wait().await
    };
    assert_eq!(tokio::join!(store::commit(first), second), (Ok(()), Ok(())));
    assert!(exists(&database.store, acme, 1).await);
    assert_eq!(projects(&database, acme).await, 1);
    assert_eq!(database.store.group_commits() - before, 1);
    database.end().await;
}

#[tokio::test]
async fn undoes_the_first_and_continues_with_those_that_wait_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let (first, second) = two(&database.store).await;
    insert(&first, acme, 1).await.unwrap();
    drop(first);
    let second = second.await.unwrap();
    assert_eq!(project::count(&second, acme).await.unwrap(), 0);
    insert(&second, acme, 2).await.unwrap();
    store::commit(second).await.unwrap();
    assert_eq!(projects(&database, acme).await, 1);
    database.end().await;
}

#[tokio::test]
async fn acknowledges_nobody_when_the_commit_fails_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let before = database.store.group_commits();
    let (first, second) = two(&database.store).await;
    insert(&first, acme, 1).await.unwrap();
    let second = async {
        let tx = second.await.unwrap();
        fail_to_commit(&tx).await;
        store::commit(tx).await
    };
    let refused = Err(StoreError::ReferenceViolation);
    assert_eq!(tokio::join!(store::commit(first), second), (refused.clone(), refused));
    assert_eq!(database.store.group_commits() - before, 0);
    assert_eq!(projects(&database, acme).await, 0);
    write(&database.store, acme, 4).await.unwrap();
    assert_eq!(projects(&database, acme).await, 1);
    database.end().await;
}

#[tokio::test]
async fn does_not_confirm_what_was_read_and_never_committed_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let (first, second) = two(&database.store).await;
    insert(&first, acme, 1).await.unwrap();
    fail_to_commit(&first).await;
    let second = async {
        let tx = second.await.unwrap();
        assert_eq!(project::count(&tx, acme).await.unwrap(), 1);
        let confirmation = tx.confirmation();
        drop(tx);
        confirmation.wait().await
    };
    let (first, second) = tokio::join!(store::commit(first), second);
    assert_eq!(first, Err(StoreError::ReferenceViolation));
    assert_eq!(second, Err(StoreError::ReferenceViolation));
    assert_eq!(projects(&database, acme).await, 0);
    database.end().await;
}

/// As SQLite does by itself when the disk is full or fails.
#[tokio::test]
async fn fails_all_when_one_undid_the_others_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    for round in 0..5 {
        let (first, second) = two(&database.store).await;
        insert(&first, acme, 10 * round + 1).await.unwrap();
        let first = store::commit(first);
        let second = async {
            let tx = second.await.unwrap();
            let undo = "INSERT OR ROLLBACK INTO organizations SELECT * FROM organizations";
            assert!(tx.execute_unprepared(undo).await.is_err());
            // Would be committed at once, if it were sent.
            assert!(insert(&tx, acme, 10 * round + 2).await.is_err());
            store::commit(tx).await
        };
        let (first, second) = tokio::join!(first, second);
        assert!(matches!(first, Err(StoreError::Unavailable(_))), "{first:?}");
        assert!(matches!(second, Err(StoreError::Refused(_))), "{second:?}");
        assert_eq!(projects(&database, acme).await, u64::try_from(round).unwrap());
        write(&database.store, acme, 10 * round + 3).await.unwrap();
    }
    database.end().await;
}

#[tokio::test]
async fn commits_in_time_while_others_join_and_leave_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let stream = (0..4).map(|_| {
        let store = database.store.clone();
        tokio::spawn(async move {
            loop {
                drop(store.begin().await.unwrap());
            }
        })
    });
    let stream: Vec<_> = stream.collect();
    for number in 0..20 {
        let write = write(&database.store, acme, number);
        tokio::time::timeout(Duration::from_secs(5), write).await.expect("it is not put off for ever").unwrap();
    }
    for visitor in stream {
        visitor.abort();
        assert!(visitor.await.unwrap_err().is_cancelled());
    }
    database.end().await;
}

#[tokio::test]
async fn loses_nothing_acknowledged_when_a_sqlite_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let config = DatabaseConfig::sqlite(directory.path().join("secrets.db"));
    let store = store::connect(&config).await.unwrap();
    store.migrate().await.unwrap();
    let acme = fixture::organization(&store, 1, "acme").await;
    let (first, second) = two(&store).await;
    insert(&first, acme, 1).await.unwrap();
    let second = async {
        let tx = second.await.unwrap();
        insert(&tx, acme, 2).await.unwrap();
        store::commit(tx).await.unwrap();
    };
    let (first, ()) = tokio::join!(store::commit(first), second);
    first.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = store::connect(&config).await.unwrap();
    assert_eq!(project::count(store.reader(), acme).await.unwrap(), 2);
    store.close().await.unwrap();
}

/// One that has its turn, and one that waits for its own.
async fn two(store: &Store) -> (WriteTransaction, Waiting<'_>) {
    let first = store.begin().await.unwrap();
    (first, poll_once(Box::pin(store.begin())).await)
}

/// Leaves a reference to nothing, and tells SQLite to notice it only when everything is committed.
async fn fail_to_commit(tx: &WriteTransaction) {
    tx.execute_unprepared("PRAGMA defer_foreign_keys = ON").await.unwrap();
    insert(tx, fixture::uid(99), 99).await.unwrap();
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<WriteTransaction, StoreError>> + Send + 'a>>;

/// Starts a future that has to wait.
async fn poll_once(mut future: Waiting<'_>) -> Waiting<'_> {
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    future
}
