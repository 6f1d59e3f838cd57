//! Workspaces of an organization, some of them in a project.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspaces")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub uid: Uuid,
    pub organization_uid: Uuid,
    pub workspace_id: String,
    pub project_uid: Option<Uuid>,
    pub owner_uid: Option<Uuid>,
    pub display_name: String,
    pub create_time: i64,
    pub row_mac: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
