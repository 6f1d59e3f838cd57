//! RollbackSecret.

use secrets_core::SecretName;
use secrets_core::authorize::Listing;

use super::mutation::Begun;
use super::view::{self, ChangedSecret};
use super::{etag, warnings};
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Done, Keep};
use crate::store::secret::SecretWithVersion;
use crate::store::version;

/// What RollbackSecret is asked for.
pub struct RollbackSecret {
    /// Which secret.
    pub name: SecretName,
    /// The version whose value and target come back.
    pub version: u32,
    /// The etag the secret must have.
    pub etag: Option<String>,
    /// Change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Makes a new version from an old one's value and target, sealed anew under its own number.
    pub async fn rollback_secret(
        &self,
        call: &Call,
        input: &RollbackSecret,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        let id = &input.name.secret_id;
        let mut writing = match self.write_secrets(call, &input.name.scope, Some(id), input.validate_only, keep).await?
        {
            Begun::Repeated(done) => return Ok(done),
            Begun::Fresh(writing) => writing,
        };
        let current = writing.must_find(id).await?;
        etag::check(input.etag.as_deref(), &current.secret)?;
        let mut secret = current.secret;
        let old = version::by_number(writing.change.db(), secret.organization, secret.uid, input.version)
            .await?
            .filter(|old| old.destroy_time.is_none())
            .ok_or_else(|| no_version(&input.name, input.version))?;
        let value = self.open_version(writing.change.db(), &secret, &old).await?;
        let version =
            writing.add_version(&mut secret, &current.version, &old.target, &value, Some(old.version)).await?;

        let mut told = warnings::of_value(&secret, &version.target, value.expose());
        told.extend(warnings::of_metadata(&secret, call.now));
        let (place, target) = (&writing.place, &version.target);
        let around = self.surroundings_of(writing.change.db(), call, place, &secret, target).await?;
        told.extend(around.warnings(&secret, target, call.now));
        let current = SecretWithVersion { secret, version };
        let secret = view::show(writing.change.db(), &input.name.scope, current, &Listing::All).await?;
        let result = ChangedSecret { secret, revision: writing.revision(), warnings: told };
        writing.end(keep, result).await
    }
}

/// There is no such version, or nothing is left of its value.
pub(super) fn no_version(name: &SecretName, version: u32) -> Error {
    let text = format!(
        "`{name}` has no version {version}, or its value was destroyed; ListSecretVersions tells which there are"
    );
    Error::new(Reason::VersionNotFound, text)
}
