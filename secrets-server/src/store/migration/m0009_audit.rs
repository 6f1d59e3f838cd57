//! Audit events, and the sets of secrets that were delivered together. Events of the platform, and of callers nobody
//! knows, have the nil uid as organization. Nothing here refers to other tables: an event outlives its subject.

use sea_orm::DbErr;
use sea_orm::sea_query::{Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, blob_null, pk_uuid, text, uuid, uuid_null};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::index;

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0009_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(events()).await?;
        for (name, column) in [("audit_events_resource", "resource_uid"), ("audit_events_principal", "principal_name")]
        {
            manager.create_index(index(name, "audit_events", &["organization_uid", column, "create_time"])).await?;
        }
        // A digest belongs to one organization.
        manager.create_index(index("audit_events_set", "audit_events", &["set_digest", "create_time"])).await?;
        manager.create_index(index("audit_events_time", "audit_events", &["organization_uid", "create_time"])).await?;
        manager.create_table(sets()).await?;
        manager
            .create_index(index("audit_sets_secret", "audit_sets", &["organization_uid", "secret_uid", "digest"]))
            .await
    }
}

fn events() -> TableCreateStatement {
    Table::create()
        .table("audit_events")
        .col(pk_uuid("uid"))
        .col(big_integer("create_time"))
        .col(uuid("organization_uid"))
        .col(text("request_id"))
        .col(text("principal_kind"))
        .col(uuid_null("principal_uid"))
        .col(text("principal_name"))
        .col(uuid_null("credential_uid"))
        .col(text("peer"))
        .col(text("action"))
        .col(text("resource_name"))
        .col(uuid_null("resource_uid"))
        .col(text("outcome"))
        .col(text("reason"))
        .col(big_integer_null("revision"))
        .col(blob_null("set_digest"))
        .col(text("detail"))
        .to_owned()
}

fn sets() -> TableCreateStatement {
    Table::create()
        .table("audit_sets")
        .col(blob("digest"))
        .col(uuid("secret_uid"))
        .col(uuid("organization_uid"))
        .col(big_integer("version"))
        .primary_key(Index::create().name("audit_sets_pkey").col("organization_uid").col("digest").col("secret_uid"))
        .to_owned()
}
