//! What a change of secrets does before the lock: whoever may not make it does not wait for the lock, and nobody holds it while
//! something is read, checked or sealed that can be so before.
//!
//! What was true before the lock decides nothing. It is looked up and authorized again under the lock, and what was prepared
//! is used where it is still right: a sealed value names its secret, version and target, so that it is right for exactly those,
//! and an opened one is right for the very bytes that were opened.

use secrets_core::authorize::Permit;
use secrets_core::{ScopeName, SecretId, SecretName, Target, Timestamp, Uid, right};

use super::named;
use crate::call::Call;
use crate::crypto::SecretBytes;
use crate::error::Error;
use crate::keys::DataKey;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::open_call::{Located, OpenCall};
use crate::store::ReadTransaction;
use crate::store::secret::{self, Secret, SecretWithVersion};
use crate::store::version::{self, SecretVersion};

/// A scope whose secrets its caller might change, as it was before the lock.
pub(super) struct Preparation {
    pub located: LocatedScope,
    /// The state in which it was so. It goes before the wait for the lock.
    pub db: ReadTransaction,
    /// The caller might change them.
    pub first: Permit<right::WriteSecrets>,
    pub sealed: Option<SealedVersion>,
    pub opened: Option<OpenedVersions>,
}

/// A version that was sealed before the lock.
pub(super) struct SealedVersion {
    located: LocatedScope,
    version: SecretVersion,
}

/// Stored versions that were opened before the lock.
#[derive(Default)]
pub(super) struct OpenedVersions(Vec<(SecretVersion, SecretBytes)>);

impl Service {
    /// Locates a scope and authorizes for the first time. `secret` is the one that the call is about, if it is about one.
    pub(super) async fn prepare_secrets(
        &self,
        call: &mut OpenCall,
        scope: &ScopeName,
        secret: Option<&SecretId>,
    ) -> Result<Preparation, Error> {
        let db = self.read(call).await?;
        let located = self.locate_scope(&db, call, scope).await?;
        let subject = match secret {
            Some(id) => named(&located.organization, &SecretName::new(scope.clone(), id.clone())),
            None => located.subject(),
        };
        let first = call.authorize::<right::WriteSecrets>(&(subject, located.resource, scope))?;
        Ok(Preparation { located, db, first, sealed: None, opened: None })
    }
}

impl Preparation {
    /// Seals the next version of a secret, or the first of one that is not there. `compares`: if it may turn out to be the value
    /// that is stored, that one is opened.
    pub(super) async fn seal(
        &mut self,
        service: &Service,
        call: &Call,
        secret_id: &SecretId,
        target: Option<&Target>,
        value: &SecretBytes,
        compares: bool,
    ) -> Result<(), Error> {
        let (organization, scope) = (self.located.organization.uid, self.located.scope);
        // What is too large is refused under the lock, by the organization's own limit.
        if scope.uid.is_nil() || value.len() as u64 > service.limits.value_bytes {
            return Ok(());
        }
        let (secret, number, kept) = match secret::current(&self.db, organization, scope, secret_id).await? {
            Some(current) => {
                let Some(next) = current.version.version.checked_add(1) else { return Ok(()) };
                if compares && target.is_none_or(|target| *target == current.version.target) {
                    self.open_to_compare(service, call, &current, value.len()).await?;
                }
                (current.secret, next, current.version.target)
            }
            None => (self.located.new_secret(call, service.uid()?, secret_id), 1, Target::EnvironmentVariable),
        };
        let target = target.unwrap_or(&kept);
        let key = service.keys.current_data_key(&self.db, organization).await?;
        // Exposed to be sealed.
        let version = service.seal_version(call, &key, &secret, number, target, value.expose())?;
        self.sealed = Some(SealedVersion { located: self.located.clone(), version });
        Ok(())
    }

    /// Opens the value that a secret has, and seals it for another target, if that is another one.
    pub(super) async fn seal_moved(
        &mut self,
        service: &Service,
        call: &Call,
        secret_id: &SecretId,
        target: &Target,
    ) -> Result<(), Error> {
        let Some(current) = self.current(secret_id).await? else { return Ok(()) };
        let (secret, version) = (current.secret, current.version);
        if version.target == *target {
            return Ok(());
        }
        let next = version.version.checked_add(1);
        self.reseal(service, call, &secret, version, next, target).await
    }

    /// Opens the value that a secret has, if it may be compared with one of this length. To whoever may not receive it, no length
    /// makes a difference.
    async fn open_to_compare(
        &mut self,
        service: &Service,
        call: &Call,
        current: &SecretWithVersion,
        length: usize,
    ) -> Result<(), Error> {
        if service.may_receive(&self.db, call, &self.located, current).await?.is_some()
            && current.version.value_bytes as usize == length
            && let Ok(value) = service.open_version(&self.db, &current.secret, &current.version).await
        {
            self.opened.get_or_insert_default().add(current.version.clone(), value);
        }
        Ok(())
    }

    /// Opens an old value of a secret, and seals it as the next version. `compares`: if it may turn out to be the current one too,
    /// that is opened as well.
    pub(super) async fn seal_again(
        &mut self,
        service: &Service,
        call: &Call,
        secret_id: &SecretId,
        number: u32,
        compares: bool,
    ) -> Result<(), Error> {
        let Some(current) = self.current(secret_id).await? else { return Ok(()) };
        let secret = &current.secret;
        let old = version::by_number(&self.db, secret.organization, secret.uid, number).await?;
        let Some(old) = old.filter(|old| old.destroy_time.is_none()) else { return Ok(()) };
        if compares && old.target == current.version.target {
            self.open_to_compare(service, call, &current, old.value_bytes as usize).await?;
        }
        let (next, target) = (current.version.version.checked_add(1), old.target.clone());
        self.reseal(service, call, secret, old, next, &target).await
    }

    /// The live secret of this name, if there is one.
    async fn current(&self, secret_id: &SecretId) -> Result<Option<SecretWithVersion>, Error> {
        if self.located.scope.uid.is_nil() {
            return Ok(None);
        }
        Ok(secret::current(&self.db, self.located.organization.uid, self.located.scope, secret_id).await?)
    }

    async fn reseal(
        &mut self,
        service: &Service,
        call: &Call,
        secret: &Secret,
        version: SecretVersion,
        next: Option<u32>,
        target: &Target,
    ) -> Result<(), Error> {
        // What can't be opened, or has no next version, is told under the lock.
        let (Some(next), Ok(value)) = (next, service.open_version(&self.db, secret, &version).await) else {
            return Ok(());
        };
        let key = service.keys.current_data_key(&self.db, secret.organization).await?;
        // Exposed to be sealed.
        let sealed = service.seal_version(call, &key, secret, next, target, value.expose())?;
        self.sealed = Some(SealedVersion { located: self.located.clone(), version: sealed });
        self.opened.get_or_insert_default().add(version, value);
        Ok(())
    }
}

impl OpenedVersions {
    pub(super) fn add(&mut self, version: SecretVersion, value: SecretBytes) {
        self.0.push((version, value));
    }

    /// Takes the value of `version` out, if these very bytes were opened.
    pub(super) fn take(&mut self, version: &SecretVersion) -> Option<SecretBytes> {
        let position = self.0.iter().position(|(opened, _)| opened == version)?;
        Some(self.0.swap_remove(position).1)
    }
}

impl SealedVersion {
    /// The uid of the secret that it was sealed for, if that was not there yet.
    pub(super) fn new_uid(&self) -> Option<Uid> {
        (self.version.version == 1).then_some(self.version.secret)
    }

    /// The version, if it was sealed as exactly this one, under the data key that seals now.
    pub(super) fn of(self, secret: &Secret, number: u32, target: &Target, key: &DataKey) -> Option<SecretVersion> {
        let is_same = self.located.organization.uid == secret.organization
            && self.located.scope == secret.scope
            && self.version.secret == secret.uid
            && self.version.version == number
            && self.version.target == *target
            && self.version.data_key_version == key.version();
        is_same.then_some(self.version)
    }
}

impl LocatedScope {
    /// A secret of the scope with nothing set.
    pub(super) fn new_secret(&self, call: &Call, uid: Uid, secret_id: &SecretId) -> Secret {
        use secrets_core::{Description, Labels, OverridePolicy, Redaction, Visibility};
        Secret {
            uid,
            organization: self.organization.uid,
            scope: self.scope,
            secret_id: secret_id.clone(),
            description: Description::default(),
            labels: Labels::default(),
            group: None,
            visibility: Visibility::All,
            override_policy: OverridePolicy::Allowed,
            disabled: false,
            redaction: Redaction::Default,
            expire_time: None,
            current_version: 1,
            revision: 0,
            create_time: call.now,
            creator: call.caller.name.to_string(),
            update_time: Timestamp::default(),
            updater: String::new(),
            delete_time: None,
            purge_time: None,
        }
    }
}
