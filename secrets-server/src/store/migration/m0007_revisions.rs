//! The counter of each organization's changes, and what each change touched. The platform's own counter stands from
//! the start, under the nil uid.

use sea_orm::DbErr;
use sea_orm::sea_query::{Index, Query, Table};
use sea_orm_migration::schema::{big_integer, pk_uuid, text, uuid};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use crate::store::PLATFORM;

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0007_revisions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let revisions = Table::create()
            .table("revisions")
            .col(pk_uuid("organization_uid"))
            .col(big_integer("revision"))
            .col(uuid("change_id"))
            .to_owned();
        manager.create_table(revisions).await?;
        let changes = Table::create()
            .table("changes")
            .col(uuid("organization_uid"))
            .col(big_integer("revision"))
            .col(uuid("change_id"))
            .col(text("scope_kind"))
            .col(uuid("scope_uid"))
            .col(big_integer("create_time"))
            .primary_key(Index::create().name("changes_pkey").col("organization_uid").col("revision"))
            .to_owned();
        manager.create_table(changes).await?;
        let platform = Query::insert()
            .into_table("revisions")
            .columns(["organization_uid", "revision", "change_id"])
            .values_panic([PLATFORM.into(), 0_i64.into(), PLATFORM.into()])
            .to_owned();
        manager.execute(platform).await
    }
}
