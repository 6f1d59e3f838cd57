//! UndeleteSecret.

use secrets_core::{SecretName, Uid};

use super::missing;
use super::mutation::{BegunSecretMutation, SecretMutation};
use super::quota::{self, QuotaDelta, answer_size};
use super::view::ChangedSecret;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::secret::{self, SecretWithVersion};

/// What UndeleteSecret is asked for.
pub struct UndeleteSecret {
    /// The name it had.
    pub name: SecretName,
    /// Which of several; none is the one deleted last.
    pub uid: Option<Uid>,
}

impl Service {
    /// Brings a deleted secret back within its window, if its name and place are free and its scope has room.
    pub async fn undelete_secret(
        &self,
        call: &mut OpenCall,
        input: &UndeleteSecret,
        key: &IdempotencyKey<ChangedSecret>,
    ) -> Result<MutationOutcome<ChangedSecret>, Error> {
        let id = Some(&input.name.secret_id);
        let preparation = self.prepare_secrets(call, &input.name.scope, id).await?;
        let mut mutation = match self.mutate_secrets(call, preparation, id, false, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        let mut current = mutation.find_deleted(input).await?;
        mutation.identify(&current.secret);
        if mutation.find(&input.name.secret_id).await?.is_some() {
            let text = format!("another secret is called `{}` by now; delete that one first", input.name);
            return Err(Error::field(Reason::AlreadyExists, "name", text));
        }
        mutation.check_target(&current.secret, &current.version.target).await?;
        let bytes = answer_size(&mutation.located).current(&current);
        let delta = QuotaDelta { secrets: 1, bytes, freed: 0 };
        quota::check(mutation.db(), &mutation.located, &mutation.limits, delta).await?;

        let stamp = mutation.stamp().await?;
        let back = &mut current.secret;
        secret::undelete(mutation.db(), back.organization, back.uid, &stamp).await?;
        back.stamp(&stamp);
        back.delete_time = None;
        back.purge_time = None;

        mutation.finish_secret(key, current, Vec::new()).await
    }
}

impl SecretMutation<'_> {
    /// The deleted secret that is asked for, while its window is open.
    async fn find_deleted(&self, input: &UndeleteSecret) -> Result<SecretWithVersion, Error> {
        let (db, organization, scope) = (self.db(), self.located.organization.uid, self.located.scope);
        let found = match input.uid {
            None => secret::last_deleted(db, organization, scope, &input.name.secret_id).await?,
            Some(uid) => secret::by_uid(db, organization, uid).await?.filter(|found| {
                found.secret.scope == scope
                    && found.secret.secret_id == input.name.secret_id
                    && found.secret.delete_time.is_some()
            }),
        };
        found.filter(|found| found.secret.purge_time.is_some_and(|end| end > self.call.now)).ok_or_else(|| {
            let text = format!("there is no deleted secret `{}` that can still be undeleted", input.name);
            if input.uid.is_some() { missing(&input.name) } else { Error::new(Reason::SecretNotFound, text) }
        })
    }
}
