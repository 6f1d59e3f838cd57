use secrets_server::store::DatabaseConfig;

use super::database::TestDatabase;

impl TestDatabase {
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = DatabaseConfig::sqlite(directory.path().join("data").join("secrets.db"));
        Self::open(config, Some(directory)).await
    }
}
