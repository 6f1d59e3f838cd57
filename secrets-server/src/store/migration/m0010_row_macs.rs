//! A MAC in each row that decides. What is there gets one when the keys are opened: the schema knows no key.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::blob_null;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0010_row_macs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["credentials", "bindings", "secrets", "workspaces", "users"] {
            manager.alter_table(Table::alter().table(table).add_column(blob_null("row_mac")).to_owned()).await?;
        }
        Ok(())
    }
}
