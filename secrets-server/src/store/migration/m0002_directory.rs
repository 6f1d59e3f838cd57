//! What an organization consists of: projects, users, service accounts, workspaces. A platform service account has
//! the nil uid as its organization (a NULL would not collide in the unique index), which is why that column has no
//! foreign key.

use sea_orm::DbErr;
use sea_orm::sea_query::{ForeignKey, ForeignKeyCreateStatement, Table, TableCreateStatement};
use sea_orm_migration::schema::{big_integer, big_integer_null, pk_uuid, small_integer_null, text, uuid, uuid_null};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::{identifier, index, unique};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_directory"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(projects(manager)).await?;
        manager.create_index(unique("projects_id", "projects", &["organization_uid", "project_id"])).await?;
        manager.create_table(users(manager)).await?;
        manager.create_index(unique("users_id", "users", &["organization_uid", "user_id", "live"])).await?;
        manager.create_index(index("users_purge", "users", &["purge_time"])).await?;
        manager.create_table(service_accounts(manager)).await?;
        let columns = ["organization_uid", "service_account_id", "live"];
        manager.create_index(unique("service_accounts_id", "service_accounts", &columns)).await?;
        manager.create_table(workspaces(manager)).await?;
        manager.create_index(unique("workspaces_id", "workspaces", &["organization_uid", "workspace_id"])).await?;
        manager.create_index(index("workspaces_project", "workspaces", &["project_uid"])).await?;
        manager.create_index(index("workspaces_owner", "workspaces", &["owner_uid"])).await
    }
}

fn projects(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("projects")
        .col(pk_uuid("uid"))
        .col(uuid("organization_uid"))
        .col(identifier(manager, "project_id"))
        .col(text("display_name"))
        .col(big_integer("create_time"))
        .foreign_key(&mut organization_key("projects"))
        .to_owned()
}

fn users(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("users")
        .col(pk_uuid("uid"))
        .col(uuid("organization_uid"))
        .col(identifier(manager, "user_id"))
        .col(text("display_name"))
        .col(text("state"))
        .col(big_integer("create_time"))
        .col(big_integer_null("delete_time"))
        .col(big_integer_null("purge_time"))
        .col(small_integer_null("live"))
        .foreign_key(&mut organization_key("users"))
        .to_owned()
}

fn service_accounts(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("service_accounts")
        .col(pk_uuid("uid"))
        .col(uuid("organization_uid"))
        .col(identifier(manager, "service_account_id"))
        .col(text("display_name"))
        .col(big_integer("create_time"))
        .col(small_integer_null("live"))
        .to_owned()
}

fn workspaces(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("workspaces")
        .col(pk_uuid("uid"))
        .col(uuid("organization_uid"))
        .col(identifier(manager, "workspace_id"))
        .col(uuid_null("project_uid"))
        .col(uuid_null("owner_uid"))
        .col(text("display_name"))
        .col(big_integer("create_time"))
        .foreign_key(&mut organization_key("workspaces"))
        .foreign_key(
            ForeignKey::create().name("workspaces_project_uid").from("workspaces", "project_uid").to("projects", "uid"),
        )
        .to_owned()
}

fn organization_key(table: &'static str) -> ForeignKeyCreateStatement {
    let name = format!("{table}_organization_uid");
    ForeignKey::create().name(name).from(table, "organization_uid").to("organizations", "uid").to_owned()
}
