//! The key hierarchy: wrapped root seeds, and under them the organizations' data keys and the service's own keys.

use sea_orm::DbErr;
use sea_orm::sea_query::{ForeignKey, Index, Table};
use sea_orm_migration::schema::{big_integer, blob, boolean, text, uuid};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let root_keys = Table::create()
            .table("root_keys")
            .col(big_integer("version").primary_key())
            .col(text("provider"))
            .col(blob("wrapped_seed"))
            .col(big_integer("create_time"))
            .to_owned();
        manager.create_table(root_keys).await?;
        let data_keys = Table::create()
            .table("data_keys")
            .col(uuid("organization_uid"))
            .col(big_integer("version"))
            .col(text("state"))
            .col(blob("sealed"))
            .col(big_integer("root_key_version"))
            .col(big_integer("create_time"))
            .primary_key(Index::create().name("data_keys_pkey").col("organization_uid").col("version"))
            .foreign_key(
                ForeignKey::create()
                    .name("data_keys_organization_uid")
                    .from("data_keys", "organization_uid")
                    .to("organizations", "uid"),
            )
            .to_owned();
        manager.create_table(data_keys).await?;
        let system_keys = Table::create()
            .table("system_keys")
            .col(text("purpose"))
            .col(big_integer("version"))
            .col(blob("sealed"))
            .col(big_integer("root_key_version"))
            .col(boolean("active"))
            .col(big_integer("create_time"))
            .primary_key(Index::create().name("system_keys_pkey").col("purpose").col("version"))
            .to_owned();
        manager.create_table(system_keys).await
    }
}
