//! Secrets, what they reach, and their versions. Within a scope a live name and a live place are unique.

use sea_orm::DbErr;
use sea_orm::sea_query::{ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, boolean, integer_null, pk_uuid, small_integer_null, text, text_null, uuid,
};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::{identifier, index, optional_identifier, unique};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_secrets"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(secrets(manager)).await?;
        manager.create_index(unique("secrets_id", "secrets", &["scope_uid", "secret_id", "live"])).await?;
        manager.create_index(unique("secrets_place", "secrets", &["scope_uid", "place_key", "live"])).await?;
        manager.create_index(index("secrets_purge", "secrets", &["purge_time"])).await?;
        manager.create_table(visibility()).await?;
        manager.create_index(index("secret_visibility_resource", "secret_visibility", &["resource_uid"])).await?;
        manager.create_table(versions()).await?;
        let columns = ["organization_uid", "data_key_version"];
        manager.create_index(index("secret_versions_data_key", "secret_versions", &columns)).await
    }
}

fn secrets(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("secrets")
        .col(pk_uuid("uid"))
        .col(uuid("organization_uid"))
        .col(text("scope_kind"))
        .col(uuid("scope_uid"))
        .col(identifier(manager, "secret_id"))
        .col(text("description"))
        .col(text("labels"))
        .col(text_null("secret_group"))
        .col(text("visibility"))
        .col(text("override_policy"))
        .col(boolean("disabled"))
        .col(text("redaction"))
        .col(big_integer_null("expire_time"))
        .col(big_integer("current_version"))
        .col(optional_identifier(manager, "place_key"))
        .col(big_integer("revision"))
        .col(big_integer("create_time"))
        .col(text("creator"))
        .col(big_integer("update_time"))
        .col(text("updater"))
        .col(big_integer_null("delete_time"))
        .col(big_integer_null("purge_time"))
        .col(small_integer_null("live"))
        .foreign_key(
            ForeignKey::create()
                .name("secrets_organization_uid")
                .from("secrets", "organization_uid")
                .to("organizations", "uid"),
        )
        .to_owned()
}

fn visibility() -> TableCreateStatement {
    Table::create()
        .table("secret_visibility")
        .col(uuid("secret_uid"))
        .col(uuid("resource_uid"))
        .col(text("kind"))
        .primary_key(Index::create().col("secret_uid").col("resource_uid"))
        .foreign_key(&mut secret_key("secret_visibility"))
        .to_owned()
}

fn versions() -> TableCreateStatement {
    Table::create()
        .table("secret_versions")
        .col(uuid("secret_uid"))
        .col(big_integer("version"))
        .col(uuid("organization_uid"))
        .col(text("target_kind"))
        .col(text_null("target_path"))
        .col(integer_null("target_mode"))
        .col(text_null("target_host"))
        .col(text_null("target_username"))
        .col(blob("blob"))
        .col(big_integer("data_key_version"))
        .col(big_integer("value_bytes"))
        .col(big_integer("create_time"))
        .col(text("creator"))
        .col(big_integer_null("destroy_time"))
        .col(big_integer_null("source_version"))
        .primary_key(Index::create().name("secret_versions_pkey").col("secret_uid").col("version"))
        .foreign_key(&mut secret_key("secret_versions"))
        .to_owned()
}

/// What belongs to a secret goes with it.
fn secret_key(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_secret_uid"))
        .from(table, "secret_uid")
        .to("secrets", "uid")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
