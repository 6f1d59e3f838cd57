//! CreateSecret.

use secrets_core::{ScopeName, SecretId, Target};

use super::mutation::{BegunSecretMutation, SecretMutation};
use super::patch::SecretPatch;
use super::preparation::SealedVersion;
use super::quota::{self, QuotaDelta, answer_size};
use super::view::ChangedSecret;
use super::{overlap, sealing, visibility};
use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::secret::{self, Secret, SecretWithVersion};

/// What CreateSecret is asked for.
pub struct CreateSecret {
    pub scope: ScopeName,
    pub secret_id: SecretId,
    /// What is not the default.
    pub edit: SecretPatch,
    pub value: SecretBytes,
    /// Change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Creates a secret with its first version.
    pub async fn create_secret(
        &self,
        call: &mut OpenCall,
        input: &CreateSecret,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        let id = &input.secret_id;
        let mut preparation = self.prepare_secrets(call, &input.scope, Some(id)).await?;
        let target = input.edit.target.as_ref().unwrap_or(&Target::EnvironmentVariable);
        preparation.seal(self, call, id, Some(target), &input.value, false).await?;
        match self.mutate_secrets(call, preparation, Some(id), input.validate_only, key).await? {
            BegunSecretMutation::Replayed(outcome) => Ok(outcome),
            BegunSecretMutation::New(mutation) => {
                mutation.create(&input.secret_id, &input.edit, &input.value, key).await
            }
        }
    }
}

impl SecretMutation<'_> {
    /// Creates a secret and ends the change.
    pub(super) async fn create(
        mut self,
        secret_id: &SecretId,
        edit: &SecretPatch,
        value: &SecretBytes,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        self.check_policy(secret_id)?;
        edit.check(self.located.scope.kind, &self.limits)?;
        let target = edit.target.clone().unwrap_or(Target::EnvironmentVariable);
        // Exposed to be looked at and sealed; neither error nor warning holds any of it.
        sealing::check(&target, value.expose(), self.limits.value_bytes)?;
        if self.find(secret_id).await?.is_some() {
            let text = format!("`{}` exists; UpdateSecret gives it a new value", self.name(secret_id));
            return Err(Error::field(Reason::AlreadyExists, "secret_id", text));
        }
        let mut new = self.fitting(secret_id, edit, &target, value.len() as u64).await?;

        let version = self.seal(&new, 1, &target, value).await?;
        new.stamp(&self.stamp().await?);
        secret::insert(self.db(), &new, &version).await?;
        self.identify(&new);

        let warnings = overlap::value_warnings(&new, &target, value.expose());
        self.finish_secret(key, SecretWithVersion { secret: new, version }, warnings).await
    }

    /// A secret of the scope that is still to be stored, if the scope has room for it and for its target.
    pub(super) async fn fitting(
        &mut self,
        secret_id: &SecretId,
        edit: &SecretPatch,
        target: &Target,
        value_bytes: u64,
    ) -> Result<Secret, Error> {
        let sealed_for = self.sealed.as_ref().and_then(SealedVersion::new_uid);
        let uid = sealed_for.map_or_else(|| self.service.uid(), Ok)?;
        let mut new = self.located.new_secret(self.call, uid, secret_id);
        let reach = match &edit.visibility {
            Some(names) => Some(visibility::locate(self.db(), new.organization, names).await?),
            None => None,
        };
        edit.apply(&mut new, reach);
        self.check_target(&new, target).await?;
        let bytes = answer_size(&self.located).of(&new, target, value_bytes);
        let delta = QuotaDelta { secrets: 1, bytes, freed: 0 };
        quota::check(self.db(), &self.located, &self.limits, delta).await?;
        Ok(new)
    }
}
