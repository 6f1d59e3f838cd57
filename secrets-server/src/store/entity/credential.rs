//! Tokens, sessions and invitations, by the MAC of their text.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credentials")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub uid: Uuid,
    pub kind: String,
    pub organization_uid: Uuid,
    pub principal_kind: String,
    pub principal_uid: Uuid,
    pub mac: Vec<u8>,
    pub pepper_version: i64,
    pub display_name: String,
    pub create_time: i64,
    pub expire_time: Option<i64>,
    pub revoke_time: Option<i64>,
    pub last_used_time: Option<i64>,
    pub origin: String,
    pub creator_uid: Option<Uuid>,
    pub external_id: Option<String>,
    pub context_project_uid: Option<Uuid>,
    pub context_workspace_uid: Option<Uuid>,
    pub context_user_uid: Option<Uuid>,
    pub restrictions: Option<String>,
    pub period_start_time: Option<i64>,
    pub sign_in_end_time: Option<i64>,
    pub address: Option<String>,
    pub redeemed_for_uid: Option<Uuid>,
    pub start_time: Option<i64>,
    pub granted_role: Option<String>,
    pub effects: Option<String>,
    pub row_mac: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
