//! What Resolve, Explain and Watch have in common: from the context that is asked for to the decision which of its secrets
//! win, for a caller who has the right to ask. Caches of decisions belong here.

use secrets_core::authorize::{Permit, Right};
use secrets_core::{ContextName, Filter, Resolution, SessionRestrictions};

use super::snapshot::Snapshot;
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::context::LocatedContext;
use crate::service::open_call::Authorize;
use crate::store::ReadTransaction;
use crate::store::revision::Revision;
use crate::store::secret::SecretWithVersion;

/// Which context is asked about.
#[derive(Clone, Default)]
pub struct Asked {
    /// None: the session's own.
    pub context: Option<ContextName>,
    /// The context without a user, though the caller is one.
    pub without_user: bool,
    /// A revision that the caller has seen: nothing older is answered.
    pub at_least: Option<Revision>,
    /// Read in pieces, between which others come: by what takes turns.
    pub in_pieces: bool,
}

/// A context and which of its secrets win, as it stood at one revision.
pub(super) struct Evaluation<A: Right> {
    pub located: LocatedContext,
    pub permit: Permit<A>,
    pub snapshot: Snapshot,
    pub resolution: Resolution,
    /// What narrows the calling session.
    pub restrictions: SessionRestrictions,
}

impl Service {
    /// Locates the context, authorizes `A` on it, and decides. All of it is read from `db`, one state of the database.
    pub(super) async fn evaluate<A: Right>(
        &self,
        db: &ReadTransaction,
        call: &mut impl Authorize,
        asked: Asked,
    ) -> Result<Evaluation<A>, Error> {
        let name = self.asked_context(call, asked.context, asked.without_user)?;
        let located = self.locate_context(db, call, &name).await?;
        let permit = call.authorize_with::<A>(&located.user_bindings, &located)?;
        located.must_exist()?;
        let snapshot = self.read_snapshot(db, &permit, asked.at_least, asked.in_pieces).await?;
        let resolution = secrets_core::resolve(&located.context, call.now, snapshot.candidates());
        let restrictions = call.caller.session.as_ref().map(|session| session.restrictions.clone()).unwrap_or_default();
        Ok(Evaluation { located, permit, snapshot, resolution, restrictions })
    }
}

impl<A: Right> Evaluation<A> {
    /// `filter` together with what narrows the session. It narrows the decision, not what is decided over: filtered
    /// candidates would let a broader secret win.
    pub(super) fn narrowed(&self, filter: Filter) -> Filter {
        Filter { restrictions: self.restrictions.clone(), ..filter }
    }

    /// The secrets that are delivered through `filter`, ordered by name.
    pub(super) fn chosen(&self, filter: &Filter) -> Vec<&SecretWithVersion> {
        self.resolution.delivered(filter).filter_map(|winner| self.snapshot.secret(winner.secret)).collect()
    }
}
