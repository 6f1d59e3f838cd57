//! Between values and the sealed versions that are stored.

use secrets_core::{Target, check_value};

use crate::call::Call;
use crate::crypto::{OpenError, SecretBytes, ValueIdentity, data_key_version};
use crate::error::{Error, Reason};
use crate::keys::DataKey;
use crate::service::Service;
use crate::store::KeyedConnection;
use crate::store::secret::Secret;
use crate::store::version::SecretVersion;

impl Service {
    /// Seals `value` as version `number` of the secret. Nothing else opens it: not another version, name, scope or target.
    pub(super) fn seal_version(
        &self,
        call: &Call,
        key: &DataKey,
        secret: &Secret,
        number: u32,
        target: &Target,
        value: &[u8],
    ) -> Result<SecretVersion, Error> {
        let blob = key.seal(self.random.as_ref(), &identity(secret, number, target), value)?;
        Ok(SecretVersion {
            secret: secret.uid,
            version: number,
            target: target.clone(),
            blob,
            data_key_version: key.version(),
            value_bytes: u32::try_from(value.len()).map_err(Error::internal)?,
            create_time: call.now,
            creator: call.caller.name.to_string(),
            destroy_time: None,
            source_version: None,
            source_secret: None,
        })
    }

    /// Opens a version, to seal its value anew. It goes nowhere else.
    pub(super) async fn open_version(
        &self,
        db: &impl KeyedConnection,
        secret: &Secret,
        version: &SecretVersion,
    ) -> Result<SecretBytes, Error> {
        let keys = self.keys.data_keys(db, secret.organization).await?;
        open(&keys, secret, version).map_err(|cause| {
            tracing::error!(secret = %secret.uid, version = version.version, %cause, "cannot open a stored secret");
            let text = format!("the stored value of `{}` cannot be opened; tell the operator", secret.secret_id);
            Error::new(Reason::SecretUnreadable, text)
        })
    }
}

/// Why a stored value can't be opened; for the log alone.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum Unreadable {
    #[error("data key {0} is missing")]
    Key(u32),
    #[error(transparent)]
    Record(#[from] OpenError),
}

/// Opens a version with one of the organization's `keys`.
pub(in crate::service) fn open(
    keys: &[DataKey],
    secret: &Secret,
    version: &SecretVersion,
) -> Result<SecretBytes, Unreadable> {
    let key_version = data_key_version(&version.blob)?;
    let key = keys.iter().find(|key| key.version() == key_version).ok_or(Unreadable::Key(key_version))?;
    Ok(key.open(&identity(secret, version.version, &version.target), &version.blob)?)
}

/// Refuses a value that can't be delivered to the target.
pub(super) fn check(target: &Target, value: &[u8], limit: u64) -> Result<(), Error> {
    check_value(target, value, limit).map_err(|error| Error::field(Reason::InvalidValue, "value", error))
}

fn identity<'a>(secret: &'a Secret, version: u32, target: &'a Target) -> ValueIdentity<'a> {
    ValueIdentity {
        organization: secret.organization,
        scope: secret.scope,
        secret: secret.uid,
        secret_id: &secret.secret_id,
        version,
        target,
    }
}
