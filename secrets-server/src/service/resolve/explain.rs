//! Explain: which secret wins under each name, and why the others do not. Never a value.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::authorize::{Listing, Resource, right};
use secrets_core::{
    Candidate, ContextName, Description, Filter, NotChosen, NotChosenReason, Resolution, ScopeKind, SecretId,
    SecretName, Timestamp, Uid,
};

use super::evaluate::{Asked, Evaluation};
use super::snapshot::Snapshot;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::access::binding::BindingView;
use crate::service::access::resolver;
use crate::service::locate::context::LocatedContext;
use crate::service::open_call::OpenCall;
use crate::store::revision::Revision;

/// What Explain is asked.
pub struct ExplainQuestion {
    pub asked: Asked,
    /// Only these names; empty: every name.
    pub secret_ids: BTreeSet<SecretId>,
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
    /// For the owner of its workspace: the resolvers that reach it.
    pub resolvers: Vec<BindingView>,
}

/// What a context gets under one name, and what it does not.
pub struct Explanation {
    pub secret_id: SecretId,
    pub winner: Option<Shown>,
    /// The others, narrowest scope first.
    pub not_chosen: Vec<Other>,
}

impl Explanation {
    fn new(secret_id: SecretId) -> Self {
        Self { secret_id, winner: None, not_chosen: Vec::new() }
    }
}

/// A secret as an explanation shows it.
pub struct Shown {
    pub name: SecretName,
    pub candidate: Candidate,
    /// What it is, so that an agent can choose.
    pub description: Description,
}

/// A secret that does not win.
pub struct Other {
    pub secret: Shown,
    pub reason: NotChosenReason,
    /// The secret that stands in its way, if the caller sees it.
    pub blocked_by: Option<SecretName>,
}

impl Service {
    /// Explains a context to whoever may receive its values, and to an organization's admins without a user.
    pub async fn explain(&self, call: &mut OpenCall, question: ExplainQuestion) -> Result<Explained, Error> {
        let asked = question.asked;
        if asked.without_user && asked.context.as_ref().is_some_and(|context| context.user.is_some()) {
            let rule = "must not be set together with `without_user`";
            return Err(Error::field(Reason::ContextInvalid, "context.user", rule));
        }
        let db = self.read(call).await?;
        let evaluation = self.evaluate::<right::Explain>(&db, call, asked).await?;
        let organization = Resource::Organization(evaluation.located.context.organization);
        let listing = match call.permit::<right::ListSecrets>(&organization) {
            Ok(permit) => Some(self.listing_of(&db, call, &permit).await?),
            Err(_) => None,
        };
        let resolvers = resolver::of_context(&db, call, &evaluation.located).await?;
        drop(db);

        let session = evaluation.narrowed(Filter::default());
        let Evaluation { located, snapshot, mut resolution, .. } = evaluation;
        resolution.not_chosen.retain(|other| may_be_shown(other, listing.as_ref()));
        let resolution = resolution.narrowed(&session);
        let known = known(&resolution);
        let resolution = resolution.narrowed(&Filter { secret_ids: question.secret_ids, ..Filter::default() });
        Ok(Explained {
            next_change_time: resolution.valid_until,
            explanations: explanations(resolution, &located, &snapshot, &known),
            revision: snapshot.revision,
            resolvers,
            context: located.name,
        })
    }
}

/// A secret that does not reach the context is only shown to those who see it in a listing anyway.
fn may_be_shown(other: &NotChosen, listing: Option<&Listing>) -> bool {
    other.reason != NotChosenReason::NotVisible
        || listing.is_some_and(|listing| listing.shows(&other.candidate.visibility).is_some())
}

/// All that the caller may know of: what stands in a secret's way is named only if it is among these.
fn known(resolution: &Resolution) -> BTreeMap<Uid, (ScopeKind, SecretId)> {
    let others = resolution.not_chosen.iter().map(|other| &other.candidate);
    let all = resolution.winners.iter().chain(others);
    all.map(|each| (each.secret, (each.scope.kind, each.secret_id.clone()))).collect()
}

fn explanations(
    resolution: Resolution,
    located: &LocatedContext,
    snapshot: &Snapshot,
    known: &BTreeMap<Uid, (ScopeKind, SecretId)>,
) -> Vec<Explanation> {
    let show = |candidate: Candidate| {
        Some(Shown {
            name: located.secret_name(candidate.scope.kind, &candidate.secret_id)?,
            description: snapshot.secret(candidate.secret)?.secret.description.clone(),
            candidate,
        })
    };
    let name_of = |uid| known.get(&uid).and_then(|(scope, secret_id)| located.secret_name(*scope, secret_id));
    let mut rows: BTreeMap<SecretId, Explanation> = BTreeMap::new();
    for shown in resolution.winners.into_iter().filter_map(show) {
        let secret_id = shown.name.secret_id.clone();
        rows.entry(secret_id.clone()).or_insert_with(|| Explanation::new(secret_id)).winner = Some(shown);
    }
    for NotChosen { candidate, reason, blocked_by } in resolution.not_chosen {
        let Some(secret) = show(candidate) else { continue };
        let secret_id = secret.name.secret_id.clone();
        let other = Other { secret, reason, blocked_by: blocked_by.and_then(name_of) };
        rows.entry(secret_id.clone()).or_insert_with(|| Explanation::new(secret_id)).not_chosen.push(other);
    }
    rows.into_values().collect()
}
