//! From which other secret a version has its value: whoever received one of the two knows both.

use sea_orm::sea_query::Table;
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::schema::uuid_null;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

/// Few versions are copies: an index on these alone.
const INDEX: &str = "CREATE INDEX secret_versions_source ON secret_versions (source_secret_uid) \
                     WHERE source_secret_uid IS NOT NULL";

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0022_copies"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = uuid_null("source_secret_uid");
        manager.alter_table(Table::alter().table("secret_versions").add_column(column).to_owned()).await?;
        manager.get_connection().execute_unprepared(INDEX).await.map(drop)
    }
}
