//! How each credential came to be. Of those from before, it is not known.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::text;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0013_credential_origin"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut origin = text("origin");
        origin.default("UNKNOWN");
        manager.alter_table(Table::alter().table("credentials").add_column(origin).to_owned()).await
    }
}
