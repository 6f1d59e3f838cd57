//! Whether a caller may receive a secret's value: only then may a change say how that relates to another one. To anybody else
//! the answer would tell whether a guess is right.

use std::collections::{BTreeSet, HashSet};

use secrets_core::authorize::{Action, Entitlement, Permit, right};
use secrets_core::resolution::Candidate;
use secrets_core::{
    Binding, Context, Principal, Resource, Role, RoleResource, Scope, ScopeKind, ScopeName, SecretName, Timestamp, Uid,
    Visibility,
};

use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::locate::LocatedScope;
use crate::service::{Service, refusal};
use crate::store::KeyedConnection;
use crate::store::secret::{self, MAX_CLAIMING_PER_STATEMENT, SecretWithVersion};
use crate::store::workspace::{self, Workspace};

/// How many contexts, or selections, are looked at before something else has the processor.
const LOOKED_AT_ONCE: usize = 32;
/// How many projects there may be whose contexts are looked at, and how many workspaces.
const MAX_CONTEXTS: usize = 8_000;
/// How much work one question about many secrets may be: about half a second of a processor, which an import spends while others
/// wait for its lock. A context that is looked at for a secret counts as one, a secret that is judged in one as [`JUDGED`].
///
/// Beyond it the remaining secrets are such as the caller may not receive: an import takes each of their values for another one,
/// and never for the same. Reached only where hundreds of secrets are asked about in thousands of contexts.
const MAX_WORK: usize = 2_000_000;
const JUDGED: usize = 16;
/// After how much of it something else has the processor.
const WORK_AT_ONCE: usize = 8_192;

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
        let receiving = self.receiving_contexts(db, call, located, &[&current.secret.visibility]).await?;
        first_delivered(db, call, receiving, current).await
    }

    /// Which secrets of a scope have such a permit each: a few statements, however many they are. Of more than can be judged in
    /// [`MAX_WORK`], some are left out.
    pub(super) async fn receivable(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        located: &LocatedScope,
        secrets: &[&SecretWithVersion],
    ) -> Result<BTreeSet<Uid>, Error> {
        let mut secrets: Vec<_> =
            secrets.iter().filter(|each| serves(each, call.now)).map(|each| each.candidate()).collect();
        // So that the same ones are left out under the lock as before it.
        secrets.sort_unstable_by_key(|each| each.secret);
        let visibilities: Vec<_> = secrets.iter().map(|each| &each.visibility).collect();
        let receiving = self.receiving_contexts(db, call, located, &visibilities).await?;
        let scopes = other_scopes(&receiving, located.scope);
        let mut receivable = BTreeSet::new();
        let (mut work, mut next_turn) = (0, WORK_AT_ONCE);
        for some in secrets.chunks(MAX_CLAIMING_PER_STATEMENT) {
            let Some(rivals) = secret::claiming_any(db, located.organization.uid, &scopes, some).await? else { break };
            for current in some {
                for ReceivingContext { context, .. } in &receiving {
                    work += 1;
                    if work >= next_turn {
                        if work > MAX_WORK {
                            return Ok(receivable);
                        }
                        next_turn = work + WORK_AT_ONCE;
                        tokio::task::yield_now().await;
                    }
                    if !current.visibility.reaches(context) {
                        continue;
                    }
                    let rivals = rivals.of(current, others(context, located.scope));
                    work += JUDGED * (rivals.len() + 1);
                    if is_delivered(call, context, current, &rivals) {
                        receivable.insert(current.secret);
                        break;
                    }
                }
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
        visibilities: &[&Visibility],
    ) -> Result<Vec<ReceivingContext>, Error> {
        let reach = Reach::of(visibilities).await;
        let mut receiving = Vec::new();
        for (index, resource) in contexts(db, call, located, &reach).await?.into_iter().enumerate() {
            if index % LOOKED_AT_ONCE == LOOKED_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let Resource::Context { context, .. } = resource else { continue };
            let has_scope = context.scopes().any(|scope| scope == located.scope);
            if has_scope
                && reach.has(&context)
                && let Ok(permit) = call.permit::<right::ReceiveValues>(&resource)
            {
                receiving.push(ReceivingContext { permit, context });
            }
        }
        Ok(receiving)
    }
}

/// What the visibilities of some secrets come to together.
#[derive(Default)]
struct Reach {
    everything: bool,
    projects: HashSet<Uid>,
    workspaces: HashSet<Uid>,
}

impl Reach {
    async fn of(visibilities: &[&Visibility]) -> Self {
        let mut reach = Self::default();
        for (index, visibility) in visibilities.iter().enumerate() {
            if index % LOOKED_AT_ONCE == LOOKED_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            match visibility {
                Visibility::All => reach.everything = true,
                Visibility::Selected { projects, workspaces } => {
                    reach.projects.extend(projects);
                    reach.workspaces.extend(workspaces);
                }
            }
        }
        reach
    }

    /// Whether one of them reaches the context.
    fn has(&self, context: &Context) -> bool {
        self.everything
            || context.project.is_some_and(|project| self.projects.contains(&project))
            || context.workspace.is_some_and(|workspace| self.workspaces.contains(&workspace))
    }
}

/// The permit for the first of these contexts to which the secret is delivered. However many they are, what else claims what
/// the secret claims is read once; where that is too much, it counts as delivered in the secret's place.
pub(super) async fn first_delivered(
    db: &impl KeyedConnection,
    call: &Call,
    receiving: Vec<ReceivingContext>,
    current: &SecretWithVersion,
) -> Result<Option<Permit<right::ReceiveValues>>, Error> {
    let scopes = other_scopes(&receiving, current.secret.scope);
    let candidates = [current.candidate()];
    let rivals = secret::claiming_any(db, current.secret.organization, &scopes, &candidates).await?;
    // After that, so that what does not serve takes as many statements.
    let (Some(rivals), [candidate], true) = (rivals, &candidates, serves(current, call.now)) else { return Ok(None) };
    let mut work = 0;
    for ReceivingContext { permit, context } in receiving {
        let rivals = rivals.of(candidate, others(&context, candidate.scope));
        work += JUDGED * (rivals.len() + 1);
        if is_delivered(call, &context, candidate, &rivals) {
            return Ok(Some(permit));
        }
        if work > MAX_WORK {
            break;
        }
        tokio::task::consume_budget().await;
    }
    Ok(None)
}

/// Whether it can be delivered at all.
fn serves(SecretWithVersion { secret, .. }: &SecretWithVersion, now: Timestamp) -> bool {
    !secret.disabled && secret.expire_time.is_none_or(|end| now < end)
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
/// where it is a resolver. What is selected and where the caller has no role, which then can't receive there, is left out.
async fn contexts(
    db: &impl KeyedConnection,
    call: &Call,
    located: &LocatedScope,
    reach: &Reach,
) -> Result<Vec<Resource>, Error> {
    let organization = located.organization.uid;
    let Some(bare) = bare(call, organization) else { return Ok(Vec::new()) };
    let mut contexts = match located.resource {
        Resource::Organization(_) => Vec::from_iter(narrowest(bare, located).filter(|_| reach.everything)),
        _ => match narrowest(bare, located) {
            Some(context) => vec![context],
            None => return Ok(Vec::new()),
        },
    };
    let roles = Roles::of(call, organization);
    let projects: BTreeSet<_> = roles.projects_of(&reach.projects).take(MAX_CONTEXTS).collect();
    let of_project = |project| Resource::Context { context: Context { project: Some(project), ..bare }, owner: None };
    contexts.extend(projects.into_iter().map(of_project));
    // For a resolver, whatever is selected: how many statements there are tells nothing of a secret that is hidden from it.
    if !reach.workspaces.is_empty() || is_resolver(call) {
        let is_of_them = |workspace: &Uid| reach.workspaces.contains(workspace) || roles.resolves_in(workspace);
        let mut rows = match bare.user {
            Some(user) => {
                let members = roles.workspaces.intersection(&reach.workspaces).copied();
                workspace::owned_by_or_among(db, organization, user, members).await?
            }
            None => {
                let resolved = roles.workspaces.iter().filter(|workspace| roles.resolves_in(workspace));
                let uids: BTreeSet<_> = resolved.chain(&reach.workspaces).take(MAX_CONTEXTS).copied().collect();
                workspace::by_uids(db, organization, uids).await?
            }
        };
        rows.retain(|row| is_of_them(&row.uid) && roles.may_receive_in(row));
        rows.truncate(MAX_CONTEXTS);
        contexts.extend(rows.into_iter().map(|row| Resource::Context {
            context: Context { workspace: Some(row.uid), project: row.project, ..bare },
            owner: row.owner,
        }));
    }
    Ok(contexts)
}

/// Where in the organization a caller has roles by which they could receive. Which of these counts, the policy decides.
struct Roles {
    user: Option<Uid>,
    /// A program that resolves everywhere in the organization.
    everywhere: bool,
    projects: HashSet<Uid>,
    workspaces: HashSet<Uid>,
}

impl Roles {
    /// A person's membership, or where a program resolves.
    fn of(call: &Call, organization: Uid) -> Self {
        let own = call.caller.principal.reference();
        let user = match call.caller.principal {
            Principal::User { user, .. } => Some(user),
            _ => None,
        };
        let mut roles = Self { user, everywhere: false, projects: HashSet::new(), workspaces: HashSet::new() };
        for binding in call.caller.bindings.iter().filter(|binding| binding.principal == own) {
            let receives = user.is_some() || binding.role == Role::Resolver;
            match binding.resource {
                RoleResource::Organization(of) => roles.everywhere |= user.is_none() && receives && of == organization,
                RoleResource::Project { project, .. } if receives => drop(roles.projects.insert(project)),
                RoleResource::Workspace { workspace, .. } if receives => drop(roles.workspaces.insert(workspace)),
                _ => {}
            }
        }
        roles
    }

    /// Those of the selected projects that matter; of a program also those where it is a resolver, and these first.
    fn projects_of<'a>(&'a self, selected: &'a HashSet<Uid>) -> impl Iterator<Item = Uid> + 'a {
        let own = self.projects.iter().filter(move |project| self.user.is_none() || selected.contains(project));
        own.chain(selected.iter().filter(|_| self.everywhere)).copied()
    }

    /// Whether a program resolves in this workspace by a role there.
    fn resolves_in(&self, workspace: &Uid) -> bool {
        self.user.is_none() && self.workspaces.contains(workspace)
    }

    fn may_receive_in(&self, row: &Workspace) -> bool {
        let is_owned = self.user.is_some() && row.owner == self.user;
        // A program that resolves in a project does so in its workspaces; a member of one takes part in no workspace by that.
        let by_project = self.user.is_none() && row.project.is_some_and(|project| self.projects.contains(&project));
        self.everywhere || is_owned || by_project || self.workspaces.contains(&row.uid)
    }
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

fn other_scopes(receiving: &[ReceivingContext], own: Scope) -> Vec<Scope> {
    receiving.iter().flat_map(|each| others(&each.context, own)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether the secret wins in the context over `rivals`, which are of its other scopes.
///
/// Only what claims something that the secret claims is looked at: where a lock in between is itself without effect, this says
/// no though Resolve would say yes.
fn is_delivered(call: &Call, context: &Context, current: &Candidate, rivals: &[&Candidate]) -> bool {
    let candidates = std::iter::once(current).chain(rivals.iter().copied()).cloned().collect();
    let resolution = secrets_core::resolve(context, call.now, candidates);
    resolution.winners.iter().any(|winner| winner.secret == current.secret)
}
