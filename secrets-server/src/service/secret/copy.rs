//! CopySecret and MoveSecret: a secret in another scope of its organization. The value goes from one sealed version into another.

use secrets_core::limits::Limit;
use secrets_core::{ScopeName, SecretName, Target};

use super::copy_source::CopySource;
use super::mutation::{BegunSecretMutation, SecretMutation};
use super::patch::SecretPatch;
use super::preparation::Preparation;
use super::view::{ChangedSecret, SecretView};
use super::{named, overlap, sealing};
use crate::audit::{DeliveredSet, Source};
use crate::call::Call;
use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::secret::{self, Secret, SecretWithVersion};
use crate::store::version::SecretVersion;

/// What CopySecret and MoveSecret are asked for.
pub struct CopySecret {
    /// What is copied.
    pub name: SecretName,
    /// Into which scope; another one of the same organization.
    pub destination: ScopeName,
    /// The etag the source must have.
    pub etag: Option<String>,
    /// The source is deleted: it is moved.
    pub deletes_source: bool,
    /// Change nothing, and open nothing.
    pub validate_only: bool,
}

/// A secret that was copied or moved.
pub struct CopiedSecret {
    pub copy: ChangedSecret,
    /// The deleted source; none where it stays.
    pub source: Option<SecretView>,
}

impl Service {
    /// Copies a secret that its caller may receive into a scope whose secrets they may change, and deletes the source if asked to:
    /// one transaction, which is recorded as a delivery of the source.
    pub async fn copy_secret(
        &self,
        call: &mut OpenCall,
        input: &CopySecret,
        key: &IdempotencyKey<CopiedSecret>,
    ) -> Result<MutationOutcome<CopiedSecret>, Error> {
        let id = &input.name.secret_id;
        let mut preparation = self.prepare_secrets(call, &input.destination, Some(id)).await?;
        let scope = self.locate_source(&preparation.db, call, input).await?;
        // What is in the way of this one is said under the lock: the request may be the repeat of one that was done.
        if !input.validate_only
            && let Ok(source) = self.find_source(&preparation.db, call, &scope, input).await
        {
            preparation.seal_copy(self, call, source).await?;
        }
        let mutation = match self.mutate_secrets(call, preparation, Some(id), input.validate_only, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        mutation.copy(input, key).await
    }
}

impl Preparation {
    /// Opens the source, and seals its value as the first version of the copy.
    async fn seal_copy(&mut self, service: &Service, call: &Call, source: CopySource) -> Result<(), Error> {
        let SecretWithVersion { secret, version } = source.current;
        // What can't be opened is told under the lock.
        let Ok(value) = service.open_version(&self.db, &secret, &version).await else { return Ok(()) };
        self.seal(service, call, &secret.secret_id, Some(&version.target), &value, false).await?;
        self.opened.get_or_insert_default().add(version, value);
        Ok(())
    }
}

impl SecretMutation<'_> {
    async fn copy(
        mut self,
        input: &CopySecret,
        key: &IdempotencyKey<CopiedSecret>,
    ) -> Result<MutationOutcome<CopiedSecret>, Error> {
        let id = &input.name.secret_id;
        let scope = self.service.locate_source(self.inner.db(), self.call, input).await?;
        let source = self.service.find_source(self.inner.db(), self.call, &scope, input).await?;
        let SecretWithVersion { secret: from, version } = &source.current;

        let name = self.name(id);
        self.call.identify(named(&self.located.organization, &name));
        self.check_policy(id)?;
        let edit = carried(from, &version.target);
        edit.check(self.located.scope.kind, &self.limits)?;
        if self.find(id).await?.is_some() {
            let text = format!("`{name}` exists, and is not replaced; delete it first");
            return Err(Error::field(Reason::AlreadyExists, "parent", text));
        }
        let (learned, delivered) =
            (Source::new(&input.name, from.uid), DeliveredSet::new(vec![(from.uid, version.version)]));
        let mut new = match self.fitting(id, &edit, &version.target, version.value_bytes.into()).await {
            Ok(new) => new,
            Err(error) => {
                // By how many bytes it does not fit tells how long the value is, in a rehearsal too.
                let limit = Limit::BytesPerScope.as_str();
                if error.metadata().iter().any(|(key, value)| *key == "limit" && value == limit) {
                    self.call.deliver_source(learned, delivered);
                }
                return Err(error);
            }
        };
        let (copy, warnings) = if self.validate_only {
            (unsealed(self.call, &new, version), Vec::new())
        } else {
            // Whatever becomes of it: a refusal of the value tells something about it.
            self.call.deliver_source(learned, delivered);
            let value = self.open_source(from, version).await?;
            // Exposed to be looked at and sealed; neither error nor warning holds any of it.
            sealing::check(&version.target, value.expose(), self.limits.value_bytes)?;
            let warnings = overlap::value_warnings(&new, &version.target, value.expose());
            // What is itself a copy may be gone by then: it names where the value was first.
            let first = version.source_secret.zip(version.source_version).unwrap_or((from.uid, version.version));
            let sealed = self.seal(&new, 1, &version.target, &value).await?;
            (SecretVersion { source_secret: Some(first.0), source_version: Some(first.1), ..sealed }, warnings)
        };
        new.stamp(&self.stamp().await?);
        if !self.validate_only {
            secret::insert(self.db(), &new, &copy).await?;
        }
        let deleted = match input.deletes_source {
            true => self.delete_in(&input.name.scope, source.current).await?,
            false => None,
        };
        self.identify(&new);
        let copy = self.changed(SecretWithVersion { secret: new, version: copy }, warnings).await?;
        self.finish(key, CopiedSecret { copy, source: deleted }).await
    }

    /// The value of the source. What was sealed before the lock is right only for the very bytes that were opened then.
    async fn open_source(&mut self, secret: &Secret, version: &SecretVersion) -> Result<SecretBytes, Error> {
        match self.opened.as_mut().and_then(|opened| opened.take(version)) {
            Some(value) => Ok(value),
            None => {
                self.sealed = None;
                self.service.open_version(self.db(), secret, version).await
            }
        }
    }
}

/// What a copy has of its source. Whom the source reaches, its lock and its group are about its own scope.
fn carried(source: &Secret, target: &Target) -> SecretPatch {
    SecretPatch {
        target: Some(target.clone()),
        description: Some(source.description.clone()),
        labels: Some(source.labels.clone()),
        redaction: Some(source.redaction),
        expire_time: Some(source.expire_time),
        ..SecretPatch::default()
    }
}

/// The version that a rehearsal shows and nobody stores.
fn unsealed(call: &Call, secret: &Secret, source: &SecretVersion) -> SecretVersion {
    SecretVersion {
        secret: secret.uid,
        version: 1,
        target: source.target.clone(),
        blob: Vec::new(),
        data_key_version: 0,
        value_bytes: source.value_bytes,
        create_time: call.now,
        creator: call.caller.name.to_string(),
        destroy_time: None,
        source_version: None,
        source_secret: None,
    }
}
