//! DeleteSecret.

use std::time::Duration;

use secrets_core::SecretName;
use secrets_core::authorize::Listing;

use super::mutation::{Begun, SecretMutation};
use super::view::{self, ChangedSecret};
use super::{etag, missing};
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::mutation::{Done, Keep};
use crate::store::secret::{self, SecretWithVersion};

/// How long a deleted secret can be undeleted.
pub const WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What DeleteSecret is asked for.
pub struct DeleteSecret {
    /// Which secret.
    pub name: SecretName,
    /// The etag it must have.
    pub etag: Option<String>,
    /// Destroy it now.
    pub purge: bool,
    /// Succeed when it is not there.
    pub allow_missing: bool,
    /// Change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Deletes a secret: from the commit on no resolve delivers it. It can be undeleted for a window, unless it is purged. A
    /// purge also takes what was deleted before, when no secret of the name lives.
    pub async fn delete_secret(
        &self,
        call: &Call,
        input: &DeleteSecret,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        let id = &input.name.secret_id;
        let writing = match self.write_secrets(call, &input.name.scope, Some(id), input.validate_only, keep).await? {
            Begun::Repeated(done) => return Ok(done),
            Begun::Fresh(writing) => writing,
        };
        let mut found = writing.find(id).await?;
        if found.is_none() && input.purge {
            let (organization, scope) = (writing.place.organization.uid, writing.place.scope);
            found = secret::last_deleted(writing.change.db(), organization, scope, id).await?;
        }
        match found {
            Some(current) => {
                writing.about(&current.secret);
                etag::check(input.etag.as_deref(), &current.secret)?;
                if input.purge { writing.purge(current, keep).await } else { writing.delete(current, keep).await }
            }
            None if input.allow_missing => {
                let result = ChangedSecret { secret: None, revision: writing.revision(), warnings: Vec::new() };
                writing.end(keep, result).await
            }
            None => Err(missing(&input.name)),
        }
    }
}

impl SecretMutation<'_> {
    async fn delete(
        mut self,
        mut current: SecretWithVersion,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        let purge_time = self.call.now.saturating_add(WINDOW);
        let stamp = self.stamp().await?;
        let deleted = &mut current.secret;
        secret::delete(self.change.db(), deleted.organization, deleted.uid, purge_time, &stamp).await?;
        deleted.stamp(&stamp);
        deleted.delete_time = Some(stamp.time);
        deleted.purge_time = Some(purge_time);
        let secret = view::show(self.change.db(), &self.place.name, current, &Listing::All).await?;
        let result = ChangedSecret { secret, revision: self.revision(), warnings: Vec::new() };
        self.end(keep, result).await
    }

    async fn purge(
        mut self,
        current: SecretWithVersion,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        self.stamp().await?;
        secret::purge(self.change.db(), current.secret.organization, current.secret.uid).await?;
        let result = ChangedSecret { secret: None, revision: self.revision(), warnings: Vec::new() };
        self.end(keep, result).await
    }
}
