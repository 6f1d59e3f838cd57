//! Versions of secrets: the sealed value and the target that is authenticated with it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secret_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub secret_uid: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub organization_uid: Uuid,
    pub target_kind: String,
    pub target_path: Option<String>,
    pub target_mode: Option<i32>,
    pub target_host: Option<String>,
    pub target_username: Option<String>,
    pub blob: Vec<u8>,
    pub data_key_version: i64,
    pub value_bytes: i64,
    pub create_time: i64,
    pub creator: String,
    pub destroy_time: Option<i64>,
    pub source_version: Option<i64>,
    pub source_secret_uid: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
