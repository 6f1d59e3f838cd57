//! Invitations: a person's way in. A code is made by an administrator and redeemed once for a personal token (`redemption.rs`).
//!
//! # Invariant
//!
//! While a code is open, its user has neither secrets nor another credential: inviting again ends all credentials of the
//! user, and is refused while there are secrets, unless it destroys them. So whoever holds a code, the administrator who made
//! it included, never gets at secrets that were somebody's before.

use std::time::Duration;

use secrets_core::authorize::Right;
use secrets_core::{
    CredentialKind, OrganizationId, PrincipalKind, PrincipalRef, RoleResource, Scope, ScopeKind, ScopeName, Uid,
    UserId, right,
};
use zeroize::Zeroizing;

use super::effects::Effects;
use super::issued_invitation::{DEFAULT_INVITATION_TTL, IssuedInvitation, MAX_INVITATION_TTL};
use crate::audit::Subject;
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential, lifetime};
use crate::service::mutation::{Begun, IdempotencyKey, Mutation, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::credential::Origin;
use crate::store::secret::SecretQuery;
use crate::store::user::UserState;
use crate::store::{KeyedConnection, binding, secret, user, workspace};

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
        let name = ScopeName::User(input.organization.clone(), input.user.clone());
        let first = self.locate_scope(self.store.reader(), call, &name).await?;
        let first = call.authorize::<right::InviteUser>(&first)?;
        let locked = self.lock(call, within, first).await?;
        let located = self.locate_scope(locked.db(), call, &name).await?;
        let mut mutation = match locked.mutate::<right::InviteUser, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let ttl = lifetime("ttl", input.ttl, DEFAULT_INVITATION_TTL, MAX_INVITATION_TTL)?;
        let mut effects = Effects::default();
        let uid = if located.scope.uid.is_nil() {
            let row = self.add_user(mutation.db(), call, &organization, &input.user, String::new()).await?;
            mutation.bump(Scope::new(ScopeKind::Organization, within)).await?;
            row.uid
        } else {
            effects = start_anew(&mut mutation, call, located.scope, input.destroy_secrets, None).await?;
            self.make_member(mutation.db(), call, within, located.scope.uid).await?;
            located.scope.uid
        };
        let stored_effects = effects.to_text()?;
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
            self.create_credential(mutation.db(), new_credential, call.now, |row| row.effects = stored_effects).await?;
        call.identify(Subject::new(within, &name, uid));
        // Shown to whoever invites, who hands it to the invited: this once.
        let code = Zeroizing::new(token.expose().to_owned());
        mutation
            .finish(call, key, IssuedInvitation { user: name.to_string(), code, expire_time: row.expire_time, effects })
            .await
    }
}

/// Makes a user as they were before their first login: without credentials but `kept`, without secrets of their own or of
/// workspaces they own, and, if they had come already, without a part in the workspaces of others, who knew somebody else.
pub(super) async fn start_anew<A: Right>(
    mutation: &mut Mutation<'_, A>,
    call: &Call,
    scope: Scope,
    destroy_secrets: bool,
    kept: Option<Uid>,
) -> Result<Effects, Error> {
    let organization = mutation.organization();
    let user = PrincipalRef { kind: PrincipalKind::User, uid: scope.uid };
    let mut effects = Effects::default();
    for scope in own_scopes(mutation.db(), organization, scope).await? {
        let secrets = secret::count(mutation.db(), organization, scope, all_secrets()).await?;
        if secrets == 0 {
            continue;
        }
        if !destroy_secrets {
            return Err(user_has_secrets());
        }
        secret::purge_scope(mutation.db(), organization, scope).await?;
        mutation.bump(scope).await?;
        effects.destroyed_secrets += secrets;
    }
    effects.end_credentials(mutation.db(), call, organization, user, kept).await?;
    let row = user::by_uids(mutation.db(), organization, [user.uid]).await?.pop();
    if row.is_some_and(|row| row.state == UserState::Active) {
        for binding in binding::rows_of_principal(mutation.db(), user).await? {
            if let RoleResource::Workspace { .. } = binding.binding.resource {
                binding::delete(mutation.db(), Some(organization), binding.uid).await?;
                effects.left_workspaces += 1;
            }
        }
        user::set_state(mutation.db(), organization, user.uid, UserState::Invited).await?;
    }
    mutation.bump(scope).await?;
    Ok(effects)
}

/// Whether a user has secrets, or owns a workspace that has; deleted ones count.
pub(super) async fn has_secrets(db: &impl KeyedConnection, organization: Uid, user: Uid) -> Result<bool, Error> {
    for scope in own_scopes(db, organization, Scope::new(ScopeKind::User, user)).await? {
        if secret::count(db, organization, scope, all_secrets()).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn user_has_secrets() -> Error {
    let text = "the user has secrets, or owns a workspace that has; `destroy_secrets` destroys them, so that whoever redeems the \
                code does not get them";
    Error::new(Reason::UserHasSecrets, text)
}

/// The scopes whose secrets are the user's: their own, and those of the workspaces that they own.
async fn own_scopes(db: &impl KeyedConnection, organization: Uid, scope: Scope) -> Result<Vec<Scope>, Error> {
    let owned = workspace::owned_by(db, organization, scope.uid).await?;
    let workspaces = owned.into_iter().map(|row| Scope::new(ScopeKind::Workspace, row.uid));
    Ok([scope].into_iter().chain(workspaces).collect())
}

fn all_secrets() -> SecretQuery {
    SecretQuery { show_deleted: true, ..SecretQuery::default() }
}
