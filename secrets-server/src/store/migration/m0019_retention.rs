//! By what audit events, first results and deleted organizations are found when their time has come.

use sea_orm::sea_query::Table;
use sea_orm::{ConnectionTrait as _, DbErr};
use sea_orm_migration::schema::{big_integer_null, small_integer};
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

use super::index;

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0019_retention"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What the release before writes counts as a change, which is kept the longest.
        let kind = small_integer("kind").default(0).to_owned();
        manager.alter_table(Table::alter().table("audit_events").add_column(kind).to_owned()).await?;
        manager.get_connection().execute_unprepared(CLASSIFY).await?;
        manager.create_index(index("audit_events_kind", "audit_events", &["kind", "create_time"])).await?;
        for column in ["delete_time", "purge_time"] {
            let column = big_integer_null(column);
            manager.alter_table(Table::alter().table("organizations").add_column(column).to_owned()).await?;
        }
        let columns = ["organization_uid", "principal_uid", "expire_time"];
        manager.create_index(index("idempotency_principal", "idempotency", &columns)).await
    }
}

/// The kinds of the events that there are.
const CLASSIFY: &str = "UPDATE audit_events SET kind = CASE \
     WHEN action = 'verify_rows' THEN 0 \
     WHEN outcome <> 'ALLOWED' THEN 3 \
     WHEN action LIKE '%.ResolveService/Resolve' OR action LIKE '%.ResolveService/Watch' THEN 1 \
     ELSE 2 END \
     WHERE outcome <> 'ALLOWED' OR action LIKE '%.ResolveService/%' OR action LIKE '%Service/Get%' \
     OR action LIKE '%Service/List%' OR action LIKE '%/WhoAmI' OR action LIKE '%/TestPermissions'";
