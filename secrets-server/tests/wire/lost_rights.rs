//! Rights that end while their holder's call waits: for the lock of an organization, or between two statements of a read.

mod mutations;
mod reads;
mod writers;

use std::time::Duration;

use crate::support::database::TestDatabase;

/// How long a call that waits for the lock has sent nothing.
const QUIET_TIME: Duration = Duration::from_millis(20);
/// A call is authenticated once it has read the caller's bindings, or, for the operator who has none, the credential.
const BINDINGS: &str = r#"FROM "bindings""#;
const CREDENTIAL: &str = r#"FROM "credentials""#;

/// Waits until so many statements of this kind were sent since the log was taken last.
async fn sent(database: &TestDatabase, kind: &str, count: usize) {
    let all = async {
        let mut seen = 0;
        while seen < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
            seen += database.statements.take().iter().filter(|statement| statement.contains(kind)).count();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("the calls that were made are authenticated");
}

/// Waits until the calls that were made have done what they do before they wait for the lock.
async fn quiet(database: &TestDatabase) {
    loop {
        tokio::time::sleep(QUIET_TIME).await;
        if database.statements.take().is_empty() {
            return;
        }
    }
}
