//! Which change touched which scope.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_uid: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    pub change_id: Uuid,
    pub scope_kind: String,
    pub scope_uid: Uuid,
    pub create_time: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
