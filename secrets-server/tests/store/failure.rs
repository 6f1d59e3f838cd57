//! What goes wrong in the world outside, and that the store goes on afterwards.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use secrets_core::Uid;
use secrets_server::store::{self, DatabaseConfig, Store, StoreError, organization, project, revision};

use crate::store::fixture::{self, uid};
use crate::support::database::TestDatabase;
use crate::support::on_both::{self, on_both};

on_both!(tells_a_column_of_another_type, undoes_what_failed_and_goes_on);

/// A row that something else wrote. PostgreSQL has no such rows, but a NULL where there is none comes close.
async fn tells_a_column_of_another_type(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    let tx = database.store.begin().await.unwrap();
    if database.store.backend() == "SQLite" {
        tx.execute_unprepared("UPDATE organizations SET create_time = 'yesterday'").await.unwrap();
    } else {
        tx.execute_unprepared("ALTER TABLE organizations ALTER COLUMN create_time TYPE text").await.unwrap();
    }
    store::commit(tx).await.unwrap();
    match organization::by_uid(database.store.reader(), acme).await {
        Err(StoreError::Corrupt { table, column, .. }) => {
            assert_eq!((table, column.contains("create_time")), ("organizations", true), "{column}");
        }
        other => panic!("{other:?}"),
    }
}

async fn undoes_what_failed_and_goes_on(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    for _ in 0..20 {
        let tx = database.store.begin().await.unwrap();
        fixture::project(&tx, acme, 10, "api").await;
        project::insert(&tx, &fixture::project_row(acme, 11, "api")).await.unwrap_err();
        drop(tx);
    }
    assert_eq!(project::count(database.store.reader(), acme).await.unwrap(), 0);
    let tx = database.store.begin().await.unwrap();
    fixture::project(&tx, acme, 10, "api").await;
    store::commit(tx).await.unwrap();
}

#[test]
fn is_unavailable_while_a_sqlite_disk_is_full() {
    on_both::run(TestDatabase::sqlite(), |database| async move {
        let acme = fixture::organization(&database.store, 1, "acme").await;
        let pages = async |count: u32| {
            let tx = database.store.begin().await.unwrap();
            tx.execute_unprepared(&format!("PRAGMA max_page_count = {count}")).await.unwrap();
            store::commit(tx).await.unwrap();
        };
        pages(1).await; // at least as many as there are
        let refused = fill(&database.store, acme).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Unavailable(error) if error.code.as_deref() == Some("13")), "{refused}");
        assert_eq!(project::count(database.store.reader(), acme).await.unwrap(), 0, "all or nothing");
        pages(1_000_000).await;
        fill(&database.store, acme).await.unwrap();
        database
    });
}

/// A full or failing disk makes SQLite do the same.
#[test]
fn recovers_when_sqlite_undid_a_transaction_by_itself() {
    on_both::run(TestDatabase::sqlite(), |database| async move {
        let acme = fixture::organization(&database.store, 1, "acme").await;
        let tx = database.store.begin().await.unwrap();
        fixture::project(&tx, acme, 10, "api").await;
        let undo = "INSERT OR ROLLBACK INTO organizations SELECT * FROM organizations";
        tx.execute_unprepared(undo).await.unwrap_err();
        drop(tx);
        drop(database.store.begin().await.unwrap());
        assert_eq!(project::count(database.store.reader(), acme).await.unwrap(), 0);
        let tx = database.store.begin().await.unwrap();
        fixture::project(&tx, acme, 11, "web").await;
        store::commit(tx).await.unwrap();
        assert_eq!(project::count(database.store.reader(), acme).await.unwrap(), 1, "what was acknowledged is there");
        database
    });
}

async fn fill(store: &Store, organization: Uid) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    for number in 0..2000 {
        project::insert(&tx, &fixture::project_row(organization, 1000 + number, &format!("p{number}"))).await?;
    }
    store::commit(tx).await
}

#[test]
fn recovers_when_postgres_does() {
    on_both::run(TestDatabase::postgres(), |database| async move {
        let acme = fixture::organization(&database.store, 1, "acme").await;
        let tx = database.store.begin().await.unwrap();
        end_all_sessions(&database).await;
        let cut_off = project::insert(&tx, &fixture::project_row(acme, 10, "api")).await.unwrap_err();
        assert!(matches!(cut_off, StoreError::Unavailable(_)), "{cut_off}");
        drop(tx);
        // Connections that were idle for a while are tried before they are handed out.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        for _ in 0..10 {
            assert_eq!(project::count(database.store.reader(), acme).await, Ok(0));
        }
        database
    });
}

#[test]
fn is_unavailable_while_postgres_refuses_connections() {
    on_both::run(TestDatabase::postgres(), |database| async move {
        let DatabaseConfig::Postgres { url, .. } = &database.config else { panic!("not on PostgreSQL") };
        let name = url.expose().split('?').next().unwrap().rsplit('/').next().unwrap();
        let admin = Database::connect(std::env::var("SECRETS_TEST_POSTGRES_URL").unwrap()).await.unwrap();
        let allow = async |whether: bool| {
            admin.execute_unprepared(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {whether}")).await.unwrap();
        };
        end_all_sessions(&database).await;
        allow(false).await;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let refused = project::count(database.store.reader(), uid(1)).await.unwrap_err();
        assert!(
            matches!(&refused, StoreError::Unavailable(error) if error.code.as_deref() == Some("55000")),
            "{refused}"
        );
        allow(true).await;
        assert_eq!(project::count(database.store.reader(), uid(1)).await, Ok(0));
        admin.close().await.unwrap();
        database
    });
}

async fn end_all_sessions(database: &TestDatabase) {
    let DatabaseConfig::Postgres { url, .. } = &database.config else { panic!("not on PostgreSQL") };
    let other: DatabaseConnection = Database::connect(url.expose()).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    other.execute_unprepared(end).await.unwrap();
    other.close().await.unwrap();
}

#[test]
fn asks_to_run_a_deadlocked_transaction_again() {
    on_both::run(TestDatabase::postgres(), |database| async move {
        let acme = fixture::organization(&database.store, 1, "acme").await;
        let globex = fixture::organization(&database.store, 2, "globex").await;
        let both = async |first, then, meet: &tokio::sync::Barrier| {
            let tx = database.store.begin().await?;
            revision::lock(&tx, first).await?;
            meet.wait().await;
            revision::lock(&tx, then).await?;
            store::commit(tx).await
        };
        let meet = tokio::sync::Barrier::new(2);
        let (one, other) = tokio::join!(both(acme, globex, &meet), both(globex, acme, &meet));
        let refused = [one, other].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert_eq!(refused, [StoreError::SerializationFailure]);
        assert!(refused[0].is_retryable());
        database
    });
}

#[test]
fn migrates_once_for_servers_that_start_together() {
    on_both::run(TestDatabase::postgres(), |database| async move {
        let tx = database.store.begin().await.unwrap();
        tx.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        store::commit(tx).await.unwrap();
        let mut servers = Vec::new();
        for _ in 0..4 {
            servers.push(store::connect(&database.config).await.unwrap());
        }
        let starts = servers.into_iter().map(|server| {
            tokio::spawn(async move {
                server.migrate().await.unwrap();
                let pending = server.pending().await.unwrap();
                server.close().await.unwrap();
                pending
            })
        });
        for start in starts.collect::<Vec<_>>() {
            assert_eq!(start.await.unwrap(), Vec::<String>::new());
        }
        assert_eq!(organization::by_uid(database.store.reader(), uid(1)).await, Ok(None));
        database
    });
}

#[test]
fn keeps_to_the_schema_that_a_connection_string_names() {
    on_both::run(TestDatabase::postgres(), |database| async move {
        let tx = database.store.begin().await.unwrap();
        tx.execute_unprepared("CREATE SCHEMA own").await.unwrap();
        store::commit(tx).await.unwrap();
        let DatabaseConfig::Postgres { url, connections } = &database.config else { panic!("not on PostgreSQL") };
        let url = format!("{}?options[search_path]=own", url.expose()).parse().unwrap();
        let own = store::connect(&DatabaseConfig::Postgres { url, connections: *connections }).await.unwrap();
        assert!(!own.migrate().await.unwrap().is_empty());
        fixture::organization(&own, 1, "acme").await;
        assert_eq!(organization::count(own.reader()).await, Ok(1));
        assert_eq!(organization::count(database.store.reader()).await, Ok(0));
        own.close().await.unwrap();
        database
    });
}
