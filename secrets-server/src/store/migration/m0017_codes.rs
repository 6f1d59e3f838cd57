//! From where a code was redeemed and for what, and when a person's recovery code was used.

use sea_orm::DbErr;
use sea_orm::sea_query::{ColumnDef, Table};
use sea_orm_migration::schema::{big_integer_null, text_null, uuid_null};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0017_codes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "credentials", text_null("address")).await?;
        add(manager, "credentials", uuid_null("redeemed_for_uid")).await?;
        add(manager, "users", big_integer_null("recovery_time")).await
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}
