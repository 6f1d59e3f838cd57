//! Whether a caller may receive a secret's value: only then may a change say how that relates to another one. To anybody else
//! the answer would tell whether a guess is right.

use secrets_core::authorize::{Permit, right};
use secrets_core::{Context, Principal, Resource, Visibility};

use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::store::secret::{self, SecretWithVersion};
use crate::store::{KeyedConnection, workspace};

impl Service {
    /// The permit of a caller to whom Resolve would deliver this secret in a context of theirs, if they had none of their own in
    /// its place. Never of a session: it may receive, and decides nothing.
    pub(super) async fn may_receive(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        located: &LocatedScope,
        current: &SecretWithVersion,
    ) -> Result<Option<Permit<right::ReceiveValues>>, Error> {
        for resource in contexts(db, call, located, &current.secret.visibility).await? {
            let Ok(permit) = call.permit::<right::ReceiveValues>(&resource) else { continue };
            if let Resource::Context { context, .. } = resource
                && is_delivered(db, call, &context, current).await?
            {
                return Ok(Some(permit));
            }
        }
        Ok(None)
    }
}

/// The contexts with the caller in them that name the secret's scope and what it needs to be visible: whatever else a context
/// names can only take the secret away.
async fn contexts(
    db: &impl KeyedConnection,
    call: &Call,
    located: &LocatedScope,
    visibility: &Visibility,
) -> Result<Vec<Resource>, Error> {
    let organization = located.organization.uid;
    let user = match call.caller.principal {
        Principal::User { user, .. } => Some(user),
        Principal::ServiceAccount { .. } => None,
        Principal::Operator | Principal::Session { .. } => return Ok(Vec::new()),
    };
    let bare = Context { organization, project: None, workspace: None, user };
    let of_project = |project| Resource::Context { context: Context { project: Some(project), ..bare }, owner: None };
    let of_workspace = |workspace, project, owner| Resource::Context {
        context: Context { workspace: Some(workspace), project, ..bare },
        owner,
    };
    let contexts = match located.resource {
        Resource::Organization(_) => match visibility {
            Visibility::All => vec![Resource::Context { context: bare, owner: None }],
            Visibility::Selected { projects, workspaces } => {
                let mut contexts: Vec<_> = projects.iter().copied().map(of_project).collect();
                if !workspaces.is_empty() {
                    let rows = workspace::by_uids(db, organization, workspaces.iter().copied()).await?;
                    contexts.extend(rows.into_iter().map(|row| of_workspace(row.uid, row.project, row.owner)));
                }
                contexts
            }
        },
        Resource::Project { project, .. } => vec![of_project(project)],
        Resource::Workspace { workspace, project, owner, .. } => vec![of_workspace(workspace, project, owner)],
        Resource::User { user: of, .. } if user == Some(of) => vec![Resource::Context { context: bare, owner: None }],
        _ => Vec::new(),
    };
    Ok(contexts)
}

/// Whether the secret wins in the context over those of broader scopes. What could take its place otherwise is the caller's own,
/// and they may remove it.
///
/// Only what claims something that the secret claims is looked at: where a lock in between is itself without effect, this says
/// no though Resolve would say yes.
async fn is_delivered(
    db: &impl KeyedConnection,
    call: &Call,
    context: &Context,
    current: &SecretWithVersion,
) -> Result<bool, Error> {
    let SecretWithVersion { secret, version } = current;
    let broader: Vec<_> = context.scopes().filter(|scope| scope.kind < secret.scope.kind).collect();
    let mut candidates = vec![current.candidate()];
    if !broader.is_empty() {
        let destination = version.target.destination(&secret.secret_id);
        let (id, group) = (&secret.secret_id, secret.group.as_ref());
        let others = secret::claiming(db, secret.organization, &broader, id, destination.as_ref(), group).await?;
        candidates.extend(others.iter().map(SecretWithVersion::candidate));
    }
    let resolution = secrets_core::resolve(context, call.now, candidates);
    Ok(resolution.winners.iter().any(|winner| winner.secret == secret.uid))
}
