//! One event for each call, allowed or denied.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub uid: Uuid,
    pub create_time: i64,
    pub organization_uid: Uuid,
    pub request_id: String,
    pub caller_request_id: String,
    pub principal_kind: String,
    pub principal_uid: Option<Uuid>,
    pub principal_name: String,
    pub credential_uid: Option<Uuid>,
    pub peer: String,
    pub action: String,
    pub resource_name: String,
    pub resource_uid: Option<Uuid>,
    pub outcome: String,
    pub reason: String,
    pub revision: Option<i64>,
    pub set_digest: Option<Vec<u8>>,
    pub detail: String,
    pub kind: i16,
    pub purpose: i16,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
