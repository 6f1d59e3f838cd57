//! A fresh database for each test.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use secrets_server::crypto::{MacKey, SymmetricKey};
use secrets_server::keys::RowMacs;
use secrets_server::store::{self, DatabaseConfig, StatementLog, Store};
use tempfile::TempDir;

/// A migrated database that is removed with this.
pub struct TestDatabase {
    pub store: Store,
    pub statements: StatementLog,
    pub config: DatabaseConfig,
    /// SQLite's; removed when it is dropped.
    _directory: Option<TempDir>,
    server: Option<PostgresServer>,
}

/// The server that a PostgreSQL database is on.
struct PostgresServer {
    admin: DatabaseConnection,
    name: String,
}

impl TestDatabase {
    pub async fn postgres() -> Self {
        let server = std::env::var("SECRETS_TEST_POSTGRES_URL").expect(
            "SECRETS_TEST_POSTGRES_URL is not set, so there is no PostgreSQL to test with; run `make test`, which \
             starts one",
        );
        let admin = Database::connect(&server).await.unwrap();
        let name = format!("secrets_store_{}", unique());
        admin
            .execute_unprepared(&format!(
                "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'"
            ))
            .await
            .unwrap();
        let url = with_database(&server, &name).parse().unwrap();
        let config = DatabaseConfig::Postgres { url, connections: 8 };
        Self { server: Some(PostgresServer { admin, name }), ..Self::open(config, None).await }
    }

    pub(super) async fn open(config: DatabaseConfig, directory: Option<TempDir>) -> Self {
        let statements = StatementLog::default();
        let store = store::connect_logged(&config, &statements).await.unwrap().with_row_key(row_key(7));
        assert!(!store.migrate().await.unwrap().is_empty());
        let database = Self { store, statements, config, _directory: directory, server: None };
        database.statements.take();
        database
    }

    pub async fn end(self) {
        self.store.close().await.unwrap();
        if let Some(PostgresServer { admin, name }) = self.server {
            admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    }
}

/// A key of rows, made of one byte. A server has another one.
pub fn row_key(byte: u8) -> Arc<RowMacs> {
    Arc::new(RowMacs::new(vec![MacKey::new(1, SymmetricKey::copied_from(&[byte; 32]).unwrap())]))
}

fn with_database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, ""), |(base, query)| (base, query));
    let (scheme, rest) = base.split_once("://").expect("a URL");
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{scheme}://{authority}/{name}{query}")
}

fn unique() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    #[expect(clippy::disallowed_methods, reason = "no clock is under test here")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{}_{now}_{next}", std::process::id())
}
