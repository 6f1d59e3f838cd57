//! Connections that know the key of the rows, without which no row that decides can be written or read.

use sea_orm::prelude::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

use super::row_key::Rows;

/// A connection that knows the key of the rows.
pub trait KeyedConnection: ConnectionTrait {
    fn rows(&self) -> &Rows;
}

/// Connections for reads outside of a transaction.
#[derive(Clone)]
pub struct Reader {
    pub(super) connection: DatabaseConnection,
    pub(super) rows: Rows,
}

/// One state of the database.
pub struct ReadTransaction {
    pub(super) connection: DatabaseTransaction,
    pub(super) rows: Rows,
}

macro_rules! keyed {
    ($connection:ident) => {
        impl KeyedConnection for $connection {
            fn rows(&self) -> &Rows {
                &self.rows
            }
        }

        #[async_trait::async_trait]
        impl ConnectionTrait for $connection {
            fn get_database_backend(&self) -> DbBackend {
                self.connection.get_database_backend()
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                self.connection.execute_raw(statement).await
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                self.connection.execute_unprepared(sql).await
            }

            async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                self.connection.query_one_raw(statement).await
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                self.connection.query_all_raw(statement).await
            }
        }
    };
}

keyed!(Reader);
keyed!(ReadTransaction);
