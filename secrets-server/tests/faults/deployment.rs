//! What outlives a server: its data directory with the root key in it, and its database.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use secrets_server::store::DatabaseConfig;
use tempfile::TempDir;

use super::server::Server;
use crate::support::database::TestDatabase;
use crate::support::process::serve;

/// A data directory and a database, whose servers come and go.
pub struct Deployment {
    directory: TempDir,
    postgres: Option<Postgres>,
}

struct Postgres {
    database: TestDatabase,
    url: String,
    name: String,
    /// Connected to another database of the same server, so that nothing that happens to this one ends the connection.
    admin: DatabaseConnection,
}

impl Deployment {
    /// On a SQLite file in the data directory, which the first start makes.
    pub fn sqlite() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), postgres: None }
    }

    /// On a PostgreSQL database of its own, migrated.
    pub async fn postgres() -> Self {
        let database = TestDatabase::postgres().await;
        database.store.close().await.unwrap();
        let DatabaseConfig::Postgres { url, .. } = &database.config else { panic!("not on PostgreSQL") };
        let url = url.expose().to_owned();
        let name = url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        let admin = Database::connect(std::env::var("SECRETS_TEST_POSTGRES_URL").unwrap()).await.unwrap();
        Self { directory: tempfile::tempdir().unwrap(), postgres: Some(Postgres { database, url, name, admin }) }
    }

    /// The address that PostgreSQL listens on.
    pub fn postgres_address(&self) -> SocketAddr {
        authority(self.url()).parse().unwrap()
    }

    /// Lets servers started from now on reach PostgreSQL at another address.
    pub fn connect_through(&mut self, address: SocketAddr) {
        let postgres = self.postgres.as_mut().expect("a deployment on PostgreSQL");
        postgres.url = postgres.url.replace(authority(&postgres.url), &address.to_string());
    }

    /// Starts a server.
    pub fn start(&self) -> Server {
        Server::start(self.command())
    }

    /// Starts another one, with a data directory of its own, the same root key and the same database.
    pub fn replica(&self) -> Server {
        let mut command = self.other_command();
        command.env("SECRETS__ROOT_KEY__FILE", self.data_file("root-key"));
        Server::start(command)
    }

    /// What `start` runs.
    pub fn command(&self) -> Command {
        self.with_database(serve(self.directory.path(), &[]))
    }

    /// The same with more arguments.
    pub fn command_with(&self, arguments: &[&str]) -> Command {
        self.with_database(serve(self.directory.path(), arguments))
    }

    /// The same with another data directory.
    pub fn other_command(&self) -> Command {
        self.with_database(serve(&self.directory.path().join("other"), &[]))
    }

    /// Lets a command use the database.
    pub fn set_database(&self, command: &mut Command) {
        if let Some(postgres) = &self.postgres {
            command.env("SECRETS__DATABASE__URL", &postgres.url);
        }
    }

    fn with_database(&self, mut command: Command) -> Command {
        self.set_database(&mut command);
        command
    }

    /// A file of the data directory.
    pub fn data_file(&self, name: &str) -> PathBuf {
        self.directory.path().join("data").join(name)
    }

    /// The operator's token, which the first start wrote.
    pub fn operator(&self) -> String {
        fs::read_to_string(self.data_file("operator-token")).unwrap().trim().to_owned()
    }

    /// The address of the PostgreSQL database, with its password.
    pub fn url(&self) -> &str {
        &self.on_postgres().url
    }

    /// Waits until PostgreSQL has finished what killed servers had sent it.
    pub async fn settle(&self) {
        let Some(postgres) = &self.postgres else { return };
        let sessions = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", postgres.name);
        loop {
            let statement = Statement::from_string(postgres.admin.get_database_backend(), sessions.clone());
            let row = postgres.admin.query_one_raw(statement).await.unwrap().unwrap();
            if row.try_get_by_index::<i64>(0).unwrap() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Ends every session of the PostgreSQL database.
    pub async fn cut_sessions(&self) {
        let name = &self.on_postgres().name;
        self.administer(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
            .await;
    }

    /// Lets nobody into the PostgreSQL database, and ends the sessions there are.
    pub async fn close_database(&self) {
        self.administer(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.on_postgres().name)).await;
        self.cut_sessions().await;
    }

    /// Lets everybody in again.
    pub async fn open_database(&self) {
        self.administer(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.on_postgres().name)).await;
    }

    /// Makes connections to the PostgreSQL database from now on read-only, or not; the ones there are end.
    pub async fn set_read_only(&self, is_read_only: bool) {
        let name = &self.on_postgres().name;
        if is_read_only {
            self.administer(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
            self.cut_sessions().await;
        } else {
            self.administer(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
        }
    }

    async fn administer(&self, statement: &str) {
        self.on_postgres().admin.execute_unprepared(statement).await.unwrap();
    }

    fn on_postgres(&self) -> &Postgres {
        self.postgres.as_ref().expect("a deployment on PostgreSQL")
    }

    /// Removes it. The PostgreSQL database of a test that failed stays.
    pub async fn end(self) {
        if let Some(postgres) = self.postgres {
            postgres.admin.close().await.unwrap();
            postgres.database.end().await;
        }
    }
}

fn authority(url: &str) -> &str {
    url.split('/').nth(2).unwrap().rsplit('@').next().unwrap()
}
