//! Tests that run on both kinds of database.

use std::future::Future;

use super::database::TestDatabase;

/// Runs one test on a database of its own. The database of a test that failed stays.
pub fn run<F: Future<Output = TestDatabase>, T: Future<Output = TestDatabase>>(
    make: F,
    test: impl FnOnce(TestDatabase) -> T,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { test(make.await).await.end().await });
}

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() {
                crate::support::on_both::run(crate::support::database::TestDatabase::sqlite(), |database| async move {
                    super::$name(&database).await;
                    database
                });
            })+
        }
        mod postgres {
            $(#[test] fn $name() {
                crate::support::on_both::run(crate::support::database::TestDatabase::postgres(), |database| async move {
                    super::$name(&database).await;
                    database
                });
            })+
        }
    };
}
pub(crate) use on_both;
