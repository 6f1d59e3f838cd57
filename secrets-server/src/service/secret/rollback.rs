//! RollbackSecret.

use secrets_core::SecretName;

use super::mutation::BegunSecretMutation;
use super::view::ChangedSecret;
use super::{etag, overlap};
use crate::audit::Detail;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::secret::SecretWithVersion;
use crate::store::version;

/// What RollbackSecret is asked for.
pub struct RollbackSecret {
    pub name: SecretName,
    /// The version whose value and target come back.
    pub version: u32,
    /// The etag the secret must have.
    pub etag: Option<String>,
    /// Change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Makes a new version from an old one's value and target, sealed anew under its own number, unless the caller may receive the
    /// current one and it has the same.
    pub async fn rollback_secret(
        &self,
        call: &mut OpenCall,
        input: &RollbackSecret,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        let id = &input.name.secret_id;
        let mut preparation = self.prepare_secrets(call, &input.name.scope, Some(id)).await?;
        preparation.seal_again(self, call, id, input.version, !input.validate_only).await?;
        let mut mutation = match self.mutate_secrets(call, preparation, Some(id), input.validate_only, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        let current = mutation.must_find(id).await?;
        etag::check(input.etag.as_deref(), &current.secret)?;
        let mut secret = current.secret.clone();
        let old = version::by_number(mutation.db(), secret.organization, secret.uid, input.version)
            .await?
            .filter(|old| old.destroy_time.is_none())
            .ok_or_else(|| no_version(&input.name, input.version))?;
        let value = mutation.open(&secret, &old).await?;
        mutation.value_unchanged =
            old.target == current.version.target && mutation.is_current_value(&current, &value).await?;
        // Whether the value is another one is for those to know who may receive it; a version is made in any case.
        mutation.describe(
            Detail::default()
                .with_changed([("value", !mutation.value_unchanged), ("target", old.target != current.version.target)]),
        );
        let version = if mutation.value_unchanged {
            current.version
        } else {
            mutation.add_version(&mut secret, &current, &old.target, &value, Some(old.version)).await?
        };

        let warnings = overlap::value_warnings(&secret, &version.target, value.expose());
        mutation.finish_secret(key, SecretWithVersion { secret, version }, warnings).await
    }
}

/// There is no such version, or nothing is left of its value.
pub(super) fn no_version(name: &SecretName, version: u32) -> Error {
    let text = format!(
        "`{name}` has no version {version}, or its value was destroyed; ListSecretVersions returns those there are"
    );
    Error::new(Reason::VersionNotFound, text)
}
