//! Invitations: a person's way in. A code is made by an administrator and redeemed once for a personal token (`redemption.rs`).
//!
//! # Invariant
//!
//! While a code is open, its user has neither secrets nor another credential: inviting again ends all credentials of the
//! user, and is refused while there are secrets, unless it destroys them. So whoever holds a code, the administrator who made
//! it included, never gets at secrets that were somebody's before.

use std::time::Duration;

use secrets_core::{
    CredentialKind, OrganizationId, PrincipalKind, PrincipalRef, RoleResource, Scope, ScopeKind, ScopeName, Uid,
    UserId, right,
};
use zeroize::Zeroizing;

use crate::audit::Subject;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential, lifetime};
use crate::service::directory::organization::{DEFAULT_INVITATION_TTL, IssuedInvitation, MAX_INVITATION_TTL};
use crate::service::directory::user::end_credentials;
use crate::service::mutation::{Begun, IdempotencyKey, Mutation, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::credential::Origin;
use crate::store::secret::SecretQuery;
use crate::store::user::UserState;
use crate::store::{binding, secret, user, workspace};

/// What CreateInvitation is asked for.
pub struct NewInvitation {
    pub organization: OrganizationId,
    pub user: UserId,
    pub ttl: Option<Duration>,
    /// Whether to destroy the secrets the user has.
    pub destroy_secrets: bool,
}

impl Service {
    /// Invites a person: creates the user when there is none, and a code for their first login.
    pub async fn create_invitation(
        &self,
        call: &mut OpenCall,
        input: &NewInvitation,
        key: &IdempotencyKey<IssuedInvitation>,
    ) -> Result<MutationOutcome<IssuedInvitation>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &input.organization).await?;
        let within = organization.uid;
        let locked = self.lock(call, within).await?;
        let name = ScopeName::User(input.organization.clone(), input.user.clone());
        let located = self.locate_scope(locked.db(), call, &name).await?;
        let mut mutation = match locked.mutate::<right::InviteUser, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let ttl = lifetime("ttl", input.ttl, DEFAULT_INVITATION_TTL, MAX_INVITATION_TTL)?;
        let uid = if located.scope.uid.is_nil() {
            let row = self.add_user(mutation.db(), call, &organization, &input.user, String::new()).await?;
            mutation.bump(Scope::new(ScopeKind::Organization, within)).await?;
            row.uid
        } else {
            start_anew(&mut mutation, call, within, located.scope, input.destroy_secrets).await?;
            self.make_member(mutation.db(), call, within, located.scope.uid).await?;
            located.scope.uid
        };
        let new_credential = NewCredential {
            kind: CredentialKind::Invitation,
            organization: Some(within),
            principal: PrincipalRef { kind: PrincipalKind::User, uid },
            display_name: String::new(),
            origin: Origin::Issued,
            creator: Some(call.caller.credential),
            ttl: Some(ttl),
            ends_by: None,
            sign_in_end_time: None,
        };
        let CreatedCredential { token, row } =
            self.create_credential(mutation.db(), new_credential, call.now, |_| ()).await?;
        call.identify(Subject::new(within, &name, uid));
        // Shown to whoever invites, who hands it to the invited: this once.
        let code = Zeroizing::new(token.expose().to_owned());
        mutation
            .finish(call, key, IssuedInvitation { user: name.to_string(), code, expire_time: row.expire_time })
            .await
    }
}

/// Makes a user as they were before their first login: without credentials, without secrets of their own or of workspaces
/// they own, and, if they had come already, without a part in the workspaces of others, who knew somebody else.
async fn start_anew(
    mutation: &mut Mutation<'_, right::InviteUser>,
    call: &Call,
    organization: Uid,
    scope: Scope,
    destroy_secrets: bool,
) -> Result<(), Error> {
    let user = PrincipalRef { kind: PrincipalKind::User, uid: scope.uid };
    let owned = workspace::owned_by(mutation.db(), organization, user.uid).await?;
    let workspaces = owned.into_iter().map(|row| Scope::new(ScopeKind::Workspace, row.uid));
    for scope in [scope].into_iter().chain(workspaces) {
        let all = SecretQuery { show_deleted: true, ..SecretQuery::default() };
        if secret::count(mutation.db(), organization, scope, all).await? == 0 {
            continue;
        }
        if !destroy_secrets {
            let text = "the user has secrets, or owns a workspace that has; `destroy_secrets` destroys them, so that whoever \
                        redeems the code does not get them";
            return Err(Error::new(Reason::UserHasSecrets, text));
        }
        secret::purge_scope(mutation.db(), organization, scope).await?;
        mutation.bump(scope).await?;
    }
    end_credentials(mutation.db(), call, organization, user).await?;
    let row = user::by_uids(mutation.db(), organization, [user.uid]).await?.pop();
    if row.is_some_and(|row| row.state == UserState::Active) {
        for binding in binding::rows_of_principal(mutation.db(), user).await? {
            if let RoleResource::Workspace { .. } = binding.binding.resource {
                binding::delete(mutation.db(), Some(organization), binding.uid).await?;
            }
        }
        user::set_state(mutation.db(), organization, user.uid, UserState::Invited).await?;
    }
    mutation.bump(scope).await?;
    Ok(())
}
