//! What a call was for, as its caller said.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::small_integer;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0021_call_purpose"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Of what the release before writes nothing is said.
        let purpose = small_integer("purpose").default(0).to_owned();
        manager.alter_table(Table::alter().table("audit_events").add_column(purpose).to_owned()).await
    }
}
