//! What somebody received: from which other secret a version has its value, since whoever received one of the two knows both, and
//! the sessions of an account in the order in which they are read.

use sea_orm::sea_query::{Index, Table};
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::schema::uuid_null;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

/// Few versions are copies, and few credentials but sessions have a user whom they serve: indexes on these alone. What the one of
/// users replaces was on the user alone.
const INDEXES: [&str; 3] = [
    "CREATE INDEX secret_versions_source ON secret_versions (source_secret_uid) WHERE source_secret_uid IS NOT NULL",
    "CREATE INDEX credentials_sessions_created ON credentials (organization_uid, principal_uid, create_time, uid) \
     WHERE kind = 'SESSION'",
    "CREATE INDEX credentials_sessions_serving ON credentials (organization_uid, context_user_uid, create_time, uid) \
     WHERE context_user_uid IS NOT NULL",
];

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0022_exposure"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = uuid_null("source_secret_uid");
        manager.alter_table(Table::alter().table("secret_versions").add_column(column).to_owned()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        manager.drop_index(Index::drop().name("credentials_user").table("credentials").to_owned()).await
    }
}
