//! A fresh database for each test, of both kinds.

use std::future::Future;
use std::time::{SystemTime, UNIX_EPOCH};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use secrets_server::store::{self, DatabaseConfig, StatementLog, Store};
use tempfile::TempDir;

/// A migrated database that is removed with this.
pub struct TestDatabase {
    pub store: Store,
    pub statements: StatementLog,
    pub config: DatabaseConfig,
    home: Home,
}

enum Home {
    Directory(#[expect(dead_code, reason = "dropping it removes the directory")] TempDir),
    Server { admin: DatabaseConnection, name: String },
}

impl TestDatabase {
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = DatabaseConfig::sqlite(directory.path().join("data").join("secrets.db"));
        Self::open(config, Home::Directory(directory)).await
    }

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
        Self::open(DatabaseConfig::Postgres { url, connections: 8 }, Home::Server { admin, name }).await
    }

    async fn open(config: DatabaseConfig, home: Home) -> Self {
        let statements = StatementLog::default();
        let store = store::connect_logged(&config, &statements).await.unwrap();
        assert!(!store.migrate().await.unwrap().is_empty());
        statements.take();
        Self { store, statements, config, home }
    }

    pub async fn end(self) {
        self.store.close().await.unwrap();
        if let Home::Server { admin, name } = self.home {
            admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    }
}

/// Runs one test on a database of its own. It is removed when the test passes, and stays for a look when it does not.
pub fn run<F: Future<Output = TestDatabase>, T: Future<Output = TestDatabase>>(
    make: F,
    test: impl FnOnce(TestDatabase) -> T,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { test(make.await).await.end().await });
}

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() {
                crate::database::run(crate::database::TestDatabase::sqlite(), |database| async move {
                    super::$name(&database).await;
                    database
                });
            })+
        }
        mod postgres {
            $(#[test] fn $name() {
                crate::database::run(crate::database::TestDatabase::postgres(), |database| async move {
                    super::$name(&database).await;
                    database
                });
            })+
        }
    };
}
pub(crate) use on_both;

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
