//! Changing the secrets of a scope: the lock, who may, and what all changes have in common.

use secrets_core::authorize::Listing;
use secrets_core::limits::Limits;
use secrets_core::{Destination, Grade, InvalidTarget, Scope, SecretId, SecretName, Target, right};

use super::preparation::{OpenedVersions, Preparation, SealedVersion};
use super::view::{self, ChangedSecret};
use super::{invalid_name, missing, named, overlap};
use crate::audit::{DeliveredSet, Detail, Subject};
use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::mutation::{Begun, IdempotencyKey, Mutation, MutationOutcome};
use crate::service::open_call::{Located, OpenCall};
use crate::service::warning::Warning;
use crate::store::WriteTransaction;
use crate::store::revision::Revision;
use crate::store::secret::{self, Secret, SecretWithVersion, Stamp};
use crate::store::version::SecretVersion;

/// A change of a scope's secrets under way, by somebody who may make it. Dropping it undoes it.
pub(super) struct SecretMutation<'a> {
    pub service: &'a Service,
    pub call: &'a mut OpenCall,
    pub located: LocatedScope,
    pub limits: Limits,
    pub inner: Mutation<'a, right::WriteSecrets>,
    /// Where the history stood before.
    before: Revision,
    /// What was sealed before the lock.
    pub sealed: Option<SealedVersion>,
    /// What was opened before the lock.
    pub opened: Option<OpenedVersions>,
    pub validate_only: bool,
    /// A value was given, and is the one that is stored.
    pub value_unchanged: bool,
}

/// What a change of secrets begins with: the work, or the first result of the same request.
pub(super) enum BegunSecretMutation<'a, T> {
    New(Box<SecretMutation<'a>>),
    Replayed(MutationOutcome<T>),
}

impl Service {
    /// Takes the organization's lock, locates the scope again, authorizes, looks for a repeat, and only then says whether the scope
    /// exists. `secret` is the one that the call is about, if it is about one.
    pub(super) async fn mutate_secrets<'a, T>(
        &'a self,
        call: &'a mut OpenCall,
        preparation: Preparation,
        secret: Option<&SecretId>,
        validate_only: bool,
        key: &IdempotencyKey<T>,
    ) -> Result<BegunSecretMutation<'a, T>, Error> {
        let Preparation { located: before, first, sealed, opened, db } = preparation;
        // Nobody holds a connection while waiting for the lock.
        drop(db);
        let scope = &before.name;
        let locked = self.lock(call, before.organization.uid, first).await?;
        let located = self.locate_scope(locked.db(), call, scope).await?;
        let subject = match secret {
            Some(id) => named(&located.organization, &SecretName::new(scope.clone(), id.clone())),
            None => located.subject(),
        };
        let target = (subject, located.resource, scope);
        let inner = if validate_only {
            // What changes nothing is neither stored nor a repeat.
            let permit = locked.authorize::<right::WriteSecrets>(call, &target)?;
            locked.mutate_anew(call, permit)
        } else {
            match locked.mutate(call, &target, key).await? {
                Begun::Replayed(outcome) => return Ok(BegunSecretMutation::Replayed(outcome)),
                Begun::New(mutation) => mutation,
            }
        };
        located.must_exist()?;
        Ok(BegunSecretMutation::New(Box::new(SecretMutation {
            service: self,
            call,
            limits: self.limits_in(&located.organization)?,
            before: inner.revision(),
            sealed,
            opened,
            inner,
            located,
            validate_only,
            value_unchanged: false,
        })))
    }
}

impl SecretMutation<'_> {
    /// Where statements go.
    pub(super) fn db(&self) -> &WriteTransaction {
        self.inner.db()
    }

    /// The name of a secret of the scope.
    pub(super) fn name(&self, secret_id: &SecretId) -> SecretName {
        SecretName::new(self.located.name.clone(), secret_id.clone())
    }

    /// The live secret of this name, if there is one; the call is about it.
    pub(super) async fn find(&mut self, secret_id: &SecretId) -> Result<Option<SecretWithVersion>, Error> {
        let found = secret::current(self.db(), self.located.organization.uid, self.located.scope, secret_id).await?;
        if let Some(found) = &found {
            self.identify(&found.secret);
        }
        Ok(found)
    }

    /// The live secret of this name.
    pub(super) async fn must_find(&mut self, secret_id: &SecretId) -> Result<SecretWithVersion, Error> {
        self.find(secret_id).await?.ok_or_else(|| missing(&self.name(secret_id)))
    }

    /// Names this secret in the audit event.
    pub(super) fn identify(&mut self, secret: &Secret) {
        let subject = Subject::new(secret.organization, self.name(&secret.secret_id), secret.uid);
        self.call.identify(subject);
    }

    /// Says in the audit event what the change consists of.
    pub(super) fn describe(&mut self, detail: Detail) {
        self.call.describe(detail);
    }

    /// Refuses a new name that the organization's policy does not allow.
    pub(super) fn check_policy(&self, secret_id: &SecretId) -> Result<(), Error> {
        SecretId::parse(secret_id.as_str(), self.located.organization.name_policy)
            .map(|_| ())
            .map_err(|error| invalid_name("secret_id", &error))
    }

    /// Refuses a target that a secret of this name can't have, and one whose destination another secret of the scope has.
    pub(super) async fn check_target(&self, secret: &Secret, target: &Target) -> Result<(), Error> {
        target.check_storing(&secret.secret_id, &self.located.organization.allowed_reserved).map_err(reserved)?;
        let Some(destination) = target.destination(&secret.secret_id) else { return Ok(()) };
        let scopes = [self.located.scope];
        let overlapping =
            secret::claiming(self.db(), secret.organization, &scopes, &secret.secret_id, Some(&destination), None)
                .await?;
        let holder = overlapping.into_iter().find(|other| {
            other.secret.uid != secret.uid
                && other.version.target.destination(&other.secret.secret_id).as_ref() == Some(&destination)
        });
        match holder {
            Some(holder) => Err(in_use(&destination, &self.name(&holder.secret.secret_id))),
            None => Ok(()),
        }
    }

    /// The value of a stored version: as it was opened before the lock, if that is still right.
    pub(super) async fn open(&mut self, secret: &Secret, version: &SecretVersion) -> Result<SecretBytes, Error> {
        match self.opened.as_mut().and_then(|opened| opened.take(version)) {
            Some(value) => Ok(value),
            None => self.service.open_version(self.db(), secret, version).await,
        }
    }

    /// Whether this is the value that the secret has, for a caller who may receive that one: to anybody else it is another one. What
    /// they learn is recorded as a delivery. A rehearsal tells nobody.
    pub(super) async fn is_current_value(
        &mut self,
        current: &SecretWithVersion,
        value: &SecretBytes,
    ) -> Result<bool, Error> {
        let SecretWithVersion { secret, version } = current;
        if self.validate_only || self.service.may_receive(self.db(), self.call, &self.located, current).await?.is_none()
        {
            return Ok(false);
        }
        self.call.deliver(DeliveredSet::new(vec![(secret.uid, version.version)]));
        if version.value_bytes as usize != value.len() {
            return Ok(false);
        }
        match self.open(secret, version).await {
            Ok(stored) => Ok(stored.is_same_as(value)),
            // A new value is how it is mended.
            Err(error) if error.reason() == Reason::SecretUnreadable => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next version of a secret: as it was sealed before the lock, if that is still right.
    pub(super) async fn seal(
        &mut self,
        secret: &Secret,
        number: u32,
        target: &Target,
        value: &SecretBytes,
    ) -> Result<SecretVersion, Error> {
        let key = self.service.keys.active_data_key(self.db(), secret.organization).await?;
        if let Some(version) = self.sealed.take().and_then(|sealed| sealed.of(secret, number, target, &key)) {
            return Ok(version);
        }
        // Exposed to be sealed.
        self.service.seal_version(self.call, &key, secret, number, target, value.expose())
    }

    /// Counts the change and says how it is noted. Call it when nothing more can be refused.
    pub(super) async fn stamp(&mut self) -> Result<Stamp, Error> {
        self.stamp_in(self.located.scope).await
    }

    /// The same of a change of another scope of the organization.
    pub(super) async fn stamp_in(&mut self, scope: Scope) -> Result<Stamp, Error> {
        let revision = self.inner.bump(scope).await?;
        Ok(Stamp { revision: revision.revision, time: self.call.now, updater: self.call.caller.name.to_string() })
    }

    /// The revision to report: as it is after the change, or when nothing is changed as it is.
    pub(super) fn revision(&self) -> Revision {
        if self.validate_only { self.before } else { self.inner.revision() }
    }

    /// Ends a change that leaves a live secret.
    pub(super) async fn finish_secret(
        self,
        key: &IdempotencyKey<ChangedSecret>,
        current: SecretWithVersion,
        warnings: Vec<Warning>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        let result = self.changed(current, warnings).await?;
        self.finish(key, result).await
    }

    /// What a change that leaves a live secret ends with: adds to `warnings` those of its metadata and of what it overlaps.
    pub(super) async fn changed(
        &self,
        current: SecretWithVersion,
        mut warnings: Vec<Warning>,
    ) -> Result<ChangedSecret, Error> {
        let value_unchanged = self.value_unchanged;
        let (secret, target, now) = (&current.secret, &current.version.target, self.call.now);
        warnings.extend(overlap::metadata_warnings(secret, now));
        let overlaps = self.service.overlaps_of(self.db(), self.call, &self.located, secret, target).await?;
        warnings.extend(overlaps.warnings(secret, target, now));
        let secret = view::show(self.db(), &self.located.name, current, &Listing::All).await?;
        Ok(ChangedSecret { secret, revision: self.revision(), warnings, value_unchanged })
    }

    /// Commits, or with `validate_only` undoes everything, and hands out the result.
    pub(super) async fn finish<T>(self, key: &IdempotencyKey<T>, result: T) -> Result<MutationOutcome<T>, Error> {
        if self.validate_only {
            return Ok(self.inner.discard(result));
        }
        self.inner.finish(self.call, key, result).await
    }
}

impl Secret {
    /// Notes who changed it when.
    pub(super) fn stamp(&mut self, stamp: &Stamp) {
        self.revision = stamp.revision;
        self.update_time = stamp.time;
        self.updater.clone_from(&stamp.updater);
    }
}

/// What the organization has to allow, if it can, is in the error too.
fn reserved(error: InvalidTarget) -> Error {
    let (failure, reserved, entry) = match &error {
        InvalidTarget::ReservedVariable { name, reserved } => {
            (Error::field(Reason::ReservedSecretId, "secret_id", &error), reserved, name.as_str())
        }
        InvalidTarget::ReservedPath { path, reserved } => {
            (Error::field(Reason::InvalidTarget, "secret.target.file.path", &error), reserved, path.as_str())
        }
        other => return Error::field(Reason::InvalidTarget, "secret.target", other),
    };
    if reserved.grade == Grade::Soft { failure.with("allow", entry.to_owned()) } else { failure }
}

fn in_use(destination: &Destination, holder: &SecretName) -> Error {
    let text = format!("`{holder}` has the {destination} already; choose another one, or change or delete that secret");
    Error::field(Reason::TargetInUse, "secret.target", text).with("secret", holder.to_string())
}
