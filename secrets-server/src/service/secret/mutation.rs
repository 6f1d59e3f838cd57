//! Changing the secrets of a scope: the lock, who may, and what all changes have in common.

use secrets_core::authorize::Permit;
use secrets_core::limits::Limits;
use secrets_core::{Destination, ScopeName, SecretId, SecretName, Target, right};

use super::{invalid_name, missing};
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::mutation::{Change, Done, Keep};
use crate::store::revision::Revision;
use crate::store::secret::{self, Secret, SecretWithVersion, Stamp};

/// A change of a scope's secrets under way, by somebody who may make it. Dropping it undoes it.
pub(super) struct SecretMutation<'a> {
    pub service: &'a Service,
    pub call: &'a Call,
    pub change: Change<'a>,
    /// The scope; it may not exist until [`Self::begin`] has passed.
    pub place: LocatedScope,
    /// The limits in force.
    pub limits: Limits,
    /// Where the history stood before.
    before: Revision,
    validate_only: bool,
    permit: Permit<right::WriteSecrets>,
}

/// What a change begins with: the work, or the first result of the same request.
pub(super) enum Begun<'a, T> {
    Fresh(Box<SecretMutation<'a>>),
    Repeated(Done<T>),
}

impl Service {
    /// Takes the organization's lock, locates the scope, authorizes, looks for a repeat, and only then says whether the scope
    /// exists. `secret` is the one that the call is about, if it is about one.
    pub(super) async fn write_secrets<'a, T>(
        &'a self,
        call: &'a Call,
        scope: &ScopeName,
        secret: Option<&SecretId>,
        validate_only: bool,
        keep: &Keep<T>,
    ) -> Result<Begun<'a, T>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, scope.organization()).await?;
        let change = self.begin(call, organization.uid).await?;
        let place = self.locate_scope(change.db(), call, scope).await?;
        if let Some(secret) = secret {
            let name = SecretName::new(scope.clone(), secret.clone());
            call.about_precisely(Some(organization.uid), name.to_string(), None);
        }
        let permit = call.authorize::<right::WriteSecrets>(&place.resource)?;
        // What changes nothing is neither kept nor a repeat.
        if !validate_only && let Some(done) = change.repeated(keep).await? {
            return Ok(Begun::Repeated(done));
        }
        place.must_exist()?;
        Ok(Begun::Fresh(Box::new(SecretMutation {
            service: self,
            call,
            limits: self.limits_in(&place.organization)?,
            before: change.revision(),
            change,
            place,
            validate_only,
            permit,
        })))
    }
}

impl SecretMutation<'_> {
    /// The name of a secret of the scope.
    pub(super) fn name(&self, secret_id: &SecretId) -> SecretName {
        SecretName::new(self.place.name.clone(), secret_id.clone())
    }

    /// The live secret of this name, if there is one; the call is about it.
    pub(super) async fn find(&self, secret_id: &SecretId) -> Result<Option<SecretWithVersion>, Error> {
        let db = self.change.db();
        let found = secret::current(db, self.place.organization.uid, self.place.scope, secret_id).await?;
        if let Some(found) = &found {
            self.about(&found.secret);
        }
        Ok(found)
    }

    /// The live secret of this name.
    pub(super) async fn must_find(&self, secret_id: &SecretId) -> Result<SecretWithVersion, Error> {
        self.find(secret_id).await?.ok_or_else(|| missing(&self.name(secret_id)))
    }

    /// UsageBuffer that the call is about this secret.
    pub(super) fn about(&self, secret: &Secret) {
        let name = self.name(&secret.secret_id).to_string();
        self.call.about_precisely(Some(secret.organization), name, Some(secret.uid));
    }

    /// Refuses a new name that the organization's policy does not let pass.
    pub(super) fn check_policy(&self, secret_id: &SecretId) -> Result<(), Error> {
        SecretId::parse(secret_id.as_str(), self.place.organization.name_policy)
            .map(|_| ())
            .map_err(|error| invalid_name("secret_id", &error))
    }

    /// Refuses a target that a secret of this name can't have, and one whose place another secret of the scope has.
    pub(super) async fn check_target(&self, secret: &Secret, target: &Target) -> Result<(), Error> {
        target
            .check_name(&secret.secret_id)
            .map_err(|error| Error::field(Reason::ReservedSecretId, "secret_id", error))?;
        let Some(place) = target.destination(&secret.secret_id) else { return Ok(()) };
        let scopes = [self.place.scope];
        let overlapping =
            secret::claiming(self.change.db(), secret.organization, &scopes, &secret.secret_id, Some(&place), None)
                .await?;
        let holder = overlapping.into_iter().find(|rival| {
            rival.secret.uid != secret.uid
                && rival.version.target.destination(&rival.secret.secret_id).as_ref() == Some(&place)
        });
        match holder {
            Some(holder) => Err(in_use(&place, &self.name(&holder.secret.secret_id))),
            None => Ok(()),
        }
    }

    /// Counts the change and says how it is noted. Call it when nothing more can be refused.
    pub(super) async fn stamp(&mut self) -> Result<Stamp, Error> {
        let revision = self.change.bump(self.place.scope).await?;
        Ok(Stamp { revision: revision.revision, time: self.call.now, updater: self.call.caller.name.clone() })
    }

    /// The revision to report: as it is after the change, or when nothing is changed as it is.
    pub(super) fn revision(&self) -> Revision {
        if self.validate_only { self.before } else { self.change.revision() }
    }

    /// Commits, or with `validate_only` undoes everything, and hands out the result.
    pub(super) async fn end<T>(self, keep: &Keep<T>, result: T) -> Result<Done<T>, Error> {
        if self.validate_only {
            return self.change.discard(result).await;
        }
        self.change.finish(&self.permit, keep, result).await
    }
}

impl Secret {
    /// UsageBuffer who changed it when.
    pub(super) fn stamp(&mut self, stamp: &Stamp) {
        self.revision = stamp.revision;
        self.update_time = stamp.time;
        self.updater.clone_from(&stamp.updater);
    }
}

fn in_use(place: &Destination, holder: &SecretName) -> Error {
    let text = format!("`{holder}` has the {place} already; choose another one, or change or delete that secret");
    Error::field(Reason::TargetInUse, "secret.target", text).with("secret", holder.to_string())
}
