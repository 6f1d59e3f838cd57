//! Until when use extends a sign-in. Those from before end when they were to end.

use sea_orm::DbErr;
use sea_orm::sea_query::Table;
use sea_orm_migration::schema::big_integer_null;
use sea_orm_migration::{MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl sea_orm_migration::MigrationName for Migration {
    fn name(&self) -> &str {
        "m0016_sign_ins"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = big_integer_null("sign_in_end_time");
        manager.alter_table(Table::alter().table("credentials").add_column(column).to_owned()).await
    }
}
