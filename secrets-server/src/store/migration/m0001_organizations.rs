//! Organizations. `live` is 1 while one exists and NULL afterwards: NULLs never collide in a unique index, so an id is
//! free again once its organization is deleted, on every database and without partial indexes.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::{big_integer, pk_uuid, small_integer_null, text};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::{identifier, unique};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_organizations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("organizations")
            .col(pk_uuid("uid"))
            .col(identifier(manager, "organization_id"))
            .col(text("display_name"))
            .col(text("name_policy"))
            .col(text("limits"))
            .col(big_integer("create_time"))
            .col(small_integer_null("live"))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("organizations_id", "organizations", &["organization_id", "live"])).await
    }
}
