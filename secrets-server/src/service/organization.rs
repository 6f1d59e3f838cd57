//! Organizations: made with their data key and their first administrator's invitation.

use std::time::Duration;

use secrets_core::limits::Limits;
use secrets_core::{
    Binding, Level, NamePolicy, OrganizationId, PrincipalKind, PrincipalRef, Resource, Role, Scope, ScopeKind,
    Timestamp, UserId, right,
};
use zeroize::Zeroizing;

use super::change::{Done, Keep};
use super::mint::{Minting, lifetime};
use super::organization_limits::{self, OwnLimits};
use crate::app::App;
use crate::auth::token::TokenKind;
use crate::call::Call;
use crate::failure::Failure;
use crate::store::binding::BindingRow;
use crate::store::organization::OrganizationRow;
use crate::store::user::{UserRow, UserState};
use crate::store::{PLATFORM, binding, organization, revision, user};

/// How long an invitation can be redeemed, unless told otherwise.
pub const INVITATION_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long it can be at most.
pub const INVITATION_TTL_MOST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What CreateOrganization is asked for.
pub struct NewOrganization {
    /// Its identifier.
    pub id: OrganizationId,
    /// For people.
    pub display_name: String,
    /// Which secret names pass.
    pub name_policy: NamePolicy,
    /// The limits it lowers.
    pub limits: OwnLimits,
    /// Its first administrator.
    pub admin: UserId,
    /// How long the invitation can be redeemed.
    pub invitation_ttl: Option<Duration>,
}

/// A new organization and its administrator's way in.
pub struct CreatedOrganization {
    /// The organization.
    pub organization: OrganizationRow,
    /// The limits in force.
    pub limits: Limits,
    /// The administrator's invitation.
    pub invitation: IssuedInvitation,
}

/// An invitation that was just made.
pub struct IssuedInvitation {
    /// Resource path of the invited user.
    pub user: String,
    /// The code, shown once.
    pub code: Zeroizing<String>,
    /// Until when it can be redeemed.
    pub expire_time: Option<Timestamp>,
}

impl App {
    /// Creates an organization, its data key, its first administrator and their invitation, all in one transaction.
    pub async fn create_organization(
        &self,
        call: &Call,
        input: &NewOrganization,
        keep: &Keep<CreatedOrganization>,
    ) -> Result<Done<CreatedOrganization>, Failure> {
        call.about(None, format!("organizations/{}", input.id), None);
        let permit = call.authorize::<right::CreateOrganization>(&Resource::Platform)?;
        let change = self.begin(call, PLATFORM).await?;
        if let Some(done) = change.repeated(keep).await? {
            return Ok(done);
        }
        let limits_text = organization_limits::to_text(self.limits(), &input.limits)?;
        let limits = organization_limits::parse(self.limits(), &limits_text)?;
        let ttl = lifetime("invitation_ttl", input.invitation_ttl, INVITATION_TTL, INVITATION_TTL_MOST)?;

        let row = OrganizationRow {
            uid: self.uid()?,
            organization_id: input.id.clone(),
            display_name: input.display_name.clone(),
            name_policy: input.name_policy,
            limits: limits_text,
            create_time: call.now,
        };
        organization::insert(change.db(), &row).await?;
        self.keys().make_data_key(change.db(), row.uid, call.now).await?;
        let mut history = revision::start(change.db(), row.uid, self.uid()?).await?;

        let admin = UserRow {
            uid: self.uid()?,
            organization: row.uid,
            user_id: input.admin.clone(),
            display_name: String::new(),
            state: UserState::Invited,
            create_time: call.now,
            delete_time: None,
            purge_time: None,
        };
        user::insert(change.db(), &admin).await?;
        let reference = PrincipalRef { kind: PrincipalKind::User, uid: admin.uid };
        let stored = BindingRow {
            uid: self.uid()?,
            binding: Binding { principal: reference, role: Role::Admin, on: Level::Organization(row.uid) },
            create_time: call.now,
            creator: call.caller.name.clone(),
        };
        binding::insert(change.db(), &stored).await?;
        let minting = Minting {
            kind: TokenKind::Invitation,
            organization: Some(row.uid),
            principal: reference,
            display_name: String::new(),
            ttl: Some(ttl),
        };
        let minted = self.mint(change.db(), minting, call.now, |_| ()).await?;
        history.bump(change.db(), Scope::new(ScopeKind::Organization, row.uid), self.uid()?, call.now).await?;

        let invitation = IssuedInvitation {
            user: format!("organizations/{}/users/{}", row.organization_id, admin.user_id),
            // Shown to whoever invites, who hands it to the invited: this once.
            code: Zeroizing::new(minted.token.expose().to_owned()),
            expire_time: minted.row.expire_time,
        };
        change.finish(&permit, keep, CreatedOrganization { organization: row, limits, invitation }).await
    }
}
