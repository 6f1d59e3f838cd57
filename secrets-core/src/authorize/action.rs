//! What can be done.

/// One line an action: the variant of [`Action`], the type in [`right`] that stands for it, and its permission's name.
macro_rules! actions {
    ($($(#[$doc:meta])+ $action:ident => $word:literal,)+) => {
        /// Something that somebody wants to do to a [`Resource`](super::Resource).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$doc])+ $action,)+
        }

        crate::wire_enum::wire_enum!(Action, "permission", { $($action => $word),+ });

        /// The actions as types, for [`authorize`](super::authorize) and [`Permit`](super::Permit).
        pub mod right {
            $($(#[$doc])+ #[derive(Clone, Copy, Debug)] pub struct $action;)+
        }

        $(
            impl sealed::Sealed for right::$action {}

            impl Right for right::$action {
                const ACTION: Action = Action::$action;
            }
        )+
    };
}

/// An action as a type; the types are those in [`right`].
pub trait Right: sealed::Sealed {
    /// The same as a value.
    const ACTION: Action;
}

mod sealed {
    pub trait Sealed {}
}

actions! {
    /// See the metadata of a scope's secrets.
    ListSecrets => "secrets.list",
    /// Create, edit, delete and import a scope's secrets.
    WriteSecrets => "secrets.write",
    /// Receive the values of a context's set.
    ReceiveValues => "secrets.receive",
    /// See what a context's set is made of, and why.
    Explain => "secrets.explain",

    /// Create a session for a context.
    CreateSession => "sessions.create",
    /// Prolong a session; the resource is its context when it is the calling one.
    RenewSession => "sessions.renew",
    /// See a session; on an organization, ask for them.
    ListSessions => "sessions.list",
    /// End a session; the resource is its context when it is the calling one.
    RevokeSession => "sessions.revoke",

    /// Make a token for a user, a service account or, on the platform, the operator.
    CreateToken => "tokens.create",
    /// See the tokens of a user, a service account or the operator.
    ListTokens => "tokens.list",
    /// Revoke a token of a user, a service account or the operator.
    RevokeToken => "tokens.revoke",

    /// Ask for organizations.
    ListOrganizations => "organizations.list",
    /// Make an organization, with its first admin.
    CreateOrganization => "organizations.create",
    /// See an organization.
    GetOrganization => "organizations.get",
    /// Change an organization's name policy, limits or display name.
    UpdateOrganization => "organizations.update",
    /// Delete an organization and shred its secrets.
    DeleteOrganization => "organizations.delete",

    /// Ask for an organization's projects.
    ListProjects => "projects.list",
    /// See a project.
    GetProject => "projects.get",
    /// Make a project in an organization.
    CreateProject => "projects.create",
    /// Delete a project with its secrets.
    DeleteProject => "projects.delete",

    /// Ask for an organization's workspaces.
    ListWorkspaces => "workspaces.list",
    /// See a workspace.
    GetWorkspace => "workspaces.get",
    /// Make a workspace; the resource is what it will be, its owner included.
    CreateWorkspace => "workspaces.create",
    /// Delete a workspace with its secrets.
    DeleteWorkspace => "workspaces.delete",
    /// Give one's own workspace to another person.
    TransferWorkspace => "workspaces.transfer",
    /// Give a workspace whose owner has left to another person.
    ReassignWorkspace => "workspaces.reassign",

    /// Ask for an organization's users.
    ListUsers => "users.list",
    /// See a user.
    GetUser => "users.get",
    /// Make (on the organization) or delete a user.
    ManageUsers => "users.manage",
    /// Make a code for a user's first login.
    InviteUser => "users.invite",
    /// Make a code for an organization's administrator from outside.
    InviteAdmin => "admins.invite",
    /// Revoke such a code.
    RefuseAdmin => "admins.refuse",
    /// Ask for the service accounts of an organization or of the platform.
    ListServiceAccounts => "service_accounts.list",
    /// See a service account.
    GetServiceAccount => "service_accounts.get",
    /// Make (on the organization or the platform) or delete a service account.
    ManageServiceAccounts => "service_accounts.manage",

    /// See who has which role on a resource.
    ListBindings => "bindings.list",
    /// Give a role.
    Grant => "bindings.grant",
    /// Take a role away.
    Revoke => "bindings.revoke",

    /// Read the audit events of an organization, of a user's own secrets, or of the platform.
    ReadAudit => "audit.read",
    /// See the state of keys and rotate them.
    ManageKeys => "keys.manage",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_permission_once() {
        let names: std::collections::BTreeSet<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert_eq!(names.len(), Action::ALL.len());
        for action in Action::ALL {
            assert_eq!(action.as_str().parse::<Action>().as_ref(), Ok(action));
        }
    }

    #[test]
    fn has_a_type_for_each_action() {
        assert_eq!(right::WriteSecrets::ACTION, Action::WriteSecrets);
        assert_eq!(right::Grant::ACTION, Action::Grant);
    }
}
