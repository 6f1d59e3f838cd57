//! DeleteSecret.

use std::time::Duration;

use secrets_core::authorize::Listing;
use secrets_core::{ScopeName, SecretName};

use super::mutation::{BegunSecretMutation, SecretMutation};
use super::view::{self, ChangedSecret, SecretView};
use super::{etag, missing};
use crate::error::Error;
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::secret::{self, SecretWithVersion};

/// How long a deleted secret can be undeleted.
pub const UNDELETE_WINDOW: Duration = Duration::from_secs(secrets_core::DELETED_KEPT_DAYS as u64 * 24 * 60 * 60);

/// What DeleteSecret is asked for.
pub struct DeleteSecret {
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
        call: &mut OpenCall,
        input: &DeleteSecret,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        let id = &input.name.secret_id;
        let preparation = self.prepare_secrets(call, &input.name.scope, Some(id)).await?;
        let mut mutation = match self.mutate_secrets(call, preparation, Some(id), input.validate_only, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        let mut found = mutation.find(id).await?;
        if found.is_none() && input.purge {
            let (organization, scope) = (mutation.located.organization.uid, mutation.located.scope);
            found = secret::last_deleted(mutation.db(), organization, scope, id).await?;
        }
        match found {
            Some(current) => {
                mutation.identify(&current.secret);
                etag::check(input.etag.as_deref(), &current.secret)?;
                if input.purge { mutation.purge(current, key).await } else { mutation.delete(current, key).await }
            }
            None if input.allow_missing => {
                let result = ChangedSecret::new(None, mutation.revision());
                mutation.finish(key, result).await
            }
            None => Err(missing(&input.name)),
        }
    }
}

impl SecretMutation<'_> {
    async fn delete(
        mut self,
        current: SecretWithVersion,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        let scope = self.located.name.clone();
        let secret = self.delete_in(&scope, current).await?;
        let result = ChangedSecret::new(secret, self.revision());
        self.finish(key, result).await
    }

    /// Deletes a secret of this scope of the organization, so that it can be undeleted, and shows it as it is then.
    pub(super) async fn delete_in(
        &mut self,
        scope: &ScopeName,
        mut current: SecretWithVersion,
    ) -> Result<Option<SecretView>, Error> {
        let purge_time = self.call.now.saturating_add(UNDELETE_WINDOW);
        let stamp = self.stamp_in(current.secret.scope).await?;
        let deleted = &mut current.secret;
        secret::delete(self.db(), deleted.organization, deleted.uid, purge_time, &stamp).await?;
        deleted.stamp(&stamp);
        deleted.delete_time = Some(stamp.time);
        deleted.purge_time = Some(purge_time);
        view::show(self.db(), scope, current, &Listing::All).await
    }

    async fn purge(
        mut self,
        current: SecretWithVersion,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        self.stamp().await?;
        secret::purge(self.db(), current.secret.organization, current.secret.uid).await?;
        let result = ChangedSecret::new(None, self.revision());
        self.finish(key, result).await
    }
}
