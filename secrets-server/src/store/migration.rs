//! The schema, as migrations that SQLite and PostgreSQL both understand.
//!
//! To add one: a file `m<number>_<noun>.rs` below, and a line in [`Migrations`]. Names are plain text here and not the
//! entities' identifiers, so that a later entity does not change an earlier migration. Each migration works with the
//! release before it: columns come with a default, and go only a release after their last reader.

mod m0001_organizations;
mod m0002_directory;
mod m0003_bindings;
mod m0004_secrets;
mod m0005_keys;
mod m0006_credentials;
mod m0007_revisions;
mod m0008_idempotency;
mod m0009_audit;
mod m0010_row_macs;
mod m0011_allowed_reserved;
mod m0012_caller_request_id;
mod m0013_credential_origin;
mod m0015_session_periods;
mod m0016_sign_ins;
mod m0017_codes;
mod m0018_invitations;
mod m0019_retention;
mod m0020_live_sessions;
mod m0021_call_purpose;
mod m0022_exposure;

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::sea_query::{ColumnDef, Index, IndexCreateStatement};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, EntityTrait};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager, schema, seaql_migrations};

use super::{Store, StoreError, begin_immediate};

/// How often `apply` tries again, and how much longer it waits each time.
const MAX_ATTEMPTS: u32 = 5;
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The migrations, oldest first.
pub(super) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_organizations::Migration),
            Box::new(m0002_directory::Migration),
            Box::new(m0003_bindings::Migration),
            Box::new(m0004_secrets::Migration),
            Box::new(m0005_keys::Migration),
            Box::new(m0006_credentials::Migration),
            Box::new(m0007_revisions::Migration),
            Box::new(m0008_idempotency::Migration),
            Box::new(m0009_audit::Migration),
            Box::new(m0010_row_macs::Migration),
            Box::new(m0011_allowed_reserved::Migration),
            Box::new(m0012_caller_request_id::Migration),
            Box::new(m0013_credential_origin::Migration),
            Box::new(m0015_session_periods::Migration),
            Box::new(m0016_sign_ins::Migration),
            Box::new(m0017_codes::Migration),
            Box::new(m0018_invitations::Migration),
            Box::new(m0019_retention::Migration),
            Box::new(m0020_live_sessions::Migration),
            Box::new(m0021_call_purpose::Migration),
            Box::new(m0022_exposure::Migration),
        ]
    }
}

/// How the schema of a database relates to the one this program knows.
pub(super) struct SchemaState {
    /// Known and not applied yet, oldest first.
    pub(super) pending: Vec<String>,
    /// Applied by a newer program.
    pub(super) unknown: Vec<String>,
}

/// Compares what was applied with what is known, without writing anything.
pub(super) async fn state(db: &DatabaseConnection) -> Result<SchemaState, DbErr> {
    let known: Vec<String> = Migrations::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let applied = applied(db).await?;
    let unknown = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
    let pending = known.into_iter().filter(|name| !applied.contains(name)).collect();
    Ok(SchemaState { pending, unknown })
}

/// The names of what was applied, whoever knows them.
pub(super) async fn applied(db: &DatabaseConnection) -> Result<BTreeSet<String>, DbErr> {
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(BTreeSet::new());
    }
    let applied = seaql_migrations::Entity::find().all(db).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// Applies what is pending in one transaction.
pub(super) async fn apply(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut attempt = 0;
    loop {
        let pending = state(&store.connections.writer).await?.pending;
        if pending.is_empty() {
            return Ok(pending);
        }
        match apply_once(store).await {
            Ok(()) => return Ok(pending),
            // Another server migrates at the same time: the catalog lets only one of the two make a table. The one
            // that was refused finds the work done, or continues with it.
            Err(StoreError::UniqueViolation(_) | StoreError::SerializationFailure | StoreError::Refused(_))
                if attempt < MAX_ATTEMPTS =>
            {
                attempt += 1;
                tokio::time::sleep(RETRY_INTERVAL * attempt).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn apply_once(store: &Store) -> Result<(), StoreError> {
    let transaction = begin_immediate(&store.connections.writer).await?;
    Migrations::up(&transaction, None).await?;
    Ok(transaction.commit().await?)
}

/// A column of text that is compared and ordered byte by byte on every database.
fn identifier(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    bytewise(manager, schema::text(name))
}

/// The same, where there may be none.
fn optional_identifier(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    bytewise(manager, schema::text_null(name))
}

fn bytewise(manager: &SchemaManager<'_>, mut column: ColumnDef) -> ColumnDef {
    if manager.get_database_backend() == DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

fn unique(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(name, table, columns).unique().to_owned()
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
