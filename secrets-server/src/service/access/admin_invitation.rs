//! The operator's way into an organization whose administrators are gone: an invitation that makes somebody an administrator.
//!
//! # Invariant
//!
//! While an administrator can sign in, such a code works only after 72 hours, in which any of them can revoke it. Until it is
//! redeemed it ends nothing, so that it brings about nothing that would shorten this; then the person starts anew, without secrets
//! of their own, as with every invitation. Every member is told for 30 days.

use std::cmp::Reverse;
use std::time::Duration;

use secrets_core::{
    AdminInvitationName, CredentialKind, OrganizationId, PrincipalKind, PrincipalRef, Resource, Role, Scope, ScopeKind,
    ScopeName, Timestamp, UserId, right,
};
use zeroize::Zeroizing;

use super::effects::Effects;
use super::invitation::{has_secrets, user_has_secrets};
use super::issued_invitation::{DEFAULT_INVITATION_TTL, IssuedInvitation, MAX_INVITATION_TTL};
use crate::audit::Subject;
use crate::error::Error;
use crate::service::Service;
use crate::service::create_credential::{CreatedCredential, NewCredential, lifetime};
use crate::service::mutation::{Begun, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::store::credential::{Credential, Origin};
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, binding, credential, user};

/// How long the code does not work yet, while an administrator can sign in.
const DELAY: Duration = Duration::from_secs(72 * 60 * 60);
/// How long every member is told.
const NOTICE_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many that were redeemed an answer names. Inviting once more does not push one of these off.
const MAX_REDEEMED: u64 = 100;
/// How many others it names. One of them is open at most, the newest.
const MAX_UNREDEEMED: u64 = 20;

/// What InviteAdmin is asked for.
pub struct NewAdminInvitation {
    pub organization: OrganizationId,
    pub user: UserId,
    /// How long the code can be redeemed once it works.
    pub ttl: Option<Duration>,
    /// Whether redeeming it may destroy the secrets that the user has.
    pub destroy_secrets: bool,
}

/// Such an invitation in words, without its code.
#[derive(Clone, Debug)]
pub struct AdminInvitationView {
    pub name: AdminInvitationName,
    /// Resource path of the invited user.
    pub user: String,
    pub row: Credential,
}

impl AdminInvitationView {
    fn new(organization: &OrganizationId, row: Credential) -> Self {
        let name = AdminInvitationName { organization: organization.clone(), uid: row.uid };
        // The invited user may be deleted since, and so the row has their identifier.
        let user = format!("organizations/{organization}/users/{}", row.display_name);
        Self { name, user, row }
    }
}

/// Such an invitation that was just made.
pub struct CreatedAdminInvitation {
    pub invitation: IssuedInvitation,
    pub view: AdminInvitationView,
}

impl Service {
    /// Invites somebody as an administrator, in place of those who were invited so before and have not come.
    pub async fn invite_admin(
        &self,
        call: &mut OpenCall,
        input: &NewAdminInvitation,
        key: &IdempotencyKey<CreatedAdminInvitation>,
    ) -> Result<MutationOutcome<CreatedAdminInvitation>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &input.organization).await?;
        let within = organization.uid;
        let name = ScopeName::User(input.organization.clone(), input.user.clone());
        let parent = ScopeName::Organization(input.organization.clone());
        let located = (Subject::new(within, &name, None), Resource::Organization(within), parent);
        let first = call.authorize::<right::InviteAdmin>(&located)?;
        let locked = self.lock(call, within, first).await?;
        let mut mutation = match locked.mutate::<right::InviteAdmin, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let ttl = lifetime("ttl", input.ttl, DEFAULT_INVITATION_TTL, MAX_INVITATION_TTL)?;
        let invited = match user::by_id(mutation.db(), within, &input.user).await? {
            Some(row) if !input.destroy_secrets && has_secrets(mutation.db(), within, row.uid).await? => {
                return Err(user_has_secrets());
            }
            Some(row) => row,
            None => self.add_user(mutation.db(), call, &organization, &input.user, String::new()).await?,
        };
        credential::revoke_admin_invitations(mutation.db(), within, call.now).await?;
        let admins = binding::admins(mutation.db(), within).await?;
        let delay = match credential::anybody_can_sign_in(mutation.db(), &admins, call.now).await? {
            true => DELAY,
            false => Duration::ZERO,
        };
        let new_credential = NewCredential {
            kind: CredentialKind::Invitation,
            organization: Some(within),
            principal: PrincipalRef { kind: PrincipalKind::User, uid: invited.uid },
            display_name: input.user.to_string(),
            origin: Origin::Issued,
            creator: Some(call.caller.credential),
            ttl: Some(delay + ttl),
            ends_by: None,
            sign_in_end_time: None,
        };
        let start_time = (!delay.is_zero()).then(|| call.now.saturating_add(delay));
        let CreatedCredential { token, row } = self
            .create_credential(mutation.db(), new_credential, call.now, |row| {
                row.granted_role = Some(Role::Admin);
                row.start_time = start_time;
            })
            .await?;
        mutation.bump(Scope::new(ScopeKind::Organization, within)).await?;
        call.identify(Subject::new(within, &name, invited.uid));
        let invitation = IssuedInvitation {
            user: name.to_string(),
            // Shown to the operator, who hands it to the invited: this once.
            code: Zeroizing::new(token.expose().to_owned()),
            expire_time: row.expire_time,
            effects: Effects::default(),
        };
        let view = AdminInvitationView::new(&input.organization, row);
        mutation.finish(call, key, CreatedAdminInvitation { invitation, view }).await
    }

    /// Ends such an invitation. One that was redeemed or had ended stays as it is.
    pub async fn refuse_admin(
        &self,
        call: &mut OpenCall,
        name: &AdminInvitationName,
        key: &IdempotencyKey<AdminInvitationView>,
    ) -> Result<MutationOutcome<AdminInvitationView>, Error> {
        let organization = self.locate_organization(self.store.reader(), call, &name.organization).await?;
        let within = organization.uid;
        let parent = ScopeName::Organization(name.organization.clone());
        let located = (Subject::new(within, name, name.uid), Resource::Organization(within), parent);
        let first = call.authorize::<right::RefuseAdmin>(&located)?;
        let locked = self.lock(call, within, first).await?;
        let mutation = match locked.mutate::<right::RefuseAdmin, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let found = credential::by_uid(mutation.db(), Some(within), name.uid).await?;
        let Some(mut row) = found.filter(|row| row.granted_role.is_some()) else {
            return Err(Error::not_found(format_args!("invitation `{name}`")));
        };
        if credential::revoke_alone(mutation.db(), Some(within), name.uid, call.now).await? {
            row.revoke_time = Some(call.now);
        }
        mutation.finish(call, key, AdminInvitationView::new(&name.organization, row)).await
    }
}

/// Those that every member is told of, the newest first.
pub(in crate::service) async fn recent(
    db: &impl KeyedConnection,
    organization: &Organization,
    now: Timestamp,
) -> Result<Vec<AdminInvitationView>, Error> {
    let since = now.saturating_sub(NOTICE_TIME);
    let mut rows = credential::redeemed_admin_invitations(db, organization.uid, since, MAX_REDEEMED).await?;
    rows.extend(credential::unredeemed_admin_invitations(db, organization.uid, since, MAX_UNREDEEMED).await?);
    rows.sort_by_key(|row| Reverse((row.create_time, row.uid)));
    Ok(rows.into_iter().map(|row| AdminInvitationView::new(&organization.organization_id, row)).collect())
}
