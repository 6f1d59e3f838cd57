//! Secrets: all that is known of them but their values.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secrets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub uid: Uuid,
    pub organization_uid: Uuid,
    pub scope_kind: String,
    pub scope_uid: Uuid,
    pub secret_id: String,
    pub description: String,
    pub labels: String,
    pub secret_group: Option<String>,
    pub visibility: String,
    pub override_policy: String,
    pub disabled: bool,
    pub redaction: String,
    pub expire_time: Option<i64>,
    pub current_version: i64,
    pub place_key: Option<String>,
    pub revision: i64,
    pub create_time: i64,
    pub creator: String,
    pub update_time: i64,
    pub updater: String,
    pub delete_time: Option<i64>,
    pub purge_time: Option<i64>,
    pub live: Option<i16>,
    pub row_mac: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::secret_version::Entity",
        from = "(Column::Uid, Column::CurrentVersion)",
        to = "(super::secret_version::Column::SecretUid, super::secret_version::Column::Version)"
    )]
    CurrentVersion,
}

impl Related<super::secret_version::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::CurrentVersion.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
