//! What the contexts of a scope inherit from broader ones.

use std::collections::{HashMap, HashSet};

use secrets_core::authorize::{Listing, Resource};
use secrets_core::resolution::{NotChosenReason, resolve};
use secrets_core::{Context, Scope, ScopeKind, ScopeName, SecretName, Uid, right};

use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::secret::readable_scope::ReadableScope;
use crate::service::secret::view::SecretView;
use crate::store::{KeyedConnection, project, secret};

impl Service {
    /// The secrets of the scope and of the broader ones that reach it, each marked with who wins instead. Which win is decided
    /// over all of them; of broader scopes those are shown that the caller may list.
    pub(super) async fn with_inherited(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        reading: &ReadableScope,
    ) -> Result<Vec<SecretView>, Error> {
        let located = &reading.located;
        let context = context_of(&located.resource);
        let scopes: Vec<Scope> = context.scopes().collect();
        let candidates = secret::candidates_in_pieces(db, context.organization, &scopes).await?;
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
        let read_only = call.permit::<right::WriteSecrets>(&located.resource).is_err();
        let mut shown = Vec::with_capacity(candidates.len());
        for current in candidates {
            let inherited = current.secret.scope != located.scope;
            if inherited && hidden.contains(&current.secret.uid) {
                continue;
            }
            let Some(visible) = visible_scopes.iter().find(|visible| visible.located.scope == current.secret.scope)
            else {
                continue;
            };
            if let Some(secret) = visible.shown(&visible.located.name, current) {
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
        db: &impl KeyedConnection,
        call: &Call,
        reading: &ReadableScope,
        context: &Context,
    ) -> Result<Vec<ReadableScope>, Error> {
        let organization = &reading.located.organization;
        let at = |scope: Scope, name: ScopeName, resource: Resource| {
            let mut located = reading.located.clone();
            (located.scope, located.name, located.resource) = (scope, name, resource);
            located
        };
        let mut visible_scopes =
            vec![ReadableScope { located: reading.located.clone(), listing: reading.listing.clone() }];
        let whole = Resource::Organization(organization.uid);
        if reading.located.scope.kind != ScopeKind::Organization
            && let Ok(permit) = call.permit::<right::ListSecrets>(&whole)
        {
            let name = ScopeName::Organization(organization.organization_id.clone());
            let located = at(Scope::new(ScopeKind::Organization, organization.uid), name, whole);
            visible_scopes.push(ReadableScope { located, listing: self.listing_of(db, call, &permit).await? });
        }
        if reading.located.scope.kind != ScopeKind::Project
            && let Some(project) = context.project
        {
            let resource = Resource::Project { organization: organization.uid, project };
            if call.permit::<right::ListSecrets>(&resource).is_ok() {
                for row in project::by_uids(db, organization.uid, [project]).await? {
                    let name = ScopeName::Project(organization.organization_id.clone(), row.project_id);
                    let located = at(Scope::new(ScopeKind::Project, project), name, resource);
                    visible_scopes.push(ReadableScope { located, listing: Listing::All });
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
