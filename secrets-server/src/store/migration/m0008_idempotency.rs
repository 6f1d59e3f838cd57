//! What a request id answered, kept for a day so that a repeat of it gets the same answer.

use sea_orm::DbErr;
use sea_orm::sea_query::{Index, Table};
use sea_orm_migration::schema::{big_integer, blob, text, uuid};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::index;

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0008_idempotency"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let key = Index::create()
            .name("idempotency_pkey")
            .col("organization_uid")
            .col("principal_uid")
            .col("method")
            .col("request_id")
            .to_owned();
        let table = Table::create()
            .table("idempotency")
            .col(uuid("organization_uid"))
            .col(uuid("principal_uid"))
            .col(text("method"))
            .col(uuid("request_id"))
            .col(blob("fingerprint"))
            .col(big_integer("fingerprint_key_version"))
            .col(blob("response"))
            .col(big_integer("expire_time"))
            .primary_key(&mut key.clone())
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(index("idempotency_expire", "idempotency", &["expire_time"])).await
    }
}
