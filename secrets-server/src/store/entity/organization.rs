//! Organizations. A deleted one stays as a row without `live`, so that its uid is never reused and
//! its deletion is never forgotten; what else was known of it goes at its purge.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub uid: Uuid,
    pub organization_id: String,
    pub display_name: String,
    pub name_policy: String,
    pub limits: String,
    pub allowed_reserved: String,
    pub create_time: i64,
    pub live: Option<i16>,
    pub delete_time: Option<i64>,
    pub purge_time: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
