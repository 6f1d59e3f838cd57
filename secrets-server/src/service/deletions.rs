//! The list of deleted organizations, outside of the database: a backup of that from before would bring them back.

use std::sync::Arc;

use secrets_core::{OrganizationId, Uid};

use super::Service;
use crate::error::Error;
use crate::process::deletions_file::DeletionsFile;
use crate::store::organization;

impl Service {
    /// Lists deleted organizations in `file` from now on, and those first that are missing there. Only the first call
    /// counts.
    pub async fn list_deletions_in(&self, file: DeletionsFile) -> Result<(), Error> {
        let file = self.deletions.get_or_init(|| Arc::new(file));
        let deleted = organization::deleted(self.store.reader()).await?;
        self.append_deletions(file, deleted).await;
        Ok(())
    }

    /// Lists an organization whose deletion is durable.
    pub(super) async fn note_deletion(&self, uid: Uid, id: &OrganizationId) {
        if let Some(file) = self.deletions.get() {
            self.append_deletions(file, vec![(uid, id.clone())]).await;
        }
    }

    /// What can't be written now is written by the next start: the database knows it too.
    async fn append_deletions(&self, file: &Arc<DeletionsFile>, deleted: Vec<(Uid, OrganizationId)>) {
        let (file, now) = (Arc::clone(file), self.clock.now());
        let path = file.path().to_owned();
        let appended = tokio::task::spawn_blocking(move || file.append(&deleted, now)).await;
        if let Err(error) = appended.map_err(std::io::Error::other).flatten() {
            tracing::error!(path = %path.display(), %error, "cannot list a deleted organization; the next start does");
        }
    }
}
