//! What the contexts of a scope inherit from broader ones.

use std::collections::{HashMap, HashSet};

use sea_orm::ConnectionTrait;
use secrets_core::authorize::{Listing, Resource};
use secrets_core::resolution::{NotChosenReason, resolve};
use secrets_core::{Context, Scope, ScopeKind, ScopeName, SecretName, Uid, right};

use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::secret::readable_scope::ReadableScope;
use crate::service::secret::view::SecretView;
use crate::store::{project, secret};

impl Service {
    /// The secrets of the scope and of the broader ones that reach it, each marked with who wins instead. Which win is decided
    /// over all of them; of broader scopes those are shown that the caller may list.
    pub(super) async fn with_inherited(
        &self,
        db: &impl ConnectionTrait,
        call: &Call,
        reading: &ReadableScope,
    ) -> Result<Vec<SecretView>, Error> {
        let place = &reading.place;
        let context = context_of(&place.resource);
        let scopes: Vec<Scope> = context.scopes().collect();
        let candidates = secret::candidates(db, context.organization, &scopes).await?;
        let resolution = resolve(&context, call.now, candidates.iter().map(|found| found.candidate()).collect());
        let hidden: HashSet<Uid> = resolution
            .not_chosen
            .iter()
            .filter(|other| other.reason == NotChosenReason::NotVisible)
            .map(|other| other.candidate.secret)
            .collect();
        let winners: HashMap<Uid, Uid> = resolution
            .not_chosen
            .iter()
            .filter_map(|other| Some((other.candidate.secret, other.blocked_by?)))
            .collect();

        let visible_scopes = self.visible_scopes(db, call, reading, &context).await?;
        let read_only = call.authorize::<right::WriteSecrets>(&place.resource).is_err();
        let mut shown = Vec::with_capacity(candidates.len());
        for current in candidates {
            let inherited = current.secret.scope != place.scope;
            if inherited && hidden.contains(&current.secret.uid) {
                continue;
            }
            let Some(lookout) = visible_scopes.iter().find(|lookout| lookout.place.scope == current.secret.scope)
            else {
                continue;
            };
            if let Some(secret) = lookout.shown(&lookout.place.name, current) {
                shown.push(SecretView { inherited, read_only: inherited || read_only, ..secret });
            }
        }
        let names: HashMap<Uid, SecretName> =
            shown.iter().map(|shown| (shown.current.secret.uid, shown.name.clone())).collect();
        for secret in &mut shown {
            // A winner that the caller may not see is not named.
            secret.shadowed_by = winners.get(&secret.current.secret.uid).and_then(|by| names.get(by).cloned());
        }
        Ok(shown)
    }

    /// The scopes of the context that the caller may look at.
    async fn visible_scopes(
        &self,
        db: &impl ConnectionTrait,
        call: &Call,
        reading: &ReadableScope,
        context: &Context,
    ) -> Result<Vec<ReadableScope>, Error> {
        let organization = &reading.place.organization;
        let at = |scope: Scope, name: ScopeName, resource: Resource| {
            let mut place = reading.place.clone();
            (place.scope, place.name, place.resource) = (scope, name, resource);
            place
        };
        let mut visible_scopes = vec![ReadableScope { place: reading.place.clone(), listing: reading.listing.clone() }];
        let whole = Resource::Organization(organization.uid);
        if reading.place.scope.kind != ScopeKind::Organization
            && let Ok(permit) = call.authorize::<right::ListSecrets>(&whole)
        {
            let name = ScopeName::Organization(organization.organization_id.clone());
            let place = at(Scope::new(ScopeKind::Organization, organization.uid), name, whole);
            visible_scopes.push(ReadableScope { place, listing: self.listing_of(db, call, &permit).await? });
        }
        if reading.place.scope.kind != ScopeKind::Project
            && let Some(project) = context.project
        {
            let resource = Resource::Project { organization: organization.uid, project };
            if call.authorize::<right::ListSecrets>(&resource).is_ok() {
                for row in project::by_uids(db, organization.uid, [project]).await? {
                    let name = ScopeName::Project(organization.organization_id.clone(), row.project_id);
                    let place = at(Scope::new(ScopeKind::Project, project), name, resource);
                    visible_scopes.push(ReadableScope { place, listing: Listing::All });
                }
            }
        }
        Ok(visible_scopes)
    }
}

/// The context that all contexts of the scope have in common.
fn context_of(resource: &Resource) -> Context {
    let mut context = Context {
        organization: resource.organization().unwrap_or_default(),
        project: None,
        workspace: None,
        user: None,
    };
    match *resource {
        Resource::Project { project, .. } => context.project = Some(project),
        Resource::Workspace { workspace, project, .. } => {
            context.workspace = Some(workspace);
            context.project = project;
        }
        Resource::User { user, .. } => context.user = Some(user),
        _ => {}
    }
    context
}
