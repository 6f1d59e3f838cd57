//! What an organization secret with selected visibility reaches.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secret_visibility")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub secret_uid: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub resource_uid: Uuid,
    pub kind: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
