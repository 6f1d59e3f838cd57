//! Invitations: what making one has ended, and those by which the operator makes somebody an administrator.

use sea_orm::sea_query::{ColumnDef, Table};
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::schema::{big_integer_null, text_null};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

/// Few rows have a role to grant: an index on these alone.
const INDEX: &str = "CREATE INDEX credentials_granted_role ON credentials (organization_uid, create_time) \
                     WHERE granted_role IS NOT NULL";

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0018_invitations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, big_integer_null("start_time")).await?;
        add(manager, text_null("granted_role")).await?;
        add(manager, text_null("effects")).await?;
        manager.get_connection().execute_unprepared(INDEX).await.map(drop)
    }
}

async fn add(manager: &SchemaManager<'_>, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table("credentials").add_column(column).to_owned()).await
}
