//! Explain: which secret wins under each name, and why the others do not. Never a value.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::authorize::{Listing, Resource, right};
use secrets_core::{
    Candidate, ContextName, Description, Filter, NotChosen, NotChosenReason, Resolution, ScopeKind, SecretId,
    SecretName, Timestamp, Uid,
};

use super::snapshot::Snapshot;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::locate::context::LocatedContext;
use crate::store::revision::Revision;

/// What Explain is asked.
pub struct ExplainQuestion {
    /// For whom; none: the session's own context.
    pub context: Option<ContextName>,
    /// Only these names; empty: every name.
    pub secret_ids: BTreeSet<SecretId>,
    /// The context without a user.
    pub without_user: bool,
    /// A revision that the caller has seen: nothing older is answered.
    pub at_least: Option<Revision>,
}

/// What Explain answers.
pub struct Explained {
    /// For whom, with the implied project and user filled in.
    pub context: ContextName,
    /// A row a name, ordered by name.
    pub explanations: Vec<Explanation>,
    /// The next time at which it changes by itself.
    pub next_change_time: Option<Timestamp>,
    /// The revision that was read.
    pub revision: Revision,
}

/// What a context gets under one name, and what it does not.
pub struct Explanation {
    /// The name.
    pub secret_id: SecretId,
    /// The secret that wins.
    pub winner: Option<Shown>,
    /// The others, narrowest scope first.
    pub not_chosen: Vec<Other>,
}

impl Explanation {
    fn of(secret_id: SecretId) -> Self {
        Self { secret_id, winner: None, not_chosen: Vec::new() }
    }
}

/// A secret as an explanation shows it.
pub struct Shown {
    /// Its resource path.
    pub name: SecretName,
    /// What decides about it.
    pub candidate: Candidate,
    /// What it is, so that an agent can choose.
    pub description: Description,
}

/// A secret that does not win.
pub struct Other {
    /// The secret.
    pub secret: Shown,
    /// Why not.
    pub reason: NotChosenReason,
    /// The secret that stands in its way, if the caller sees it.
    pub blocked_by: Option<SecretName>,
}

impl Service {
    /// Explains a context to whoever may receive its values, and to an organization's admins without a user.
    pub async fn explain(&self, call: &Call, question: ExplainQuestion) -> Result<Explained, Error> {
        if question.without_user && question.context.as_ref().is_some_and(|context| context.user.is_some()) {
            let rule = "a context explained with `without_user` names none";
            return Err(Error::field(Reason::ContextInvalid, "context.user", rule));
        }
        let asked = self.asked_context(call, question.context, question.without_user)?;
        let db = self.store.snapshot().await?;
        let located = self.locate_context(&db, call, &asked).await?;
        let permit = call.authorize_with::<right::Explain>(&located.user_bindings, &located.resource)?;
        located.must_exist()?;
        let snapshot = self.read_snapshot(&db, &permit, question.at_least).await?;
        let organization = Resource::Organization(located.context.organization);
        let listing = match call.authorize::<right::ListSecrets>(&organization) {
            Ok(permit) => Some(self.listing_of(&db, call, &permit).await?),
            Err(_) => None,
        };
        drop(db);

        let mut resolution = secrets_core::resolve(&located.context, call.now, snapshot.candidates());
        resolution.not_chosen.retain(|other| may_be_told(other, listing.as_ref()));
        let restrictions = call.caller.session.as_ref().map(|session| session.restrictions.clone()).unwrap_or_default();
        let resolution = resolution.narrowed(&Filter { restrictions, ..Filter::default() });
        let told = told(&resolution);
        let resolution = resolution.narrowed(&Filter { secret_ids: question.secret_ids, ..Filter::default() });
        Ok(Explained {
            next_change_time: resolution.valid_until,
            explanations: explanations(resolution, &located, &snapshot, &told),
            revision: snapshot.revision,
            context: located.name,
        })
    }
}

/// A secret that does not reach the context is only told of to those who see it in a listing anyway.
fn may_be_told(other: &NotChosen, listing: Option<&Listing>) -> bool {
    other.reason != NotChosenReason::NotVisible
        || listing.is_some_and(|listing| listing.shows(&other.candidate.visibility).is_some())
}

/// All that the caller may know of: what stands in a secret's way is named only if it is among these.
fn told(resolution: &Resolution) -> BTreeMap<Uid, (ScopeKind, SecretId)> {
    let others = resolution.not_chosen.iter().map(|other| &other.candidate);
    let all = resolution.winners.iter().chain(others);
    all.map(|each| (each.secret, (each.scope.kind, each.secret_id.clone()))).collect()
}

fn explanations(
    resolution: Resolution,
    located: &LocatedContext,
    snapshot: &Snapshot,
    told: &BTreeMap<Uid, (ScopeKind, SecretId)>,
) -> Vec<Explanation> {
    let show = |candidate: Candidate| {
        Some(Shown {
            name: located.secret_name(candidate.scope.kind, &candidate.secret_id)?,
            description: snapshot.secret(candidate.secret)?.secret.description.clone(),
            candidate,
        })
    };
    let name_of = |uid| told.get(&uid).and_then(|(scope, secret_id)| located.secret_name(*scope, secret_id));
    let mut rows: BTreeMap<SecretId, Explanation> = BTreeMap::new();
    for shown in resolution.winners.into_iter().filter_map(show) {
        let secret_id = shown.name.secret_id.clone();
        rows.entry(secret_id.clone()).or_insert_with(|| Explanation::of(secret_id)).winner = Some(shown);
    }
    for NotChosen { candidate, reason, blocked_by } in resolution.not_chosen {
        let Some(secret) = show(candidate) else { continue };
        let secret_id = secret.name.secret_id.clone();
        let other = Other { secret, reason, blocked_by: blocked_by.and_then(name_of) };
        rows.entry(secret_id.clone()).or_insert_with(|| Explanation::of(secret_id)).not_chosen.push(other);
    }
    rows.into_values().collect()
}
