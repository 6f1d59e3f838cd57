//! For whom a set of secrets is resolved.

use crate::Uid;
use crate::identifier::{OrganizationId, ProjectId, UserId, WorkspaceId};
use crate::resource_name::ScopeName;
use crate::scope::{Scope, ScopeKind};

/// A context as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextName {
    /// The organization; every context has one.
    pub organization: OrganizationId,
    /// The project, unless there is none or the workspace implies it.
    pub project: Option<ProjectId>,
    /// The workspace, if the work happens in one.
    pub workspace: Option<WorkspaceId>,
    /// The person for whom the work is done, if there is one.
    pub user: Option<UserId>,
}

impl ContextName {
    /// The context of an organization alone.
    pub const fn new(organization: OrganizationId) -> Self {
        Self { organization, project: None, workspace: None, user: None }
    }

    /// The names of the scopes that take part, the broadest first.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeName> {
        let organization = || self.organization.clone();
        [
            Some(ScopeName::Organization(organization())),
            self.project.clone().map(|project| ScopeName::Project(organization(), project)),
            self.workspace.clone().map(|workspace| ScopeName::Workspace(organization(), workspace)),
            self.user.clone().map(|user| ScopeName::User(organization(), user)),
        ]
        .into_iter()
        .flatten()
    }
}

/// A context that was located: its members exist, belong together, and the project that a workspace implies is filled
/// in. Whoever builds one has checked that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Context {
    /// The organization's uid.
    pub organization: Uid,
    /// The project's uid: the one named, or the one the workspace belongs to.
    pub project: Option<Uid>,
    /// The workspace's uid.
    pub workspace: Option<Uid>,
    /// The user's uid.
    pub user: Option<Uid>,
}

impl Context {
    /// The up to four scopes whose secrets are candidates, the broadest first.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + use<> {
        [
            Some(Scope::new(ScopeKind::Organization, self.organization)),
            self.project.map(|uid| Scope::new(ScopeKind::Project, uid)),
            self.workspace.map(|uid| Scope::new(ScopeKind::Workspace, uid)),
            self.user.map(|uid| Scope::new(ScopeKind::User, uid)),
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_scopes_it_has_broadest_first() {
        let [organization, project, workspace, user] = [1, 2, 3, 4].map(Uid::from_u128);
        let whole = Context { organization, project: Some(project), workspace: Some(workspace), user: Some(user) };
        assert_eq!(
            whole.scopes().collect::<Vec<_>>(),
            [
                Scope::new(ScopeKind::Organization, organization),
                Scope::new(ScopeKind::Project, project),
                Scope::new(ScopeKind::Workspace, workspace),
                Scope::new(ScopeKind::User, user),
            ]
        );
        let bare = Context { organization, project: None, workspace: None, user: Some(user) };
        assert_eq!(
            bare.scopes().map(|scope| scope.kind).collect::<Vec<_>>(),
            [ScopeKind::Organization, ScopeKind::User]
        );
    }

    #[test]
    fn names_the_scopes_it_has_broadest_first() {
        let mut context = ContextName::new("acme".parse().unwrap());
        context.workspace = Some("ws1".parse().unwrap());
        context.user = Some("bob".parse().unwrap());
        let names: Vec<_> = context.scopes().map(|scope| scope.to_string()).collect();
        assert_eq!(names, ["organizations/acme", "organizations/acme/workspaces/ws1", "organizations/acme/users/bob"]);
    }
}
