//! Who has which role on what. Platform bindings have the nil uid as organization and as resource.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::{big_integer, pk_uuid, text, uuid};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::{index, unique};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_bindings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("bindings")
            .col(pk_uuid("uid"))
            .col(uuid("organization_uid"))
            .col(text("resource_kind"))
            .col(uuid("resource_uid"))
            .col(text("principal_kind"))
            .col(uuid("principal_uid"))
            .col(text("role"))
            .col(big_integer("create_time"))
            .col(text("creator"))
            .to_owned();
        manager.create_table(table).await?;
        let columns = ["organization_uid", "resource_uid", "principal_uid", "role", "resource_kind"];
        manager.create_index(unique("bindings_role", "bindings", &columns)).await?;
        manager.create_index(index("bindings_principal", "bindings", &["principal_uid", "organization_uid"])).await
    }
}
