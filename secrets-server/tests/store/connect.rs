//! Opening, locking and migrating databases.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use sea_orm::{ConnectionTrait, Statement};
use secrets_server::store::{
    self, ConnectError, DatabaseConfig, DatabaseUrl, InvalidDatabaseUrl, StoreError, organization,
};

use crate::store::fixture;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;

on_both!(
    has_nothing_pending_after_migrating,
    refuses_a_newer_schema,
    keeps_what_is_committed_and_drops_what_is_not,
    is_unavailable_once_closed,
    distinguishes_a_corrupt_row_from_an_absent_one,
);

async fn has_nothing_pending_after_migrating(database: &TestDatabase) {
    assert_eq!(database.store.pending().await.unwrap(), Vec::<String>::new());
    assert_eq!(database.store.migrate().await.unwrap(), Vec::<String>::new());
    database.store.ping().await.unwrap();
}

async fn refuses_a_newer_schema(database: &TestDatabase) {
    execute(database, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_tomorrow', 0)").await;
    database.store.close().await.unwrap();
    // The lock of a SQLite file goes with its store, which `database` still holds: a copy is as good.
    let config = match &database.config {
        DatabaseConfig::Sqlite { path, .. } => {
            let copy = path.with_file_name("copy.db");
            fs::copy(path, &copy).unwrap();
            DatabaseConfig::sqlite(copy)
        }
        other => other.clone(),
    };
    match store::connect(&config).await {
        Err(ConnectError::SchemaNewer { migration }) => assert_eq!(migration, "m9999_tomorrow"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("opened a newer schema"),
    }
}

async fn keeps_what_is_committed_and_drops_what_is_not(database: &TestDatabase) {
    let kept = fixture::organization_row(1, "kept");
    let dropped = fixture::organization_row(2, "dropped");
    let tx = database.store.begin().await.unwrap();
    organization::insert(&tx, &kept).await.unwrap();
    store::commit(tx).await.unwrap();
    let tx = database.store.begin().await.unwrap();
    organization::insert(&tx, &dropped).await.unwrap();
    drop(tx);
    let reader = database.store.reader();
    assert_eq!(organization::list(reader, None, 10).await.unwrap(), [kept]);
}

async fn is_unavailable_once_closed(database: &TestDatabase) {
    let reader = database.store.reader().clone();
    database.store.close().await.unwrap();
    assert!(matches!(organization::list(&reader, None, 1).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(database.store.begin().await, Err(StoreError::Unavailable(_))));
}

async fn distinguishes_a_corrupt_row_from_an_absent_one(database: &TestDatabase) {
    let acme = fixture::organization(&database.store, 1, "acme").await;
    execute(database, "UPDATE organizations SET name_policy = 'WHATEVER'").await;
    let corrupt = organization::by_uid(database.store.reader(), acme).await;
    let expected = StoreError::Corrupt { table: "organizations", column: "name_policy".into(), row: acme.to_string() };
    assert_eq!(corrupt, Err(expected));
    assert_eq!(organization::by_uid(database.store.reader(), fixture::uid(9)).await, Ok(None));
}

async fn execute(database: &TestDatabase, sql: &str) {
    let tx = database.store.begin().await.unwrap();
    tx.execute_unprepared(sql).await.unwrap();
    store::commit(tx).await.unwrap();
}

#[tokio::test]
async fn makes_a_sqlite_file_that_only_its_owner_reads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new").join("secrets.db");
    let store = store::connect(&DatabaseConfig::sqlite(&path)).await.unwrap();
    store.migrate().await.unwrap();
    for name in ["secrets.db", "secrets.db-wal", "secrets.db-shm", "secrets.db.lock"] {
        let mode = fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn removes_access_for_others_from_a_sqlite_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = store::connect(&DatabaseConfig::sqlite(&path)).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn refuses_a_second_server_on_a_sqlite_file() {
    let directory = tempfile::tempdir().unwrap();
    let config = DatabaseConfig::sqlite(directory.path().join("secrets.db"));
    let first = store::connect(&config).await.unwrap();
    let second = store::connect(&config).await.err().expect("only one server has the file");
    assert!(matches!(second, ConnectError::InUse { .. }));
    assert!(second.to_string().ends_with("secrets.db` is in use by another server"), "{second}");
    first.close().await.unwrap();
    drop(first);
    store::connect(&config).await.map(drop).unwrap();
}

#[tokio::test]
async fn refuses_a_file_that_is_no_sqlite_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secrets.db");
    fs::write(&path, "this is a letter and not a database, however long it gets".repeat(100)).unwrap();
    let refused = store::connect(&DatabaseConfig::sqlite(&path)).await.err().expect("it is no database");
    assert!(matches!(refused, ConnectError::Store(StoreError::Unavailable(_))), "{refused}");
}

#[tokio::test]
async fn syncs_and_wipes_on_sqlite_and_reads_only_where_it_should() {
    let directory = tempfile::tempdir().unwrap();
    let store = store::connect(&DatabaseConfig::sqlite(directory.path().join("secrets.db"))).await.unwrap();
    let tx = store.begin().await.unwrap();
    for (pragma, expected) in [("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1), ("busy_timeout", 5000)] {
        let statement = Statement::from_string(tx.get_database_backend(), format!("PRAGMA {pragma}"));
        let value: i64 = tx.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
    drop(tx);
    assert!(store.reader().execute_unprepared("CREATE TABLE t (x INTEGER)").await.is_err());
}

/// With STAT4, binding another value makes SQLite prepare a statement anew.
#[tokio::test]
async fn has_a_sqlite_that_keeps_its_prepared_statements() {
    let directory = tempfile::tempdir().unwrap();
    let store = store::connect(&DatabaseConfig::sqlite(directory.path().join("secrets.db"))).await.unwrap();
    let statement = Statement::from_string(store.reader().get_database_backend(), "PRAGMA compile_options");
    let rows = store.reader().query_all_raw(statement).await.unwrap();
    let options: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert!(options.iter().any(|option| option.starts_with("THREADSAFE")), "{options:?}");
    assert!(!options.iter().any(|option| option == "ENABLE_STAT4"), "{options:?}: see .cargo/config.toml");
}

#[tokio::test]
async fn cannot_reach_a_postgres_that_is_not_there() {
    let url = "postgres://nobody:hunter2@127.0.0.1:1/nothing".parse().unwrap();
    let refused = store::connect(&DatabaseConfig::postgres(url)).await.err().expect("nobody listens on port 1");
    let text = refused.to_string();
    assert_eq!(text, "cannot connect to PostgreSQL at `127.0.0.1:1`: connection refused; is it running?");
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[tokio::test]
async fn names_the_socket_or_the_host_that_it_cannot_reach() {
    for (url, address) in [
        ("postgres://nobody:hunter2@%2Fnonexistent/nothing", "`/nonexistent/.s.PGSQL.5432`: there is no such socket"),
        ("postgres://nobody:hunter2@nobody.invalid:1/nothing", "`nobody.invalid:1`: "),
    ] {
        let refused = store::connect(&DatabaseConfig::postgres(url.parse().unwrap())).await.err().unwrap().to_string();
        assert!(refused.contains(address) && !refused.contains("hunter2"), "{refused}");
        assert!(!refused.contains("pool timed out"), "{refused}");
    }
}

/// One that accepts and says nothing, as behind a load balancer that has lost it.
#[tokio::test]
async fn gives_up_a_postgres_that_does_not_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("postgres://nobody:hunter2@{address}/nothing").parse().unwrap();
    let refused = store::connect(&DatabaseConfig::postgres(url)).await.err().unwrap().to_string();
    assert_eq!(refused, format!("cannot connect to PostgreSQL at `{address}`: no answer within 5 s"));
}

#[test]
fn refuses_other_connection_strings_without_quoting_them() {
    for text in ["", "mysql://u:hunter2@h/d", "postgres//u:hunter2@h", "postgres://u:hunter2@h:port/d", "sqlite://x"] {
        assert_eq!(text.parse::<DatabaseUrl>().err(), Some(InvalidDatabaseUrl), "{text}");
    }
    let url: DatabaseUrl = "postgresql://u:hunter2@h/d?sslmode=verify-full".parse().unwrap();
    assert!(!format!("{url:?}").contains("hunter2"));
}
