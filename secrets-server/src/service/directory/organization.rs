//! Organizations: made with their data key and their first administrator's invitation, ended by destroying their data keys.

use std::time::Duration;

use secrets_core::authorize::{self, Action};
use secrets_core::limits::Limits;
use secrets_core::{
    AllowedReserved, Binding, CredentialKind, NamePolicy, OrganizationId, PrincipalKind, PrincipalRef, Resource, Role,
    RoleResource, RoleResourceName, Scope, ScopeKind, ScopeName, Timestamp, Uid, UserId, right,
};
use zeroize::Zeroizing;

use crate::audit::{Detail, Subject};
use crate::error::Error;
use crate::service::Service;
use crate::service::access::admin_invitation::{self, AdminInvitationView};
use crate::service::access::effects::Effects;
use crate::service::access::issued_invitation::{DEFAULT_INVITATION_TTL, IssuedInvitation, MAX_INVITATION_TTL};
use crate::service::create_credential::{NewCredential, lifetime};
use crate::service::locate::limits::{self, OwnLimits};
use crate::service::mutation::{Begun, Deleted, IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::binding::BindingRecord;
use crate::store::credential::Origin;
use crate::store::organization::Organization;
use crate::store::user::{User, UserState};
use crate::store::{PLATFORM, WriteTransaction, binding, credential, key, organization, revision, user};

/// What CreateOrganization is asked for.
pub struct NewOrganization {
    pub id: OrganizationId,
    /// For people.
    pub display_name: String,
    /// Which secret names are allowed.
    pub name_policy: NamePolicy,
    /// The limits it lowers.
    pub limits: OwnLimits,
    /// The reserved names and paths that its secrets may have.
    pub allowed_reserved: AllowedReserved,
    pub admin: UserId,
    /// How long the invitation can be redeemed.
    pub invitation_ttl: Option<Duration>,
}

/// A new organization and its administrator's way in.
pub struct CreatedOrganization {
    pub organization: Organization,
    pub limits: Limits,
    pub invitation: IssuedInvitation,
}

/// An organization with the limits in force.
#[derive(Clone, Debug)]
pub struct LimitedOrganization {
    pub row: Organization,
    pub limits: Limits,
    /// The operator's invitations of administrators within the last 30 days; of a single organization that was asked for.
    pub admin_invitations: Vec<AdminInvitationView>,
}

/// What UpdateOrganization is asked for; none keeps.
pub struct OrganizationUpdate {
    pub name: ScopeName,
    /// For people.
    pub display_name: Option<String>,
    /// Which secret names are allowed.
    pub name_policy: Option<NamePolicy>,
    /// The limits to set; those that are not among them stay.
    pub limits: OwnLimits,
    /// All the reserved names and paths that its secrets may have.
    pub allowed_reserved: Option<AllowedReserved>,
}

impl Service {
    /// Creates an organization, its data key, its first administrator and their invitation, all in one transaction.
    pub async fn create_organization(
        &self,
        call: &mut OpenCall,
        input: &NewOrganization,
        key: &IdempotencyKey<CreatedOrganization>,
    ) -> Result<MutationOutcome<CreatedOrganization>, Error> {
        let name = ScopeName::Organization(input.id.clone());
        let located = (Subject::new(None, name, None), Resource::Platform, RoleResourceName::Platform);
        let first = call.authorize::<right::CreateOrganization>(&located)?;
        let locked = self.lock(call, PLATFORM, first).await?;
        let mutation = match locked.mutate::<right::CreateOrganization, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let limits_text = limits::to_text(&self.limits, &input.limits)?;
        let limits = limits::parse(&self.limits, &limits_text)?;
        let ttl = lifetime("invitation_ttl", input.invitation_ttl, DEFAULT_INVITATION_TTL, MAX_INVITATION_TTL)?;

        let row = Organization {
            uid: self.uid()?,
            organization_id: input.id.clone(),
            display_name: input.display_name.clone(),
            name_policy: input.name_policy,
            limits: limits_text,
            allowed_reserved: input.allowed_reserved.clone(),
            create_time: call.now,
        };
        call.describe(Detail::allowed_reserved(&AllowedReserved::default(), &row.allowed_reserved));
        organization::insert(mutation.db(), &row).await?;
        self.keys.make_data_key(mutation.db(), row.uid, call.now).await?;
        let mut history = revision::start(mutation.db(), row.uid, self.uid()?).await?;

        let admin = User {
            uid: self.uid()?,
            organization: row.uid,
            user_id: input.admin.clone(),
            display_name: String::new(),
            state: UserState::Invited,
            create_time: call.now,
            delete_time: None,
            purge_time: None,
            recovery_time: None,
        };
        user::insert(mutation.db(), &admin).await?;
        let reference = PrincipalRef { kind: PrincipalKind::User, uid: admin.uid };
        let stored = BindingRecord {
            uid: self.uid()?,
            binding: Binding { principal: reference, role: Role::Admin, resource: RoleResource::Organization(row.uid) },
            create_time: call.now,
            creator: call.caller.name.to_string(),
        };
        binding::insert(mutation.db(), &stored).await?;
        let new_credential = NewCredential {
            kind: CredentialKind::Invitation,
            organization: Some(row.uid),
            principal: reference,
            display_name: String::new(),
            origin: Origin::Issued,
            creator: Some(call.caller.credential),
            ttl: Some(ttl),
            ends_by: None,
            sign_in_end_time: None,
        };
        let created = self.create_credential(mutation.db(), new_credential, call.now, |_| ()).await?;
        history.bump(mutation.db(), Scope::new(ScopeKind::Organization, row.uid), self.uid()?, call.now).await?;

        let invitation = IssuedInvitation {
            user: ScopeName::User(row.organization_id.clone(), admin.user_id.clone()).to_string(),
            // Shown to whoever invites, who hands it to the invited: this once.
            code: Zeroizing::new(created.token.expose().to_owned()),
            expire_time: created.row.expire_time,
            effects: Effects::default(),
        };
        mutation.finish(call, key, CreatedOrganization { organization: row, limits, invitation }).await
    }
    /// Returns an organization.
    pub async fn get_organization(&self, call: &mut OpenCall, name: ScopeName) -> Result<LimitedOrganization, Error> {
        let db = &self.read(call).await?;
        let located = self.locate_scope(db, call, &name).await?;
        call.require::<right::GetOrganization>(&located)?;
        let limits = self.limits_in(&located.organization)?;
        let admin_invitations = admin_invitation::recent(db, &located.organization, call.now).await?;
        Ok(LimitedOrganization { row: located.organization, limits, admin_invitations })
    }

    /// Lists the organizations that the caller may see.
    pub async fn list_organizations(
        &self,
        call: &mut OpenCall,
        page: Page,
    ) -> Result<Listed<LimitedOrganization>, Error> {
        let db = &self.read(call).await?;
        let subject = Subject::new(call.caller.organization_uid(), "organizations", None);
        call.require::<right::ListOrganizations>(&(subject, Resource::Platform))?;
        let shows = |uid: Uid| {
            let (caller, resource) = (&call.caller, Resource::Organization(uid));
            authorize::decide(&caller.principal, &caller.bindings, Action::GetOrganization, &resource).is_ok()
        };
        // Whoever sees an organization that nobody has a role in sees all.
        let total = if shows(Uid::nil()) { Some(organization::count(db).await?) } else { None };
        let own = call.caller.organization_uid();
        let fetch = |after: Option<OrganizationId>, limit| async move {
            match own {
                // Whoever belongs to one sees no other; there is no second page.
                Some(own) => Ok(organization::by_uid(db, own).await?.into_iter().collect()),
                None => organization::list(db, after.as_ref(), limit).await,
            }
        };
        let cursor = |row: &Organization| row.organization_id.clone();
        let listed = self.list_page(&page, &["organizations"], total, |row| shows(row.uid), cursor, fetch).await?;
        let mut rows = Vec::with_capacity(listed.rows.len());
        for row in listed.rows {
            rows.push(LimitedOrganization { limits: self.limits_in(&row)?, row, admin_invitations: Vec::new() });
        }
        Ok(Listed { rows, next_page_token: listed.next_page_token, total_size: listed.total_size })
    }

    /// Changes an organization's display name, name policy, limits or allowed reserved names.
    pub async fn update_organization(
        &self,
        call: &mut OpenCall,
        input: &OrganizationUpdate,
        key: &IdempotencyKey<LimitedOrganization>,
    ) -> Result<MutationOutcome<LimitedOrganization>, Error> {
        let located = self.locate_scope(self.store.reader(), call, &input.name).await?;
        let first = call.authorize::<right::UpdateOrganization>(&located)?;
        let locked = self.lock(call, located.organization.uid, first).await?;
        let located = self.locate_scope(locked.db(), call, &input.name).await?;
        let mut mutation = match locked.mutate::<right::UpdateOrganization, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        let mut row = located.organization;
        let before = row.clone();
        if let Some(display_name) = &input.display_name {
            row.display_name.clone_from(display_name);
        }
        row.name_policy = input.name_policy.unwrap_or(row.name_policy);
        if !input.limits.is_empty() {
            let mut own = limits::own(&row.limits)?;
            own.extend(&input.limits);
            row.limits = limits::to_text(&self.limits, &own)?;
        }
        if let Some(allowed) = &input.allowed_reserved {
            row.allowed_reserved.clone_from(allowed);
        }
        call.describe(Detail::allowed_reserved(&before.allowed_reserved, &row.allowed_reserved).with_changed([
            ("display_name", row.display_name != before.display_name),
            ("name_policy", row.name_policy != before.name_policy),
            ("limits", row.limits != before.limits),
            ("allowed_reserved", row.allowed_reserved != before.allowed_reserved),
        ]));
        organization::update(mutation.db(), &row).await?;
        mutation.bump(located.scope).await?;
        let limits = self.limits_in(&row)?;
        mutation.finish(call, key, LimitedOrganization { row, limits, admin_invitations: Vec::new() }).await
    }

    /// Deletes an organization: every credential ends, and its data keys are destroyed, so that nothing of it opens again.
    pub async fn delete_organization(
        &self,
        call: &mut OpenCall,
        name: &ScopeName,
        key: &IdempotencyKey<Deleted>,
    ) -> Result<MutationOutcome<Deleted>, Error> {
        // The platform's lock, so that a repeat finds its first result when the organization's own is out of reach.
        let located = |found: Option<Organization>| {
            let uid = found.map_or(Uid::nil(), |row| row.uid);
            (uid, (Subject::new(None, name, None), Resource::Organization(uid), name))
        };
        let (_, first) = located(organization::by_id(self.store.reader(), name.organization()).await?);
        let first = call.authorize::<right::DeleteOrganization>(&first)?;
        let locked = self.lock(call, PLATFORM, first).await?;
        let (uid, located) = located(organization::by_id(locked.db(), name.organization()).await?);
        let mutation = match locked.mutate::<right::DeleteOrganization, _>(call, &located, key).await? {
            Begun::Replayed(outcome) => return Ok(outcome),
            Begun::New(mutation) => mutation,
        };
        if uid.is_nil() {
            return Err(Error::not_found(format_args!("organization `{name}`")));
        }
        call.identify(Subject::new(uid, name, uid));
        self.end_organization(mutation.db(), uid, call.now).await?;
        let outcome = mutation.finish(call, key, Deleted).await?;
        self.note_deletion(uid, name.organization()).await;
        Ok(outcome)
    }

    /// Ends an organization that is there. Whoever is at work in it ends first, and whoever comes later finds it gone.
    pub(in crate::service) async fn end_organization(
        &self,
        db: &WriteTransaction,
        uid: Uid,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut history = revision::lock(db, uid)
            .await?
            .ok_or_else(|| Error::internal(format!("organization {uid} has no revision")))?;
        organization::delete(db, uid, now).await?;
        key::destroy_data_keys(db, uid).await?;
        credential::revoke_of_organization(db, uid, now).await?;
        history.bump(db, Scope::new(ScopeKind::Organization, uid), self.uid()?, now).await?;
        Ok(())
    }
}
