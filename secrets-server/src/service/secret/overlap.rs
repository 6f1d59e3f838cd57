//! The warnings for whoever changes a secret: about its value, its end, its reach, and the secrets of broader scopes that it
//! overrides or that override it.

use std::collections::BTreeSet;
use std::time::Duration;

use secrets_core::authorize::{Listing, Resource};
use secrets_core::{
    Redaction, Role, RoleResource, Scope, ScopeName, SecretName, Target, Timestamp, Uid, ValueWarning, Visibility,
    right,
};

use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::warning::{Warning, WarningCode};
use crate::store::secret::{self, Secret, SecretWithVersion};
use crate::store::{KeyedConnection, project, workspace};

/// An expiry within this time is warned of.
const EXPIRY_NOTICE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Secrets of broader scopes that are named for one secret: a group may have hundreds.
const MAX_NAMED: usize = 20;

/// What is remarkable about a value.
pub(super) fn value_warnings(secret: &Secret, target: &Target, value: &[u8]) -> Vec<Warning> {
    secrets_core::value_warnings(target, value)
        .into_iter()
        // What is not masked masks nothing else.
        .filter(|warning| *warning != ValueWarning::CommonWord || secret.redaction == Redaction::Default)
        .map(|warning| Warning::from_value(&secret.secret_id, warning))
        .collect()
}

/// What is remarkable about the metadata.
pub(super) fn metadata_warnings(secret: &Secret, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    match secret.expire_time {
        Some(end) if end <= now => {
            let text = format!("the secret expired at {end} and is not delivered");
            warnings.push(Warning::new(&secret.secret_id, WarningCode::AlreadyExpired, text));
        }
        Some(end) if end <= now.saturating_add(EXPIRY_NOTICE) => {
            let text = format!("the secret expires at {end}, within seven days");
            warnings.push(Warning::new(&secret.secret_id, WarningCode::ExpiresSoon, text));
        }
        _ => {}
    }
    if matches!(&secret.visibility, Visibility::Selected { projects, workspaces } if projects.is_empty() && workspaces.is_empty())
    {
        let text = "no project and no workspace is selected, so the secret reaches nobody";
        warnings.push(Warning::new(&secret.secret_id, WarningCode::ReachesNobody, text));
    }
    warnings
}

/// The broader scopes of a scope, as far as the caller may list them, and their secrets.
#[derive(Default)]
pub(super) struct OverlapCheck {
    organization: Uid,
    scopes: Vec<(Scope, ScopeName)>,
    /// What of the organization's secrets the caller sees, and what of them reaches contexts of the scope.
    sees: Option<Listing>,
    reach: Option<Listing>,
    overlapping: Vec<SecretWithVersion>,
}

impl Service {
    /// The broader scopes, with those of their secrets that have the name, destination or group of this one.
    pub(super) async fn overlaps_of(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        located: &LocatedScope,
        secret: &Secret,
        target: &Target,
    ) -> Result<OverlapCheck, Error> {
        let mut check = self.broader_scopes(db, call, located).await?;
        let (scopes, destination) = (check.uids(), target.destination(&secret.secret_id));
        if !scopes.is_empty() {
            let (organization, group) = (check.organization, secret.group.as_ref());
            check.overlapping =
                secret::claiming_evenly(db, organization, &scopes, &secret.secret_id, destination.as_ref(), group)
                    .await?;
        }
        Ok(check)
    }

    /// The broader scopes, with all their secrets: for many changes at once.
    pub(super) async fn overlaps(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        located: &LocatedScope,
    ) -> Result<OverlapCheck, Error> {
        let mut check = self.broader_scopes(db, call, located).await?;
        let scopes = check.uids();
        if !scopes.is_empty() {
            check.overlapping = secret::candidates(db, check.organization, &scopes).await?;
        }
        Ok(check)
    }

    async fn broader_scopes(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        located: &LocatedScope,
    ) -> Result<OverlapCheck, Error> {
        let organization = located.organization.uid;
        let (projects, workspaces) = match located.resource {
            Resource::Project { project, .. } => (BTreeSet::from([project]), BTreeSet::new()),
            Resource::Workspace { workspace, project, .. } => {
                (project.into_iter().collect(), BTreeSet::from([workspace]))
            }
            Resource::User { user, .. } => self.memberships(db, call, organization, user).await?,
            _ => return Ok(OverlapCheck::default()),
        };
        let mut check = OverlapCheck { organization, ..OverlapCheck::default() };
        let id = || located.organization.organization_id.clone();
        let whole = Resource::Organization(organization);
        if let Ok(permit) = call.permit::<right::ListSecrets>(&whole) {
            check.sees = Some(self.listing_of(db, call, &permit).await?);
            check.add(&whole, located.scope, ScopeName::Organization(id()));
        }
        if !projects.is_empty() {
            for row in project::by_uids(db, organization, projects.iter().copied()).await? {
                let resource = Resource::Project { organization, project: row.uid };
                if call.permit::<right::ListSecrets>(&resource).is_ok() {
                    check.add(&resource, located.scope, ScopeName::Project(id(), row.project_id));
                }
            }
        }
        if !workspaces.is_empty() {
            for row in workspace::by_uids(db, organization, workspaces.iter().copied()).await? {
                let resource =
                    Resource::Workspace { organization, workspace: row.uid, project: row.project, owner: row.owner };
                if call.permit::<right::ListSecrets>(&resource).is_ok() {
                    check.add(&resource, located.scope, ScopeName::Workspace(id(), row.workspace_id));
                }
            }
        }
        check.reach = Some(Listing::Reaching { projects, workspaces });
        Ok(check)
    }

    /// The projects and workspaces that contexts of this user, who calls, may name.
    async fn memberships(
        &self,
        db: &impl KeyedConnection,
        call: &Call,
        organization: Uid,
        user: Uid,
    ) -> Result<(BTreeSet<Uid>, BTreeSet<Uid>), Error> {
        let owned = workspace::owned_by(db, organization, user).await?;
        let (mut projects, mut workspaces) =
            (BTreeSet::new(), owned.into_iter().map(|row| row.uid).collect::<BTreeSet<_>>());
        let own = call.caller.bindings.iter().filter(|binding| binding.principal.uid == user);
        for binding in own.filter(|binding| binding.resource.organization() == Some(organization)) {
            match (binding.resource, binding.role) {
                (RoleResource::Project { project, .. }, Role::Admin | Role::Member) => projects.insert(project),
                (RoleResource::Workspace { workspace, .. }, Role::Member) => workspaces.insert(workspace),
                _ => false,
            };
        }
        Ok((projects, workspaces))
    }
}

impl OverlapCheck {
    /// What of the broader scopes this secret stands before or behind. At most one word about each of them.
    pub(super) fn warnings(&self, secret: &Secret, target: &Target, now: Timestamp) -> Vec<Warning> {
        let serves = |secret: &Secret| !secret.disabled && secret.expire_time.is_none_or(|end| end > now);
        let overlapping =
            self.overlapping.iter().filter(|other| other.secret.uid != secret.uid && self.can_coexist(other));
        overlapping
            .filter_map(|other| {
                let shared = shared_claim(secret, target, other)?;
                let name = self.name_of(other)?;
                let (code, text) = if other.candidate().is_locked() {
                    let text = format!(
                        "`{name}` is locked and has the same {shared}, so this secret is not delivered where that one applies"
                    );
                    (WarningCode::BlockedByLock, text)
                } else if serves(secret) && serves(&other.secret) {
                    let text = format!("this secret is delivered instead of `{name}`, which has the same {shared}");
                    (WarningCode::ShadowsBroader, text)
                } else {
                    return None;
                };
                Some(Warning::new(&secret.secret_id, code, text))
            })
            .take(MAX_NAMED)
            .collect()
    }

    fn uids(&self) -> Vec<Scope> {
        self.scopes.iter().map(|(scope, _)| *scope).collect()
    }

    /// Adds a scope, unless it is the secret's own.
    fn add(&mut self, resource: &Resource, own: Scope, name: ScopeName) {
        let uid = match *resource {
            Resource::Organization(uid)
            | Resource::Project { project: uid, .. }
            | Resource::Workspace { workspace: uid, .. } => uid,
            _ => return,
        };
        let scope = Scope::new(name.kind(), uid);
        if scope != own {
            self.scopes.push((scope, name));
        }
    }

    /// Whether a other and the secret meet in some context, and the caller may know of it.
    fn can_coexist(&self, other: &SecretWithVersion) -> bool {
        let shows = |listing: &Option<Listing>| {
            listing.as_ref().is_some_and(|listing| listing.shows(&other.secret.visibility).is_some())
        };
        other.secret.visibility == Visibility::All || (shows(&self.sees) && shows(&self.reach))
    }

    fn name_of(&self, other: &SecretWithVersion) -> Option<SecretName> {
        let (_, scope) = self.scopes.iter().find(|(scope, _)| *scope == other.secret.scope)?;
        Some(SecretName::new(scope.clone(), other.secret.secret_id.clone()))
    }
}

/// What both claim first, in words: the name, the destination or the group.
fn shared_claim(secret: &Secret, target: &Target, other: &SecretWithVersion) -> Option<String> {
    if other.secret.secret_id == secret.secret_id {
        return Some("name".to_owned());
    }
    if let Some(destination) = target.destination(&secret.secret_id)
        && other.version.target.destination(&other.secret.secret_id).as_ref() == Some(&destination)
    {
        return Some(destination.to_string());
    }
    match (&secret.group, &other.secret.group) {
        (Some(group), Some(theirs)) if group == theirs => Some(format!("group {group}")),
        _ => None,
    }
}
