//! DestroySecretVersion.

use secrets_core::SecretName;

use super::etag;
use super::mutation::BegunSecretMutation;
use super::rollback::no_version;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::revision::Revision;
use crate::store::secret;
use crate::store::version::{self, SecretVersion};

/// What DestroySecretVersion is asked for.
pub struct DestroyVersion {
    pub name: SecretName,
    pub version: u32,
    /// The etag the secret must have.
    pub etag: Option<String>,
}

/// A version without its value.
pub struct DestroyedVersion {
    /// What is left of it.
    pub version: SecretVersion,
    /// Where the organization's history stands.
    pub revision: Revision,
}

impl Service {
    /// Destroys the stored value of an old version; that there was one stays known.
    pub async fn destroy_secret_version(
        &self,
        call: &mut OpenCall,
        input: &DestroyVersion,
        key: &IdempotencyKey<DestroyedVersion>,
    ) -> Result<MutationOutcome<DestroyedVersion>, Error> {
        let id = &input.name.secret_id;
        let preparation = self.prepare_secrets(call, &input.name.scope, Some(id)).await?;
        let mut mutation = match self.mutate_secrets(call, preparation, Some(id), false, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        let mut secret = mutation.must_find(id).await?.secret;
        etag::check(input.etag.as_deref(), &secret)?;
        if input.version == secret.current_version {
            let text = "this version is the one that is delivered; make a new one first, or delete the secret";
            return Err(Error::field(Reason::VersionIsCurrent, "version", text));
        }
        let old = version::by_number(mutation.db(), secret.organization, secret.uid, input.version)
            .await?
            .filter(|old| old.destroy_time.is_none())
            .ok_or_else(|| no_version(&input.name, input.version))?;

        let now = mutation.call.now;
        secret.stamp(&mutation.stamp().await?);
        version::destroy(mutation.db(), secret.organization, secret.uid, old.version, now).await?;
        secret::update(mutation.db(), &secret).await?;
        let version = SecretVersion { blob: Vec::new(), destroy_time: Some(now), ..old };
        let result = DestroyedVersion { version, revision: mutation.revision() };
        mutation.finish(key, result).await
    }
}
