//! What an answer about a context is made of, as it stood at one revision.

use std::collections::BTreeMap;

use secrets_core::authorize::{Permit, Resource, Right};
use secrets_core::{Candidate, Uid};

use crate::error::{Error, Reason};
use crate::service::Service;
use crate::store::ReadTransaction;
use crate::store::revision::{self, Revision};
use crate::store::secret::{self, SecretWithVersion};

/// The live secrets of a context's scopes.
pub struct Snapshot {
    /// Where the organization's history stood.
    pub revision: Revision,
    secrets: BTreeMap<Uid, SecretWithVersion>,
}

impl Snapshot {
    /// All of them, for a resolution.
    pub fn candidates(&self) -> Vec<Candidate> {
        self.secrets.values().map(SecretWithVersion::candidate).collect()
    }

    /// The one that a resolution speaks of.
    pub fn secret(&self, uid: Uid) -> Option<&SecretWithVersion> {
        self.secrets.get(&uid)
    }
}

impl Service {
    /// Reads the context that the permit is for: a fixed number of queries, however many secrets there are, unless they are read in
    /// pieces. `at_least` is a revision that the caller has seen; a history that does not include it is stale.
    pub async fn read_snapshot<A: Right>(
        &self,
        db: &ReadTransaction,
        permit: &Permit<A>,
        at_least: Option<Revision>,
        in_pieces: bool,
    ) -> Result<Snapshot, Error> {
        let Resource::Context { context, .. } = permit.resource() else {
            return Err(Error::internal("a permit for something else than a context"));
        };
        let organization = context.organization;
        let current = revision::current(db, organization)
            .await?
            .ok_or_else(|| Error::internal(format!("organization {organization} has no history")))?;
        if let Some(known) = at_least
            && !revision::includes(db, organization, current, known).await?
        {
            return Err(Error::new(Reason::Stale, "this server has not seen the requested revision yet; retry"));
        }
        let scopes: Vec<_> = context.scopes().collect();
        let secrets = if in_pieces {
            secret::candidates_in_pieces(db, organization, &scopes).await?
        } else {
            secret::candidates(db, organization, &scopes).await?
        };
        Ok(Snapshot { revision: current, secrets: secrets.into_iter().map(|each| (each.secret.uid, each)).collect() })
    }
}
