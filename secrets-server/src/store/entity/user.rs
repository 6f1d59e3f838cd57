//! People of an organization.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub uid: Uuid,
    pub organization_uid: Uuid,
    pub user_id: String,
    pub display_name: String,
    pub state: String,
    pub create_time: i64,
    pub delete_time: Option<i64>,
    pub purge_time: Option<i64>,
    pub live: Option<i16>,
    pub recovery_time: Option<i64>,
    pub row_mac: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
