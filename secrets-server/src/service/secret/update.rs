//! UpdateSecret.

use secrets_core::authorize::Listing;
use secrets_core::{SecretName, Target};

use super::mutation::{Begun, SecretMutation};
use super::patch::SecretPatch;
use super::quota::{self, QuotaDelta};
use super::view::{self, ChangedSecret};
use super::{etag, missing, sealing, visibility, warnings};
use crate::call::Call;
use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Done, Keep};
use crate::store::secret::{self, Secret, SecretWithVersion};
use crate::store::version::{self, SecretVersion};

/// What UpdateSecret is asked for.
pub struct UpdateSecret {
    /// Which secret.
    pub name: SecretName,
    /// The etag it must have.
    pub etag: Option<String>,
    /// What to set.
    pub edit: SecretPatch,
    /// A new value; none keeps the stored one.
    pub value: Option<SecretBytes>,
    /// Create it when it is not there.
    pub allow_missing: bool,
    /// Change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Changes metadata; a value or a changed target makes a new version, sealed anew.
    pub async fn update_secret(
        &self,
        call: &Call,
        input: &UpdateSecret,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        let id = &input.name.secret_id;
        let writing = match self.write_secrets(call, &input.name.scope, Some(id), input.validate_only, keep).await? {
            Begun::Repeated(done) => return Ok(done),
            Begun::Fresh(writing) => writing,
        };
        match (writing.find(id).await?, &input.value) {
            (Some(current), _) => writing.update(current, input, keep).await,
            (None, _) if !input.allow_missing => Err(missing(&input.name)),
            (None, _) if input.etag.is_some() => Err(etag::stale()),
            (None, Some(value)) => writing.create(id, &input.edit, value, keep).await,
            (None, None) => {
                let rule = "there is no such secret, and a new one needs a value of at least one byte";
                Err(Error::field(Reason::InvalidValue, "value", rule))
            }
        }
    }
}

impl SecretMutation<'_> {
    async fn update(
        mut self,
        current: SecretWithVersion,
        input: &UpdateSecret,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        etag::check(input.etag.as_deref(), &current.secret)?;
        let edit = &input.edit;
        edit.check(self.place.scope.kind, &self.limits)?;
        let mut edited = current.secret.clone();
        let reach = match &edit.visibility {
            Some(names) => Some(visibility::locate(self.change.db(), edited.organization, names).await?),
            None => None,
        };
        edit.apply(&mut edited, reach);
        let target = edit.target.as_ref().unwrap_or(&current.version.target);
        let moved = *target != current.version.target;

        let mut told = Vec::new();
        let version = if input.value.is_some() || moved {
            let kept;
            let value = match &input.value {
                Some(value) => value,
                None => {
                    kept = self.service.open_version(self.change.db(), &current.secret, &current.version).await?;
                    &kept
                }
            };
            told.extend(warnings::of_value(&edited, target, value.expose()));
            self.add_version(&mut edited, &current.version, target, value, None).await?
        } else if edited != current.secret {
            edited.stamp(&self.stamp().await?);
            secret::update(self.change.db(), &edited).await?;
            current.version
        } else {
            // Nothing changes: neither does the etag, nor the revision.
            current.version
        };

        told.extend(warnings::of_metadata(&edited, self.call.now));
        let target = &version.target;
        let around = self.service.surroundings_of(self.change.db(), self.call, &self.place, &edited, target).await?;
        told.extend(around.warnings(&edited, target, self.call.now));
        let current = SecretWithVersion { secret: edited, version };
        let secret = view::show(self.change.db(), &self.place.name, current, &Listing::All).await?;
        let result = ChangedSecret { secret, revision: self.revision(), warnings: told };
        self.end(keep, result).await
    }

    /// Checks and seals a new version and stores it with the secret as it was edited; drops the oldest versions beyond the
    /// limit. `source` is the version that a rollback copies.
    pub(super) async fn add_version(
        &mut self,
        edited: &mut Secret,
        before: &SecretVersion,
        target: &Target,
        value: &SecretBytes,
        source: Option<u32>,
    ) -> Result<SecretVersion, Error> {
        // Exposed to be looked at and sealed; no error holds any of it.
        sealing::check(target, value.expose(), self.limits.value_bytes)?;
        self.check_target(edited, target).await?;
        let growth = QuotaDelta { secrets: 0, bytes: value.len() as u64, freed: before.value_bytes.into() };
        quota::check(self.change.db(), &self.place, &self.limits, growth).await?;

        let key = self.service.keys.active_data_key(self.change.db(), edited.organization).await?;
        let number = before.version.checked_add(1).ok_or_else(|| Error::internal("version numbers are used up"))?;
        let sealed = self.service.seal_version(self.call, &key, edited, number, target, value.expose())?;
        let version = SecretVersion { source_version: source, ..sealed };
        edited.current_version = number;
        edited.stamp(&self.stamp().await?);
        secret::add_version(self.change.db(), edited, &version).await?;
        version::remove_oldest(self.change.db(), edited.organization, edited.uid, self.limits.versions_per_secret)
            .await?;
        Ok(version)
    }
}
