//! CreateSecret.

use secrets_core::authorize::Listing;
use secrets_core::{
    Description, Labels, OverridePolicy, Redaction, ScopeName, SecretId, Target, Timestamp, Uid, Visibility,
};

use super::mutation::{Begun, SecretMutation};
use super::patch::SecretPatch;
use super::quota::{self, QuotaDelta};
use super::view::{self, ChangedSecret};
use super::{sealing, visibility, warnings};
use crate::call::Call;
use crate::crypto::SecretBytes;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Done, Keep};
use crate::store::secret::{self, Secret, SecretWithVersion};

/// What CreateSecret is asked for.
pub struct CreateSecret {
    /// Where.
    pub scope: ScopeName,
    /// Its name there.
    pub secret_id: SecretId,
    /// What is not the default.
    pub edit: SecretPatch,
    /// Its first value.
    pub value: SecretBytes,
    /// Change nothing.
    pub validate_only: bool,
}

impl Service {
    /// Creates a secret with its first version.
    pub async fn create_secret(
        &self,
        call: &Call,
        input: &CreateSecret,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        let id = Some(&input.secret_id);
        match self.write_secrets(call, &input.scope, id, input.validate_only, keep).await? {
            Begun::Repeated(done) => Ok(done),
            Begun::Fresh(writing) => writing.create(&input.secret_id, &input.edit, &input.value, keep).await,
        }
    }
}

impl SecretMutation<'_> {
    /// Creates a secret and ends the change.
    pub(super) async fn create(
        mut self,
        secret_id: &SecretId,
        edit: &SecretPatch,
        value: &SecretBytes,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        self.check_policy(secret_id)?;
        edit.check(self.place.scope.kind, &self.limits)?;
        let target = edit.target.clone().unwrap_or(Target::EnvironmentVariable);
        // Exposed to be looked at and sealed; neither error nor warning holds any of it.
        sealing::check(&target, value.expose(), self.limits.value_bytes)?;
        if self.find(secret_id).await?.is_some() {
            let text = format!("`{}` exists; UpdateSecret gives it a new value", self.name(secret_id));
            return Err(Error::field(Reason::AlreadyExists, "secret_id", text));
        }
        let mut new = self.new_secret(self.service.uid()?, secret_id);
        let reach = match &edit.visibility {
            Some(names) => Some(visibility::locate(self.change.db(), new.organization, names).await?),
            None => None,
        };
        edit.apply(&mut new, reach);
        self.check_target(&new, &target).await?;
        let growth = QuotaDelta { secrets: 1, bytes: value.len() as u64, freed: 0 };
        quota::check(self.change.db(), &self.place, &self.limits, growth).await?;

        let key = self.service.keys.active_data_key(self.change.db(), new.organization).await?;
        let version = self.service.seal_version(self.call, &key, &new, 1, &target, value.expose())?;
        new.stamp(&self.stamp().await?);
        secret::insert(self.change.db(), &new, &version).await?;
        self.about(&new);

        let mut told = warnings::of_value(&new, &target, value.expose());
        told.extend(warnings::of_metadata(&new, self.call.now));
        let around = self.service.surroundings_of(self.change.db(), self.call, &self.place, &new, &target).await?;
        told.extend(around.warnings(&new, &target, self.call.now));
        let current = SecretWithVersion { secret: new, version };
        let secret = view::show(self.change.db(), &self.place.name, current, &Listing::All).await?;
        let result = ChangedSecret { secret, revision: self.revision(), warnings: told };
        self.end(keep, result).await
    }

    /// A secret with nothing set.
    pub(super) fn new_secret(&self, uid: Uid, secret_id: &SecretId) -> Secret {
        Secret {
            uid,
            organization: self.place.organization.uid,
            scope: self.place.scope,
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
            create_time: self.call.now,
            creator: self.call.caller.name.clone(),
            update_time: Timestamp::default(),
            updater: String::new(),
            delete_time: None,
            purge_time: None,
        }
    }
}
