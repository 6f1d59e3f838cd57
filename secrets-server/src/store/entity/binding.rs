//! Who has which role on what.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bindings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub uid: Uuid,
    pub organization_uid: Uuid,
    pub resource_kind: String,
    pub resource_uid: Uuid,
    pub principal_kind: String,
    pub principal_uid: Uuid,
    pub role: String,
    pub create_time: i64,
    pub creator: String,
    pub row_mac: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
