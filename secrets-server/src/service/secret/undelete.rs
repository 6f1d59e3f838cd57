//! UndeleteSecret.

use secrets_core::authorize::Listing;
use secrets_core::{SecretName, Uid};

use super::mutation::{Begun, SecretMutation};
use super::quota::{self, QuotaDelta};
use super::view::{self, ChangedSecret};
use super::{missing, warnings};
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{Done, Keep};
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
        call: &Call,
        input: &UndeleteSecret,
        keep: &Keep<ChangedSecret>,
    ) -> Result<Done<ChangedSecret>, Error> {
        let id = Some(&input.name.secret_id);
        let mut writing = match self.write_secrets(call, &input.name.scope, id, false, keep).await? {
            Begun::Repeated(done) => return Ok(done),
            Begun::Fresh(writing) => writing,
        };
        let mut current = writing.find_deleted(input).await?;
        writing.about(&current.secret);
        if writing.find(&input.name.secret_id).await?.is_some() {
            let text = format!("another secret is called `{}` by now; delete that one first", input.name);
            return Err(Error::field(Reason::AlreadyExists, "name", text));
        }
        writing.check_target(&current.secret, &current.version.target).await?;
        let growth = QuotaDelta { secrets: 1, bytes: current.version.value_bytes.into(), freed: 0 };
        quota::check(writing.change.db(), &writing.place, &writing.limits, growth).await?;

        let stamp = writing.stamp().await?;
        let back = &mut current.secret;
        secret::undelete(writing.change.db(), back.organization, back.uid, &stamp).await?;
        back.stamp(&stamp);
        back.delete_time = None;
        back.purge_time = None;

        let mut told = warnings::of_metadata(back, call.now);
        let (place, target) = (&writing.place, &current.version.target);
        let around = self.surroundings_of(writing.change.db(), call, place, back, target).await?;
        told.extend(around.warnings(back, target, call.now));
        let secret = view::show(writing.change.db(), &input.name.scope, current, &Listing::All).await?;
        let result = ChangedSecret { secret, revision: writing.revision(), warnings: told };
        writing.end(keep, result).await
    }
}

impl SecretMutation<'_> {
    /// The deleted secret that is asked for, while its window is open.
    async fn find_deleted(&self, input: &UndeleteSecret) -> Result<SecretWithVersion, Error> {
        let (db, organization, scope) = (self.change.db(), self.place.organization.uid, self.place.scope);
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
