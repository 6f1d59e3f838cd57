//! Why a command was refused, as far as the person may know: which name, from where, which right is missing, who has it.
//!
//! Whoever may not know a name is told no more by the service, and sees the names that they may see instead. What is asked for
//! that is one call, whose failure changes nothing.

use secrets_client::{Answer, ClientError, Reason, v1};
use secrets_core::{
    AccountName, Action, CredentialKind, Entitlement, PrincipalName, ScopeKind, ScopeName, ServiceAccountName,
};
use tokio::time::{Instant, timeout_at};

use super::App;
use super::similar::{ASIDE_TIMEOUT, aside, suggestion};
use crate::ui::error::CliError;
use crate::ui::error::refusal::{Refusal, Resource};

/// What a session is told that asks for something else.
pub(super) const OF_SESSION: &str = "not allowed: a session receives the secrets of its own context, while whoever created it may, \
                                     and does nothing else";

/// How many bindings are looked through for those who may.
const MAX_BINDINGS: i32 = 1_000;
/// How many of them are named.
const MAX_NAMED: usize = 5;

impl App {
    /// The error of a command, in more words where the service refused or did not find something.
    pub(crate) async fn clarify(&self, error: CliError) -> CliError {
        let Some(answer) = error.answer() else { return error };
        match answer.reason {
            Some(Reason::PermissionDenied) => match Refusal::read(answer) {
                Some(refusal) => self.known(error, &refusal).await,
                None => self.unknown(error).await,
            },
            Some(Reason::ResourceNotFound) => match missing(&answer.message) {
                Some(Missing::Scope(scope)) => self.not_found(error, &scope).await,
                Some(Missing::ServiceAccount(name)) => {
                    let names = self.service_accounts(&name).await.unwrap_or_default();
                    error.or_hint(suggestion(name.id.as_str(), names))
                }
                None => error,
            },
            Some(Reason::SecretRequiredMissing) => {
                let missing = answer.metadata.get("secret_ids").cloned().unwrap_or_default();
                // Of several, the service names all.
                if missing.is_empty() || missing.contains(',') {
                    return error;
                }
                let why = self.left_out_or_meant(&missing).await;
                error.with_message(format!("this context gets no `{missing}`")).or_hint(why)
            }
            _ => match self.missing_in_selection(answer) {
                Some(scope) => {
                    let names = self.siblings(&scope).await.unwrap_or_default();
                    error.or_hint(suggestion(scope.id(), names))
                }
                None => error,
            },
        }
    }

    /// The project or workspace that a secret was to be limited to, and that is not there.
    fn missing_in_selection(&self, answer: &Answer) -> Option<ScopeName> {
        let organization = self.asked.borrow().scopes.last()?.organization().clone();
        let parent = ScopeName::Organization(organization);
        answer.violations.iter().find_map(|violation| {
            let part = match violation.field.as_str() {
                "secret.visibility.projects" => "projects",
                "secret.visibility.workspaces" => "workspaces",
                _ => return None,
            };
            format!("{parent}/{part}/{}", violation.description.split('`').nth(1)?).parse().ok()
        })
    }

    /// The right is missing, or a membership.
    pub(crate) async fn known(&self, error: CliError, refusal: &Refusal) -> CliError {
        if let Some((user, of)) = &refusal.non_member {
            return self.no_member(error, user, of).await;
        }
        if let Some(message) = self.listed_alone(refusal) {
            return error.with_message(message);
        }
        let Some(deed) = self.deed(refusal) else { return error };
        let who = self.who_may(refusal).await;
        let general = error.message().to_owned();
        let error = match who {
            Some(who) => error.with_message(format!("you may not {deed}: {who} may")),
            None => error.with_message(format!("you may not {deed} ({general})")),
        };
        match refusal.needs.contains(&Entitlement::AdminWithoutUser) {
            true => error,
            false => error.or_hint(Some("`secrets whoami` says who you are and which roles you have".to_owned())),
        }
    }

    /// A copy of what the person may list and does not receive themselves.
    fn listed_alone(&self, refusal: &Refusal) -> Option<String> {
        let asked = self.asked.borrow();
        let (secret, Resource::Scope(scope)) = (asked.secret.as_ref()?, &refusal.resource) else { return None };
        // Of a context its session may receive too, and no session copies.
        if refusal.permission != Action::ReceiveValues || refusal.needs.contains(&Entitlement::SessionOfContext) {
            return None;
        }
        let part = match scope {
            ScopeName::Organization(_) => "a project or workspace that it reaches",
            ScopeName::Workspace(..) => "it and in its project",
            _ => "it",
        };
        let on = self.as_written(scope);
        Some(format!("you may list `{secret}` of {on}, but only whoever takes part in {part} may receive it"))
    }

    async fn no_member(&self, error: CliError, user: &ScopeName, of: &ScopeName) -> CliError {
        // Who names no user is the user, also where their own secrets are meant.
        let is_own = !self.asked.borrow().scopes.contains(user) || !self.is_named(user);
        let who = if is_own { "you are".to_owned() } else { format!("user `{}` is", user.id()) };
        let admins = self.holders(of, v1::Role::Admin).await;
        let flag = match of {
            ScopeName::Project(_, id) => format!(" --project {id}"),
            ScopeName::Workspace(_, id) => format!(" --workspace {id}"),
            _ => String::new(),
        };
        let by = match (of, admins.is_empty()) {
            (ScopeName::Workspace(..), _) => "its owner".to_owned(),
            (_, true) => "its admins".to_owned(),
            (_, false) => format!("its admins ({})", admins.join(", ")),
        };
        let hint = format!("{by} can type `secrets member add {}{flag}`", user.id());
        error.with_message(format!("{who} not a member of {}", self.as_written(of))).or_hint(Some(hint))
    }

    /// What was wanted, in words.
    fn deed(&self, refusal: &Refusal) -> Option<String> {
        let asked = self.asked.borrow();
        let on = match &refusal.resource {
            Resource::Platform => "the platform".to_owned(),
            Resource::ServiceAccount(id) => format!("service account `{id}`"),
            Resource::Scope(scope) => self.as_written(scope),
        };
        let is_organization = matches!(refusal.resource, Resource::Scope(ScopeName::Organization(_)));
        Some(match (refusal.permission, &asked.secret) {
            (Action::ListSecrets, Some(secret)) => format!("see `{secret}` of {on}"),
            (Action::ListSecrets, None) => format!("see the secrets of {on}"),
            (Action::WriteSecrets, Some(secret)) => format!("change `{secret}` of {on}"),
            (Action::WriteSecrets, None) => format!("change the secrets of {on}"),
            (Action::ReceiveValues, _) => format!("receive the secrets of the context of {on}"),
            (Action::Explain, _) => format!("see the context of {on}"),
            (Action::CreateSession, _) => format!("create this session for {on}"),
            (Action::CreateToken, _) => format!("create a token of {on}"),
            (Action::ListTokens, _) => format!("see the tokens of {on}"),
            (Action::RevokeToken, _) => format!("revoke a token of {on}"),
            (Action::CreateOrganization, _) => "create an organization".to_owned(),
            (Action::UpdateOrganization, _) => format!("change {on}"),
            (Action::DeleteOrganization | Action::DeleteProject | Action::DeleteWorkspace, _) => format!("delete {on}"),
            (Action::CreateProject, _) => format!("create a project in {on}"),
            (Action::CreateWorkspace, _) => format!("create this workspace in {on}"),
            (Action::TransferWorkspace | Action::ReassignWorkspace, _) => format!("transfer {on}"),
            (Action::ManageUsers, _) if is_organization => format!("create a user in {on}"),
            (Action::ManageUsers, _) => format!("delete {on}"),
            (Action::InviteUser, _) => format!("invite {on}"),
            (Action::InviteAdmin | Action::RefuseAdmin, _) => format!("invite an administrator of {on}"),
            (Action::ListUsers, _) => format!("see the people of {on}"),
            (Action::ListServiceAccounts, _) => format!("see the service accounts of {on}"),
            (Action::ManageServiceAccounts, _) => format!("manage service accounts of {on}"),
            (Action::ListBindings, _) => format!("see who has which role on {on}"),
            (Action::Grant, _) => format!("give this role on {on}"),
            (Action::Revoke, _) => format!("take this role on {on} away"),
            (Action::ReadAudit, _) => format!("read the audit events of {on}"),
            _ => return None,
        })
    }

    /// Who has the right, by role, and by name where one call tells.
    async fn who_may(&self, refusal: &Refusal) -> Option<String> {
        let needs = |entitlement| refusal.needs.contains(&entitlement);
        let scope = match &refusal.resource {
            Resource::Scope(scope) => Some(scope),
            _ => None,
        };
        let mut who = Vec::new();
        if needs(Entitlement::Owner)
            && let Some(scope @ ScopeName::Workspace(..)) = scope
        {
            who.push(match self.owner(scope).await {
                Some(owner) => format!("its owner ({owner})"),
                None => "its owner".to_owned(),
            });
        }
        if needs(Entitlement::ProjectAdmin)
            && let Some(scope @ ScopeName::Project(..)) = scope
        {
            who.push(named("its admins", &self.holders(scope, v1::Role::Admin).await));
        }
        if needs(Entitlement::Admin) {
            let of = match scope {
                Some(ScopeName::Organization(_)) => "its admins",
                _ => "the admins of the organization",
            };
            // One call is enough.
            let names = match scope {
                Some(scope) if who.is_empty() => {
                    let organization = ScopeName::Organization(scope.organization().clone());
                    self.holders(&organization, v1::Role::Admin).await
                }
                _ => Vec::new(),
            };
            who.push(named(of, &names));
        }
        for (entitlement, words) in OTHERS {
            if needs(*entitlement) {
                who.push((*words).to_owned());
            }
        }
        (!who.is_empty()).then(|| any_of(&who))
    }

    /// Who holds a role there; empty if that is not to be known.
    async fn holders(&self, scope: &ScopeName, role: v1::Role) -> Vec<String> {
        let request =
            v1::ListBindingsRequest { parent: scope.to_string(), page_size: MAX_BINDINGS, ..Default::default() };
        let Ok(client) = self.client() else { return Vec::new() };
        let listed = aside(client.list_bindings(request)).await.unwrap_or_default().bindings;
        let holders =
            listed.into_iter().filter(|binding| binding.role() == role && binding.resource == scope.to_string());
        let mut names: Vec<_> = holders.filter_map(|binding| account(&binding.principal)).collect();
        names.sort();
        let more = names.len().saturating_sub(MAX_NAMED);
        names.truncate(MAX_NAMED);
        if more > 0 {
            names.push(format!("{more} more"));
        }
        names
    }

    async fn owner(&self, workspace: &ScopeName) -> Option<String> {
        let request = v1::GetWorkspaceRequest { name: workspace.to_string() };
        let owner = aside(self.client().ok()?.get_workspace(request)).await?.workspace?.owner;
        owner.parse::<secrets_core::UserId>().ok().map(|owner| owner.to_string())
    }

    /// Something is not to be known, or not there.
    async fn unknown(&self, error: CliError) -> CliError {
        let asked: Vec<ScopeName> = self.asked.borrow().scopes.clone();
        if self.credential_kind() == Some(CredentialKind::Session) {
            return error.with_message(OF_SESSION).or_hint(Some("`secrets whoami` shows its context".to_owned()));
        }
        let is_organization = |scope: &ScopeName| scope.kind() == ScopeKind::Organization;
        let mut named: Vec<_> = asked.iter().filter(|it| !is_organization(it) && self.is_named(it)).rev().collect();
        // What somebody is to have a role on is missing more often than they are.
        named.sort_by_key(|scope| scope.kind() == ScopeKind::User);
        // The organization is named only where nothing in it is.
        let organization = asked.last().map(|scope| ScopeName::Organization(scope.organization().clone()));
        if named.is_empty() {
            named.extend(organization.as_ref());
        }
        let mut unseen = Vec::new();
        let end = Instant::now() + ASIDE_TIMEOUT;
        for scope in &named {
            let names = timeout_at(end, self.siblings(scope)).await.ok().flatten();
            if names.as_ref().is_none_or(|names| !names.iter().any(|name| name == scope.id())) {
                unseen.push((*scope, names));
            }
        }
        let doubt = if unseen.is_empty() { "not allowed" } else { "not allowed, or there is none" };
        let message = format!("{}: {doubt}", self.joined(&in_question(&named, &unseen)));
        let hint = unseen.into_iter().find_map(|(scope, names)| suggestion(scope.id(), names?));
        error.with_message(message).or_hint(hint)
    }

    /// Several scopes in one phrase, each as the person wrote it.
    fn joined(&self, scopes: &[&ScopeName]) -> String {
        let mut phrase = String::new();
        let mut before: Option<ScopeKind> = None;
        for scope in scopes {
            let joint = match before {
                None => "",
                Some(kind) if kind == scope.kind() => " or ",
                Some(_) if scope.kind() == ScopeKind::User => " and ",
                Some(_) => " in ",
            };
            phrase.push_str(joint);
            phrase.push_str(&self.as_written(scope));
            before = Some(scope.kind());
        }
        phrase
    }

    /// A scope that the person may know to be absent.
    async fn not_found(&self, error: CliError, scope: &ScopeName) -> CliError {
        let message = format!("there is no {}", self.as_written(scope));
        let hint = match self.siblings(scope).await {
            Some(names) => suggestion(scope.id(), names),
            None => None,
        };
        error.with_message(message).or_hint(hint)
    }
}

/// Of the scopes that a refused call named, those that it can be about: what the caller sees is not what there is none of. A
/// project is named all the same behind a workspace, which may be another one's; and all are, where the caller sees all.
fn in_question<'a>(named: &[&'a ScopeName], unseen: &[(&'a ScopeName, Option<Vec<String>>)]) -> Vec<&'a ScopeName> {
    let is_unseen = |scope: &ScopeName| unseen.iter().any(|(other, _)| *other == scope);
    let has_workspace = unseen.iter().any(|(scope, _)| scope.kind() == ScopeKind::Workspace);
    let is_meant = |scope: &ScopeName| {
        unseen.is_empty() || is_unseen(scope) || (has_workspace && scope.kind() == ScopeKind::Project)
    };
    named.iter().copied().filter(|scope| is_meant(scope)).collect()
}

/// Who else has a right, in the words of the command line.
const OTHERS: &[(Entitlement, &str)] = &[
    (Entitlement::AdminWithoutOwner, "the admins of the organization (once its owner has left)"),
    (Entitlement::AdminWithoutUser, "the admins of the organization (with --without-user)"),
    (Entitlement::Operator, "the operator"),
    (Entitlement::Themselves, "that account itself"),
    (Entitlement::ProjectMember, "its members"),
    (Entitlement::WorkspaceMember, "its members"),
    (Entitlement::UserOfContext, "its members (for themselves)"),
    (Entitlement::ResolverOfContext, "a resolver (without a user)"),
    (Entitlement::DelegateForUser, "a delegate (for a user)"),
    (Entitlement::Auditor, "an auditor"),
    (Entitlement::Provisioner, "a provisioner"),
];

/// The error of a command that creates something under a name that is taken.
pub(crate) fn taken(error: ClientError, command: &str, noun: &str, id: &str) -> CliError {
    let is_taken = error.reason() == Some(Reason::AlreadyExists);
    let error = CliError::from(error);
    match is_taken {
        true => error
            .with_message(format!("{noun} `{id}` exists already"))
            .or_hint(Some(format!("choose another name, or see `secrets {command} list`"))),
        false => error,
    }
}

fn any_of(who: &[String]) -> String {
    match who.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn named(who: &str, names: &[String]) -> String {
    if names.is_empty() { who.to_owned() } else { format!("{who} ({})", names.join(", ")) }
}

/// An account without what its organization repeats; none for what is no account.
fn account(path: &str) -> Option<String> {
    match path.parse::<PrincipalName>().ok()? {
        PrincipalName::Account(AccountName::User(name)) => Some(name.user.to_string()),
        PrincipalName::Account(AccountName::ServiceAccount(ServiceAccountName { id, .. })) => {
            Some(format!("service:{id}"))
        }
        _ => None,
    }
}

/// What is not there.
#[derive(Debug, PartialEq, Eq)]
enum Missing {
    Scope(ScopeName),
    ServiceAccount(ServiceAccountName),
}

/// What is not there, as the service's sentence names it.
fn missing(sentence: &str) -> Option<Missing> {
    let name = sentence.strip_prefix("there is no ")?.split('`').nth(1)?;
    let scope = name.parse().map(Missing::Scope);
    scope.or_else(|_| name.parse().map(Missing::ServiceAccount)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_from_a_sentence_what_is_the_name_of_a_scope_or_account_alone() {
        let scope = missing("there is no project `organizations/acme/projects/web`");
        assert_eq!(scope, Some(Missing::Scope("organizations/acme/projects/web".parse().unwrap())));
        let account = missing("there is no service account `serviceAccounts/ci`");
        assert_eq!(account, Some(Missing::ServiceAccount("serviceAccounts/ci".parse().unwrap())));
        for sentence in ["", "there is no binding `organizations/acme/bindings/x`", "there is no project", "no `a`"] {
            assert_eq!(missing(sentence), None, "{sentence}");
        }
    }

    #[test]
    fn names_accounts_alone() {
        assert_eq!(account("organizations/acme/users/ann").as_deref(), Some("ann"));
        assert_eq!(account("serviceAccounts/ci").as_deref(), Some("service:ci"));
        assert_eq!(account("operator"), None);
        assert_eq!(account("ann\u{1b}[2J"), None);
    }
}
