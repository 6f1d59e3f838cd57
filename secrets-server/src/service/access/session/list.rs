//! Which sessions there are, as far as the caller may see them.

use std::collections::HashMap;

use secrets_core::authorize::{self, Action};
use secrets_core::{
    ContextName, CredentialKind, OrganizationId, ProjectId, ScopeName, Timestamp, Uid, UserId, WorkspaceId, right,
};

use super::{SessionView, nobodys_session, session_resource};
use crate::auth::restrictions;
use crate::error::Error;
use crate::service::Service;
use crate::service::access::credential::Cursor;
use crate::service::locate::account::AccountNames;
use crate::service::open_call::OpenCall;
use crate::service::page::Page;
use crate::service::page::list::Listed;
use crate::store::credential::{Credential, CredentialFilter};
use crate::store::organization::Organization;
use crate::store::{KeyedConnection, credential, project, user, workspace};

/// Which sessions to list.
pub struct SessionQuery {
    pub organization: OrganizationId,
    /// Only those with this external identifier; empty: any.
    pub external_id: String,
    /// Also those that have ended.
    pub show_ended: bool,
    pub page: Page,
}

impl Service {
    /// Lists the sessions that the caller may see: an administrator all, others those they created or that serve them.
    pub async fn list_sessions(&self, call: &mut OpenCall, query: SessionQuery) -> Result<Listed<SessionView>, Error> {
        let db = &self.read(call).await?;
        let parent = self.locate_scope(db, call, &ScopeName::Organization(query.organization.clone())).await?;
        call.require::<right::ListSessions>(&parent)?;
        let organization = &parent.organization;
        let filter = &CredentialFilter {
            kinds: vec![CredentialKind::Session],
            external_id: (!query.external_id.is_empty()).then(|| query.external_id.clone()),
            live_at: (!query.show_ended).then_some(call.now),
            ..CredentialFilter::default()
        };
        let shows = |row: &Credential| {
            let resource = session_resource(call, organization.uid, row);
            authorize::decide(&call.caller.principal, &call.caller.bindings, Action::ListSessions, &resource).is_ok()
        };
        // Whoever sees a session that nobody created for nobody sees all.
        let nobodys = nobodys_session(organization.uid);
        let sees_all =
            authorize::decide(&call.caller.principal, &call.caller.bindings, Action::ListSessions, &nobodys).is_ok();
        let total = match sees_all {
            true => Some(credential::count(db, Some(organization.uid), filter).await?),
            false => None,
        };
        let fetch = |after: Option<Cursor>, limit| async move {
            credential::list(db, Some(organization.uid), filter, after.map(Into::into), limit).await
        };
        let shown = if query.show_ended { "ended too" } else { "live" };
        let words = ["sessions", query.organization.as_str(), &query.external_id, shown];
        let listed = self.list_page(&query.page, &words, total, shows, Cursor::new, fetch).await?;
        let names = Names::load(db, organization, &listed.rows).await?;
        let mut rows = Vec::with_capacity(listed.rows.len());
        for row in listed.rows {
            let renewal_end_time = self.renewal_end_time(&row);
            rows.push(names.give(organization, row, renewal_end_time)?);
        }
        Ok(Listed { rows, next_page_token: listed.next_page_token, total_size: listed.total_size })
    }
}

/// The identifiers of what the contexts of some sessions name, and of who created them.
struct Names {
    accounts: AccountNames,
    projects: HashMap<Uid, ProjectId>,
    workspaces: HashMap<Uid, WorkspaceId>,
    users: HashMap<Uid, UserId>,
}

impl Names {
    async fn load(db: &impl KeyedConnection, organization: &Organization, rows: &[Credential]) -> Result<Self, Error> {
        let within = organization.uid;
        let projects = project::by_uids(db, within, rows.iter().filter_map(|row| row.context_project)).await?;
        let workspaces = workspace::by_uids(db, within, rows.iter().filter_map(|row| row.context_workspace)).await?;
        let users = user::by_uids(db, within, rows.iter().filter_map(|row| row.context_user)).await?;
        Ok(Self {
            accounts: AccountNames::load(db, Some(organization), rows.iter().map(|row| row.principal)).await?,
            projects: projects.into_iter().map(|row| (row.uid, row.project_id)).collect(),
            workspaces: workspaces.into_iter().map(|row| (row.uid, row.workspace_id)).collect(),
            users: users.into_iter().map(|row| (row.uid, row.user_id)).collect(),
        })
    }

    fn give(
        &self,
        organization: &Organization,
        row: Credential,
        renewal_end_time: Timestamp,
    ) -> Result<SessionView, Error> {
        let context = ContextName {
            organization: organization.organization_id.clone(),
            project: row.context_project.and_then(|uid| self.projects.get(&uid).cloned()),
            workspace: row.context_workspace.and_then(|uid| self.workspaces.get(&uid).cloned()),
            user: row.context_user.and_then(|uid| self.users.get(&uid).cloned()),
        };
        let (creator, restrictions) =
            (self.accounts.name(row.principal), restrictions::parse(row.restrictions.as_deref())?);
        Ok(SessionView { context, restrictions, creator, renewal_end_time, row })
    }
}
