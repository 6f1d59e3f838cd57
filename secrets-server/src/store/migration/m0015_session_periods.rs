//! Since when a session renews itself. Of those from before, it is when they were created.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::big_integer_null;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0015_session_periods"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = big_integer_null("period_start_time");
        manager.alter_table(Table::alter().table("credentials").add_column(column).to_owned()).await
    }
}
