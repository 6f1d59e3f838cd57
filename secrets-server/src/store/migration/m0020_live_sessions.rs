//! Live sessions are counted for each that is created: from an index alone, however many ended before. The indexes on a part of
//! the same columns are not needed beside these.

use sea_orm::DbErr;
use sea_orm::sea_query::Index;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::index;

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0020_live_sessions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, column, old) in [
            ("credentials_live_principal", "principal_uid", "credentials_principal"),
            ("credentials_live_creator", "creator_uid", "credentials_creator"),
        ] {
            let columns = [column, "kind", "revoke_time", "expire_time"];
            manager.create_index(index(name, "credentials", &columns)).await?;
            manager.drop_index(Index::drop().name(old).table("credentials").to_owned()).await?;
        }
        Ok(())
    }
}
