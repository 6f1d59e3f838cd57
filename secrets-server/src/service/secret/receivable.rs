//! Whether a caller may receive a secret's value: only then may a change say how that relates to another one. To anybody else
//! the answer would tell whether a guess is right.

use std::collections::{BTreeSet, HashSet};

use secrets_core::authorize::{Action, Entitlement, Permit, right};
use secrets_core::{
    Binding, Context, Principal, Resource, Role, RoleResource, Scope, ScopeKind, ScopeName, SecretName, Uid, Visibility,
};

use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::locate::LocatedScope;
use crate::service::{Service, refusal};
use crate::store::secret::{self, SecretWithVersion};
use crate::store::{KeyedConnection, workspace};

/// How many secrets are looked at before something else has the processor.
const JUDGED_AT_ONCE: usize = 32;

/// A context in which the caller may receive values.
pub(super) struct ReceivingContext {
    /// The evidence.
    pub permit: Permit<right::ReceiveValues>,
    context: Context,
}

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
        let receiving = self.receiving_contexts(db, call, located, [&current.secret.visibility]).await?;
        first_delivered(db, call, receiving, current).await
    }

    /// Which secrets of a scope have such a permit each: a few statements, however many they are.
    pub(super) async fn receivable(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        located: &LocatedScope,
        secrets: &[&SecretWithVersion],
    ) -> Result<BTreeSet<Uid>, Error> {
        let visibilities = secrets.iter().map(|each| &each.secret.visibility);
        let receiving = self.receiving_contexts(db, call, located, visibilities).await?;
        let scopes: Vec<_> = receiving
            .iter()
            .flat_map(|each| others(&each.context, located.scope))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let rivals = secret::claiming_any(db, located.organization.uid, &scopes, secrets).await?;
        let mut receivable = BTreeSet::new();
        for (index, current) in secrets.iter().enumerate() {
            if index % JUDGED_AT_ONCE == JUDGED_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let rivals = rivals.of(current);
            let reached = receiving.iter().filter(|each| current.secret.visibility.reaches(&each.context));
            let mut delivered = reached.filter(|each| is_delivered(call, &each.context, current, &rivals));
            if delivered.next().is_some() {
                receivable.insert(current.secret.uid);
            }
        }
        Ok(receivable)
    }

    /// The contexts with the caller in them, who may receive what they get, that have the scope and that a secret of one of these
    /// visibilities reaches. Whatever else a context names can only take the secret away.
    pub(super) async fn receiving_contexts(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        located: &LocatedScope,
        visibilities: impl IntoIterator<Item = &Visibility>,
    ) -> Result<Vec<ReceivingContext>, Error> {
        let visibilities: HashSet<_> = visibilities.into_iter().collect();
        let mut receiving = Vec::new();
        for resource in contexts(db, call, located, &visibilities).await? {
            let Resource::Context { context, .. } = resource else { continue };
            let has_scope = context.scopes().any(|scope| scope == located.scope);
            if has_scope
                && visibilities.iter().any(|visibility| visibility.reaches(&context))
                && let Ok(permit) = call.permit::<right::ReceiveValues>(&resource)
            {
                receiving.push(ReceivingContext { permit, context });
            }
        }
        Ok(receiving)
    }
}

/// The permit for the first of these contexts to which the secret is delivered. However many they are, what else claims what
/// the secret claims is read once.
pub(super) async fn first_delivered(
    db: &impl KeyedConnection,
    call: &Call,
    receiving: Vec<ReceivingContext>,
    current: &SecretWithVersion,
) -> Result<Option<Permit<right::ReceiveValues>>, Error> {
    let SecretWithVersion { secret, version } = current;
    let scopes: BTreeSet<_> = receiving.iter().flat_map(|each| others(&each.context, secret.scope)).collect();
    let mut rivals = Vec::new();
    if !scopes.is_empty() {
        let scopes: Vec<_> = scopes.into_iter().collect();
        let destination = version.target.destination(&secret.secret_id);
        let (id, group) = (&secret.secret_id, secret.group.as_ref());
        rivals = secret::claiming_evenly(db, secret.organization, &scopes, id, destination.as_ref(), group).await?;
    }
    let rivals: Vec<_> = rivals.iter().collect();
    let first = receiving.into_iter().find(|each| is_delivered(call, &each.context, current, &rivals));
    Ok(first.map(|each| each.permit))
}

/// The refusal of a caller who receives nothing of the scope: to whoever may list its secrets, with what they lack, or that there is
/// no such scope.
pub(super) fn receives_nothing(call: &Call, located: &LocatedScope) -> Error {
    if call.permit::<right::ListSecrets>(&located.resource).is_err() {
        return Error::denied();
    }
    if let Err(error) = located.must_exist() {
        return error;
    }
    let path = &located.name;
    let part = match located.resource {
        Resource::Workspace { project: Some(_), .. } => "in it and in its project",
        _ => "in it",
    };
    let text = format!("you may list the secrets of `{path}`, but only whoever takes part {part} may receive them");
    let error = only_listed(path, &text);
    let context = bare(call, located.organization.uid).and_then(|bare| narrowest(bare, located));
    let of = match context.and_then(|context| refusal::non_member_of::<right::ReceiveValues>(call, &context)) {
        Some(RoleResource::Organization(_)) => Some(ScopeName::Organization(path.organization().clone())),
        // The project of a workspace has another name, which nothing here has looked up.
        Some(RoleResource::Project { .. }) if matches!(path, ScopeName::Project(..)) => Some(path.clone()),
        Some(RoleResource::Workspace { .. }) => Some(path.clone()),
        _ => None,
    };
    match of {
        Some(of) => error.with("principal", call.caller.name.to_string()).with("not_member_of", of.to_string()),
        None => error,
    }
}

/// The refusal of a caller who may list this secret, and in whose contexts it is not.
pub(super) fn does_not_receive(name: &SecretName) -> Error {
    let text = format!("you may list `{name}`, but only whoever takes part in what it reaches may receive it");
    only_listed(&name.scope, &text)
}

fn only_listed(scope: &ScopeName, text: &str) -> Error {
    // No session copies.
    let needs = [Entitlement::UserOfContext.as_str(), Entitlement::ResolverOfContext.as_str()];
    Error::new(Reason::PermissionDenied, format!("permission denied: {text}"))
        .with("permission", Action::ReceiveValues.as_str())
        .with("resource", scope.to_string())
        .with("needs", needs.join(","))
}

/// Whether the caller resolves anything by a role.
pub(super) fn is_resolver(call: &Call) -> bool {
    resolver_bindings(call).next().is_some()
}

fn resolver_bindings(call: &Call) -> impl Iterator<Item = &Binding> {
    let own = call.caller.principal.reference();
    call.caller.bindings.iter().filter(move |binding| binding.principal == own && binding.role == Role::Resolver)
}

/// The contexts to ask about: those that name the scope, or what a visibility selects, and nothing more; of a program also those
/// where it is a resolver.
async fn contexts(
    db: &impl KeyedConnection,
    call: &Call,
    located: &LocatedScope,
    visibilities: &HashSet<&Visibility>,
) -> Result<Vec<Resource>, Error> {
    let organization = located.organization.uid;
    let Some(bare) = bare(call, organization) else { return Ok(Vec::new()) };
    let (mut projects, mut workspaces) = (BTreeSet::new(), BTreeSet::new());
    let mut contexts = match located.resource {
        Resource::Organization(_) => {
            for visibility in visibilities {
                if let Visibility::Selected { projects: selected, workspaces: selected_too } = visibility {
                    projects.extend(selected);
                    workspaces.extend(selected_too);
                }
            }
            let reaches_all = visibilities.contains(&Visibility::All);
            Vec::from_iter(narrowest(bare, located).filter(|_| reaches_all))
        }
        _ => match narrowest(bare, located) {
            Some(context) => vec![context],
            None => return Ok(Vec::new()),
        },
    };
    for binding in resolver_bindings(call) {
        match binding.resource {
            RoleResource::Project { project, .. } => drop(projects.insert(project)),
            RoleResource::Workspace { workspace, .. } => drop(workspaces.insert(workspace)),
            _ => {}
        }
    }
    let of_project = |project| Resource::Context { context: Context { project: Some(project), ..bare }, owner: None };
    contexts.extend(projects.into_iter().map(of_project));
    // For a resolver, whatever is selected: how many statements there are tells nothing of a secret that is hidden from it.
    if !workspaces.is_empty() || is_resolver(call) {
        workspaces.insert(Uid::nil());
        let rows = workspace::by_uids(db, organization, workspaces).await?;
        contexts.extend(rows.into_iter().map(|row| Resource::Context {
            context: Context { workspace: Some(row.uid), project: row.project, ..bare },
            owner: row.owner,
        }));
    }
    Ok(contexts)
}

/// The organization's context with the caller in it, if that is a person. Nothing is decided for a session or the operator.
fn bare(call: &Call, organization: Uid) -> Option<Context> {
    let user = match call.caller.principal {
        Principal::User { user, .. } => Some(user),
        Principal::ServiceAccount { .. } => None,
        Principal::Operator | Principal::Session { .. } => return None,
    };
    Some(Context { organization, project: None, workspace: None, user })
}

/// The context that names the scope and nothing more. A person's own scope is in no context but theirs.
fn narrowest(bare: Context, located: &LocatedScope) -> Option<Resource> {
    let (context, owner) = match located.resource {
        Resource::Organization(_) => (bare, None),
        Resource::Project { project, .. } => (Context { project: Some(project), ..bare }, None),
        Resource::Workspace { workspace, project, owner, .. } => {
            (Context { workspace: Some(workspace), project, ..bare }, owner)
        }
        Resource::User { user, .. } if bare.user == Some(user) => (bare, None),
        _ => return None,
    };
    Some(Resource::Context { context, owner })
}

/// The scopes of the context from which another secret may be delivered in the place of this one. What its user has there is
/// the caller's own, and they may remove it.
fn others(context: &Context, own: Scope) -> impl Iterator<Item = Scope> + use<> {
    context.scopes().filter(move |scope| *scope != own && scope.kind != ScopeKind::User)
}

/// Whether the secret wins in the context over those of `rivals` that are of its other scopes.
///
/// Only what claims something that the secret claims is looked at: where a lock in between is itself without effect, this says
/// no though Resolve would say yes.
fn is_delivered(call: &Call, context: &Context, current: &SecretWithVersion, rivals: &[&SecretWithVersion]) -> bool {
    let scopes: Vec<_> = others(context, current.secret.scope).collect();
    let mut candidates = vec![current.candidate()];
    candidates
        .extend(rivals.iter().filter(|rival| scopes.contains(&rival.secret.scope)).map(|rival| rival.candidate()));
    let resolution = secrets_core::resolve(context, call.now, candidates);
    resolution.winners.iter().any(|winner| winner.secret == current.secret.uid)
}
