//! UpdateSecret.

use secrets_core::{SecretName, Target};

use super::mutation::{BegunSecretMutation, SecretMutation};
use super::patch::SecretPatch;
use super::quota::{self, QuotaDelta};
use super::view::ChangedSecret;
use super::{etag, missing, overlap, sealing, visibility};
use crate::audit::Detail;
use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::secret::{self, Secret, SecretWithVersion};
use crate::store::version::{self, SecretVersion};

/// What UpdateSecret is asked for.
pub struct UpdateSecret {
    pub name: SecretName,
    /// The etag it must have.
    pub etag: Option<String>,
    pub edit: SecretPatch,
    /// A new value; none keeps the stored one.
    pub value: Option<SecretBytes>,
    /// Create it when it is not there.
    pub allow_missing: bool,
    /// Change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Changes metadata; a value or a changed target makes a new version, sealed anew, unless the caller may receive the value and
    /// gives the one that is stored.
    pub async fn update_secret(
        &self,
        call: &mut OpenCall,
        input: &UpdateSecret,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        let id = &input.name.secret_id;
        let mut preparation = self.prepare_secrets(call, &input.name.scope, Some(id)).await?;
        match (&input.value, &input.edit.target) {
            (Some(value), target) => {
                preparation.seal(self, call, id, target.as_ref(), value, !input.validate_only).await?;
            }
            (None, Some(target)) => preparation.seal_moved(self, call, id, target).await?,
            (None, None) => {}
        }
        let mut mutation = match self.mutate_secrets(call, preparation, Some(id), input.validate_only, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        match (mutation.find(id).await?, &input.value) {
            (Some(current), _) => mutation.update(current, input, key).await,
            (None, _) if !input.allow_missing => Err(missing(&input.name)),
            (None, _) if input.etag.is_some() => Err(etag::stale()),
            (None, Some(value)) => mutation.create(id, &input.edit, value, key).await,
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
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        etag::check(input.etag.as_deref(), &current.secret)?;
        let edit = &input.edit;
        edit.check(self.located.scope.kind, &self.limits)?;
        let mut edited = current.secret.clone();
        let reach = match &edit.visibility {
            Some(names) => Some(visibility::locate(self.db(), edited.organization, names).await?),
            None => None,
        };
        edit.apply(&mut edited, reach);
        let target = edit.target.as_ref().unwrap_or(&current.version.target);
        let moved = *target != current.version.target;

        let mut warnings = Vec::new();
        if let Some(value) = &input.value
            && !moved
            && self.is_current_value(&current, value).await?
        {
            self.value_unchanged = true;
            warnings.extend(overlap::value_warnings(&edited, target, value.expose()));
        }
        let version = if moved || (input.value.is_some() && !self.value_unchanged) {
            let stored;
            let value = match &input.value {
                Some(value) => value,
                None => {
                    stored = self.open(&current.secret, &current.version).await?;
                    &stored
                }
            };
            warnings.extend(overlap::value_warnings(&edited, target, value.expose()));
            let source = input.value.is_none().then_some(current.version.version);
            self.add_version(&mut edited, &current, target, value, source).await?
        } else if edited != current.secret {
            self.check_room(&current, &edited, target, current.version.value_bytes.into()).await?;
            edited.stamp(&self.stamp().await?);
            secret::update(self.db(), &edited).await?;
            current.version
        } else {
            // Nothing changes: neither does the etag, nor the revision.
            current.version
        };
        self.describe(Detail::default().with_changed([
            ("value", input.value.is_some() && !self.value_unchanged),
            ("target", moved),
            ("description", edited.description != current.secret.description),
            ("labels", edited.labels != current.secret.labels),
            ("group", edited.group != current.secret.group),
            ("visibility", edited.visibility != current.secret.visibility),
            ("override_policy", edited.override_policy != current.secret.override_policy),
            ("disabled", edited.disabled != current.secret.disabled),
            ("redaction", edited.redaction != current.secret.redaction),
            ("expire_time", edited.expire_time != current.secret.expire_time),
        ]));

        self.finish_secret(key, SecretWithVersion { secret: edited, version }, warnings).await
    }

    /// Checks and seals a new version and stores it with the secret as it was edited; drops the oldest versions beyond the
    /// limit. `source` is the version that has the value already.
    pub(super) async fn add_version(
        &mut self,
        edited: &mut Secret,
        before: &SecretWithVersion,
        target: &Target,
        value: &SecretBytes,
        source: Option<u32>,
    ) -> Result<SecretVersion, Error> {
        // Exposed to be looked at and sealed; no error holds any of it.
        sealing::check(target, value.expose(), self.limits.value_bytes)?;
        self.check_target(edited, target).await?;
        self.check_room(before, edited, target, value.len() as u64).await?;

        let number =
            before.version.version.checked_add(1).ok_or_else(|| Error::internal("version numbers are used up"))?;
        let sealed = self.seal(edited, number, target, value).await?;
        let version = SecretVersion { source_version: source, ..sealed };
        edited.current_version = number;
        edited.stamp(&self.stamp().await?);
        secret::add_version(self.db(), edited, &version).await?;
        let keep = self.limits.versions_per_secret;
        version::remove_oldest(self.db(), edited.organization, &[edited.uid], keep).await?;
        Ok(version)
    }

    /// Refuses a changed secret for which the scope has no room.
    async fn check_room(
        &self,
        before: &SecretWithVersion,
        edited: &Secret,
        target: &Target,
        value_bytes: u64,
    ) -> Result<(), Error> {
        let size = quota::answer_size(&self.located);
        let (bytes, freed) = (size.of(edited, target, value_bytes), size.current(before));
        quota::check(self.db(), &self.located, &self.limits, QuotaDelta { secrets: 0, bytes, freed }).await
    }
}
