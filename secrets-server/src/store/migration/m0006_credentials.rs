//! Tokens, sessions and invitations. An operator's have the nil uid as organization.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::{big_integer, big_integer_null, blob, pk_uuid, text, text_null, uuid, uuid_null};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::{index, optional_identifier, unique};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_credentials"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("credentials")
            .col(pk_uuid("uid"))
            .col(text("kind"))
            .col(uuid("organization_uid"))
            .col(text("principal_kind"))
            .col(uuid("principal_uid"))
            .col(blob("mac"))
            .col(big_integer("pepper_version"))
            .col(text("display_name"))
            .col(big_integer("create_time"))
            .col(big_integer_null("expire_time"))
            .col(big_integer_null("revoke_time"))
            .col(big_integer_null("last_used_time"))
            .col(uuid_null("creator_uid"))
            .col(optional_identifier(manager, "external_id"))
            .col(uuid_null("context_project_uid"))
            .col(uuid_null("context_workspace_uid"))
            .col(uuid_null("context_user_uid"))
            .col(text_null("restrictions"))
            .to_owned();
        manager.create_table(table).await?;
        manager.create_index(unique("credentials_mac", "credentials", &["mac"])).await?;
        manager.create_index(index("credentials_principal", "credentials", &["principal_uid"])).await?;
        manager.create_index(index("credentials_creator", "credentials", &["creator_uid"])).await?;
        manager.create_index(index("credentials_user", "credentials", &["context_user_uid"])).await?;
        let columns = ["organization_uid", "create_time", "uid"];
        manager.create_index(index("credentials_organization", "credentials", &columns)).await?;
        let columns = ["organization_uid", "external_id"];
        manager.create_index(index("credentials_external", "credentials", &columns)).await
    }
}
