//! The id that a caller has given a call, beside the server's own.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::text;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0012_caller_request_id"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let given = text("caller_request_id").default("").to_owned();
        manager.alter_table(Table::alter().table("audit_events").add_column(given).to_owned()).await
    }
}
