//! Who the caller is, and what they hold.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;

use secrets_core::{
    CredentialKind, OrganizationId, Principal, PrincipalKind, PrincipalName, ProjectId, RoleResource, ScopeName,
    Timestamp, TokenName, Uid, WorkspaceId,
};

use super::admin_invitation::{self, AdminInvitationView};
use super::binding::BindingView;
use super::recovery::RecoveryCodesView;
use super::resolver;
use crate::admission::{Consumer, ConsumerLimits};
use crate::audit::Subject;
use crate::auth::unknown_credential;
use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::open_call::OpenCall;
use crate::store::credential::Credential;
use crate::store::{KeyedConnection, binding, credential, organization, project, user, workspace};

/// What WhoAmI answers.
pub struct Whoami {
    /// Resource path of the principal.
    pub principal: String,
    pub kind: PrincipalKind,
    pub organization: Option<OrganizationId>,
    /// Its bindings; a session has none of its own.
    pub bindings: Vec<BindingView>,
    /// When the credential ends by itself.
    pub expire_time: Option<Timestamp>,
    /// Until when a session renews itself.
    pub renewal_end_time: Option<Timestamp>,
    /// Until when use extends a sign-in.
    pub sign_in_end_time: Option<Timestamp>,
    /// A person's recovery codes.
    pub recovery_codes: Option<RecoveryCodesView>,
    /// When one of them was used last.
    pub recovery_time: Option<Timestamp>,
    /// The resolvers that reach the caller's own workspaces.
    pub resolvers: Vec<BindingView>,
    /// The operator's invitations of administrators into the caller's organization within the last 30 days.
    pub admin_invitations: Vec<AdminInvitationView>,
    /// A session's context.
    pub context: Option<secrets_core::ContextName>,
    /// Resource path of the credential.
    pub credential: String,
    pub limits: CallerLimits,
    pub now: Timestamp,
}

/// How much the caller may take.
pub struct CallerLimits {
    /// Calls under way and a second, and open watches.
    pub consumer: ConsumerLimits,
    /// Live sessions that it created.
    pub sessions: NonZeroU32,
}

impl Service {
    /// Says who the caller is. Everybody may know that of themselves.
    pub async fn whoami(&self, call: &mut OpenCall) -> Result<Whoami, Error> {
        let db = &self.read(call).await?;
        let reference = call.caller.principal.reference();
        let uid = (reference.kind != PrincipalKind::Operator).then_some(reference.uid);
        call.identify(Subject::new(call.caller.organization_uid(), &call.caller.name, uid));
        let caller = &call.caller;
        let organization = caller.organization.as_ref();
        let id = organization.map(|own| own.id.clone());
        let credential = match &caller.name {
            PrincipalName::Session(name) => name.to_string(),
            _ => TokenName { organization: id.clone(), uid: caller.credential }.to_string(),
        };
        let own = credential::by_uid(db, caller.organization_uid(), caller.credential).await?;
        let own = own.ok_or_else(unknown_credential)?;
        let sign_in_end_time = own.sign_in_end_time;
        let limits = self.caller_limits(&own);
        let session = Some(own).filter(|row| row.kind == CredentialKind::Session);
        Ok(Whoami {
            principal: caller.name.to_string(),
            kind: reference.kind,
            organization: id,
            bindings: self.own_bindings(db, call).await?,
            expire_time: caller.expire_time,
            renewal_end_time: session.map(|row| self.renewal_end_time(&row)),
            sign_in_end_time,
            recovery_codes: self.own_recovery_codes(db, call).await?,
            recovery_time: recovery_time(db, call).await?,
            resolvers: resolver::of_owned_workspaces(db, call).await?,
            admin_invitations: admin_invitations(db, call).await?,
            context: caller.session.as_ref().map(|session| session.context.clone()),
            credential,
            limits,
            now: call.now,
        })
    }

    fn caller_limits(&self, own: &Credential) -> CallerLimits {
        let consumer = *self.admission.of(Consumer::new(own).key.class());
        let sessions = match own.kind {
            CredentialKind::Session => self.admission.sessions_per_session,
            _ => consumer.sessions,
        };
        CallerLimits { consumer, sessions }
    }

    /// The bindings of the caller, wherever they are; those on what is gone are left out.
    async fn own_bindings(&self, db: &impl KeyedConnection, call: &Call) -> Result<Vec<BindingView>, Error> {
        if call.caller.principal.account().is_none() {
            return Ok(Vec::new());
        }
        let rows = binding::rows_of_principal(db, call.caller.principal.reference()).await?;
        let mut names = RoleResourceNames::default();
        for organization in rows.iter().filter_map(|row| row.binding.resource.organization()).collect::<BTreeSet<_>>() {
            let Some(row) = organization::by_uid(db, organization).await? else { continue };
            let within = rows.iter().filter(|row| row.binding.resource.organization() == Some(organization));
            let below = within.map(|row| row.binding.resource.uid()).collect::<Vec<_>>();
            for row in project::by_uids(db, organization, below.iter().copied()).await? {
                names.projects.insert(row.uid, row.project_id);
            }
            for row in workspace::by_uids(db, organization, below).await? {
                names.workspaces.insert(row.uid, row.workspace_id);
            }
            names.organizations.insert(organization, row.organization_id);
        }
        let named = rows.into_iter().filter_map(|row| {
            let resource = names.name(row.binding.resource)?;
            Some(BindingView::new(row, resource, call.caller.name.to_string()))
        });
        Ok(named.collect())
    }
}

/// What every member of an organization is told: who the operator has invited to administer it.
async fn admin_invitations(db: &impl KeyedConnection, call: &Call) -> Result<Vec<AdminInvitationView>, Error> {
    let Some(own) = call.caller.organization.as_ref().filter(|_| call.caller.session.is_none()) else {
        return Ok(Vec::new());
    };
    match organization::by_uid(db, own.uid).await? {
        Some(row) => admin_invitation::recent(db, &row, call.now).await,
        None => Ok(Vec::new()),
    }
}

/// When a recovery code of the calling person was used last.
async fn recovery_time(db: &impl KeyedConnection, call: &Call) -> Result<Option<Timestamp>, Error> {
    let Principal::User { organization, user } = call.caller.principal else { return Ok(None) };
    Ok(user::by_uids(db, organization, [user]).await?.pop().and_then(|row| row.recovery_time))
}

/// The identifiers of what roles are held on.
#[derive(Default)]
struct RoleResourceNames {
    organizations: HashMap<Uid, OrganizationId>,
    projects: HashMap<Uid, ProjectId>,
    workspaces: HashMap<Uid, WorkspaceId>,
}

impl RoleResourceNames {
    fn name(&self, role_resource: RoleResource) -> Option<String> {
        let organization = role_resource.organization().and_then(|uid| self.organizations.get(&uid));
        match (role_resource, organization) {
            (RoleResource::Platform, _) => Some("platform".to_owned()),
            (_, None) => None,
            (RoleResource::Organization(_), Some(id)) => Some(ScopeName::Organization(id.clone()).to_string()),
            (RoleResource::Project { project, .. }, Some(id)) => {
                self.projects.get(&project).map(|project| ScopeName::Project(id.clone(), project.clone()).to_string())
            }
            (RoleResource::Workspace { workspace, .. }, Some(id)) => {
                let name = |workspace: &WorkspaceId| ScopeName::Workspace(id.clone(), workspace.clone()).to_string();
                self.workspaces.get(&workspace).map(name)
            }
        }
    }
}
