//! An application over an empty database, for the authenticator of tests of the server around the services.

use std::sync::Arc;

use tempfile::TempDir;

use crate::application::Application;
use crate::auth::Authenticator;
use crate::clock::SystemClock;
use crate::crypto::SystemRandom;
use crate::keys::FileRootKey;
use crate::store::{self, DatabaseConfig};

pub(crate) struct TestApplication {
    application: Application,
    /// The operator's.
    token: String,
    _directory: TempDir,
}

impl TestApplication {
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = store::connect(&DatabaseConfig::sqlite(directory.path().join("secrets.db"))).await.unwrap();
        store.migrate().await.unwrap();
        let random = Arc::new(SystemRandom);
        let root_key = FileRootKey::create(&directory.path().join("root-key"), random.clone()).unwrap();
        let application = Application::open(store, &root_key, Arc::new(SystemClock), random).await.unwrap();
        let first = application.service.bootstrap_operator().await.unwrap().unwrap();
        let token = first.token().expose().to_owned();
        first.keep().await.unwrap();
        Self { application, token, _directory: directory }
    }

    pub(crate) fn authenticator(&self) -> &Arc<Authenticator> {
        &self.application.authenticator
    }

    /// The header of a caller who is known.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }
}
