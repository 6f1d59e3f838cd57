//! PostgreSQL through a pooler, and databases that can't be served at all.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use secrets_server::store::{self, ConnectError, DatabaseConfig, Store, StoreError, Writer, project, revision};

use crate::store::fixture;
use crate::store::transaction::write;
use crate::support::database::TestDatabase;
use crate::support::pgbouncer::{PgBouncer, prepares_statements};

fn url(database: &TestDatabase) -> &str {
    let DatabaseConfig::Postgres { url, .. } = &database.config else { panic!("not on PostgreSQL") };
    url.expose()
}

async fn connect(url: &str) -> Result<Store, ConnectError> {
    store::connect(&DatabaseConfig::Postgres { url: url.parse().unwrap(), connections: 8 }).await
}

/// Many connections at once, each with several transactions.
async fn work(database: &TestDatabase, store: &Store) {
    let acme = fixture::organization(store, 1, "acme").await;
    let writers = (0..16).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for turn in 0..5 {
                write(&store, acme, 100 * writer + turn).await.unwrap();
                let snapshot = store.snapshot().await.unwrap();
                assert!(project::count(&snapshot, acme).await.unwrap() > 0);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(project::count(database.store.reader(), acme).await.unwrap(), 80);
}

async fn shown(db: &impl ConnectionTrait, setting: &str) -> String {
    let statement = Statement::from_string(DbBackend::Postgres, format!("SHOW {setting}"));
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Whoever waits for an organization's lock gives its connection back after two seconds.
async fn give_up_a_lock(store: &Store) {
    let acme = fixture::uid(1);
    for writer in [Writer::Organization(acme), Writer::Audit] {
        let holder = store.begin().await.unwrap();
        revision::lock(&holder, acme).await.unwrap().unwrap();
        let waiting = async {
            let transaction = store.begin_for(writer).await.unwrap();
            assert_eq!(shown(&transaction, "lock_timeout").await, "2s");
            revision::lock(&transaction, acme).await.map(drop)
        };
        let refused = tokio::time::timeout(Duration::from_secs(8), waiting).await.expect("it waits for ever");
        let Err(StoreError::Unavailable(error)) = refused else { panic!("{writer:?}: {refused:?}") };
        assert_eq!(error.code.as_deref(), Some("55P03"), "lock_not_available");
        drop(holder);
    }
    let transaction = store.begin().await.unwrap();
    assert!(revision::lock(&transaction, acme).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_pooler_a_lock_is_given_up_too() {
    let database = TestDatabase::postgres().await;
    fixture::organization(&database.store, 1, "acme").await;
    give_up_a_lock(&database.store).await;
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_session_mode_needs_no_settings() {
    let database = TestDatabase::postgres().await;
    let pooler = PgBouncer::start(url(&database), "");
    let store = connect(&pooler.url(url(&database))).await.unwrap();
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
    work(&database, &store).await;
    assert_eq!(shown(store.reader(), "statement_timeout").await, "10s");
    give_up_a_lock(&store).await;
    store.close().await.unwrap();
    drop(pooler);
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_transaction_mode_serves_if_it_keeps_prepared_statements() {
    let database = TestDatabase::postgres().await;
    if prepares_statements() {
        let pooler = PgBouncer::start(url(&database), "pool_mode = transaction\nmax_prepared_statements = 100");
        let store = connect(&pooler.url(url(&database))).await.unwrap();
        work(&database, &store).await;
        // Nothing is left behind on connections that others get.
        let before = (shown(store.reader(), "statement_timeout").await, shown(store.reader(), "lock_timeout").await);
        assert_eq!(before, ("0".to_owned(), "0".to_owned()));
        let transaction = store.begin().await.unwrap();
        assert_eq!(shown(&transaction, "statement_timeout").await, "10s");
        drop(transaction);
        give_up_a_lock(&store).await;
        store.close().await.unwrap();
    }
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_transaction_mode_that_loses_prepared_statements_is_refused() {
    let database = TestDatabase::postgres().await;
    let keeps_none = if prepares_statements() { "max_prepared_statements = 0" } else { "" };
    let pooler = PgBouncer::start(url(&database), &format!("pool_mode = transaction\n{keeps_none}"));
    for _ in 0..5 {
        match connect(&pooler.url(url(&database))).await {
            Err(error @ ConnectError::Pooler) => assert!(error.to_string().contains("1.21"), "{error}"),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it serves"),
        }
    }
    drop(pooler);
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_another_encoding_is_refused() {
    let database = TestDatabase::postgres().await;
    let (base, name) = url(&database).rsplit_once('/').unwrap();
    let admin = Database::connect(&std::env::var("SECRETS_TEST_POSTGRES_URL").unwrap()).await.unwrap();
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let other = format!("{name}_{}", encoding.to_lowercase());
        let create = format!("CREATE DATABASE {other} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'");
        admin.execute_unprepared(&create).await.unwrap();
        let refused = connect(&format!("{base}/{other}")).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(encoding) && refused.contains("must have UTF8"), "{refused}");
        admin.execute_unprepared(&format!("DROP DATABASE {other} WITH (FORCE)")).await.unwrap();
    }
    admin.close().await.unwrap();
    database.end().await;
}

/// As after a failover, or after somebody has set it so for a while.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_made_while_the_database_was_read_only_are_closed() {
    let database = TestDatabase::postgres().await;
    let name = url(&database).rsplit_once('/').unwrap().1;
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let admin = Database::connect(&std::env::var("SECRETS_TEST_POSTGRES_URL").unwrap()).await.unwrap();
    admin.execute_unprepared(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await.unwrap();
    let store = connect(url(&database)).await.unwrap();
    // All of its connections are made now.
    let reads = (0..8).map(|_| store.snapshot());
    for snapshot in futures_util::future::join_all(reads).await {
        assert_eq!(project::count(&snapshot.unwrap(), acme).await.unwrap(), 0);
    }
    admin.execute_unprepared(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await.unwrap();
    let mut refused = 0;
    while let Err(error) = write(&store, acme, 1).await {
        assert!(matches!(error, store::StoreError::Unavailable(_)), "{error}");
        refused += 1;
        assert!(refused < 8, "each of its connections stays read-only");
    }
    assert_eq!(refused, 1, "the first refusal is enough");
    store.close().await.unwrap();
    admin.close().await.unwrap();
    database.end().await;
}
