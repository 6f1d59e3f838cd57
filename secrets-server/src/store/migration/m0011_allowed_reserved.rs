//! The reserved names and paths that an organization allows, one a line.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::text;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0011_allowed_reserved"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let allowed = text("allowed_reserved").default("").to_owned();
        manager.alter_table(Table::alter().table("organizations").add_column(allowed).to_owned()).await
    }
}
