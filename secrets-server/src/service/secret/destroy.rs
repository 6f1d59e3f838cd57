//! DestroySecretVersion.

use secrets_core::SecretName;

use super::etag;
use super::mutation::Begun;
use super::rollback::no_version;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Done, Keep};
use crate::store::revision::Revision;
use crate::store::secret;
use crate::store::version::{self, SecretVersion};

/// What DestroySecretVersion is asked for.
pub struct DestroyVersion {
    /// Of which secret.
    pub name: SecretName,
    /// Which version.
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
        call: &Call,
        input: &DestroyVersion,
        keep: &Keep<DestroyedVersion>,
    ) -> Result<Done<DestroyedVersion>, Error> {
        let id = &input.name.secret_id;
        let mut writing = match self.write_secrets(call, &input.name.scope, Some(id), false, keep).await? {
            Begun::Repeated(done) => return Ok(done),
            Begun::Fresh(writing) => writing,
        };
        let mut secret = writing.must_find(id).await?.secret;
        etag::check(input.etag.as_deref(), &secret)?;
        if input.version == secret.current_version {
            let text = "this version is the one that is delivered; make a new one first, or delete the secret";
            return Err(Error::field(Reason::VersionIsCurrent, "version", text));
        }
        let old = version::by_number(writing.change.db(), secret.organization, secret.uid, input.version)
            .await?
            .filter(|old| old.destroy_time.is_none())
            .ok_or_else(|| no_version(&input.name, input.version))?;

        secret.stamp(&writing.stamp().await?);
        version::destroy(writing.change.db(), secret.organization, secret.uid, old.version, call.now).await?;
        secret::update(writing.change.db(), &secret).await?;
        let version = SecretVersion { blob: Vec::new(), destroy_time: Some(call.now), ..old };
        let result = DestroyedVersion { version, revision: writing.revision() };
        writing.end(keep, result).await
    }
}
