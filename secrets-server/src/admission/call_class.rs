//! What each method is limited by.

use secrets_proto::Method;

/// Whether a call waits for its turn ([`super::HeavyTurns`]): what may read or write a whole scope, or the log.
pub fn is_heavy(method: Method) -> bool {
    matches!(
        method,
        Method::ImportSecrets
            | Method::Explain
            | Method::Watch
            | Method::ListSecrets
            | Method::ListSecretVersions
            | Method::ListOrganizations
            | Method::ListProjects
            | Method::ListWorkspaces
            | Method::ListUsers
            | Method::ListServiceAccounts
            | Method::ListBindings
            | Method::ListTokens
            | Method::ListSessions
            | Method::ListAuditEvents
            | Method::ListExposure
    )
}

/// What a call is limited by, apart from how many are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallClass {
    /// By nothing: what programs and their keepers ask all the time, and what reads a row or two. That it is answered matters
    /// more than how often it is asked.
    Unrated,
    /// By a rate: what writes, and what reads much.
    Rated,
    /// By a rate of its own, where a session renews itself: it lives on whatever the other sessions of its user do.
    Renewal,
    /// By how many are open: a stream.
    Watch,
}

impl CallClass {
    /// The class of a method. Each is named, so that a new one has to choose.
    pub fn new(method: Method) -> Self {
        match method {
            Method::Resolve
            | Method::WhoAmI
            | Method::TestPermissions
            | Method::GetSecret
            | Method::GetOrganization
            | Method::GetProject
            | Method::GetWorkspace
            | Method::GetUser
            | Method::GetServiceAccount
            | Method::GetSignInCode => Self::Unrated,

            Method::Explain
            | Method::ListSecrets
            | Method::ListSecretVersions
            | Method::ListOrganizations
            | Method::ListProjects
            | Method::ListWorkspaces
            | Method::ListUsers
            | Method::ListServiceAccounts
            | Method::ListBindings
            | Method::ListTokens
            | Method::ListSessions
            | Method::ListAuditEvents
            | Method::ListExposure
            | Method::CreateSecret
            | Method::UpdateSecret
            | Method::DeleteSecret
            | Method::UndeleteSecret
            | Method::RollbackSecret
            | Method::CopySecret
            | Method::MoveSecret
            | Method::DestroySecretVersion
            | Method::ImportSecrets
            | Method::CreateOrganization
            | Method::UpdateOrganization
            | Method::DeleteOrganization
            | Method::CreateProject
            | Method::DeleteProject
            | Method::CreateWorkspace
            | Method::DeleteWorkspace
            | Method::TransferWorkspace
            | Method::CreateUser
            | Method::DeleteUser
            | Method::CreateServiceAccount
            | Method::DeleteServiceAccount
            | Method::CreateBinding
            | Method::DeleteBinding
            | Method::CreateInvitation
            | Method::RedeemInvitation
            | Method::InviteAdmin
            | Method::RefuseAdmin
            | Method::CreateRecoveryCodes
            | Method::RedeemRecoveryCode
            | Method::CreateSignInCode
            | Method::RevokeSignInCode
            | Method::RedeemSignInCode
            | Method::CreateToken
            | Method::RevokeToken
            | Method::CreateSession
            | Method::RevokeSession => Self::Rated,

            Method::RenewSession => Self::Renewal,

            Method::Watch => Self::Watch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_writes_or_lists_has_a_rate_and_resolve_has_none() {
        for method in Method::ALL {
            let name = method.as_str().split_once('/').unwrap().1;
            let class = CallClass::new(method);
            if method.is_mutation() || name.starts_with("List") || name == "Explain" {
                assert!(matches!(class, CallClass::Rated | CallClass::Renewal), "{name}");
            }
            assert_eq!(class == CallClass::Watch, method.is_server_streaming(), "{name}");
            let reads_much = !method.is_mutation() && class != CallClass::Unrated;
            assert_eq!(is_heavy(method), reads_much || method == Method::ImportSecrets, "{name}");
        }
        assert_eq!(CallClass::new(Method::Resolve), CallClass::Unrated);
    }
}
