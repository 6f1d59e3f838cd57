//! What to tell whoever changes a secret: of its value, its end, its reach, and of the secrets of broader scopes that it
//! stands before or behind.

use std::collections::BTreeSet;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use secrets_core::authorize::{Listing, Resource};
use secrets_core::{
    Redaction, Role, RoleResource, Scope, ScopeName, SecretName, Target, Timestamp, Uid, ValueWarning, Visibility,
    right, value_warnings,
};

use crate::call::Call;
use crate::error::Error;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::warning::{Warning, WarningCode};
use crate::store::secret::{self, Secret, SecretWithVersion};
use crate::store::{project, workspace};

/// An expiry this near is worth a word.
const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// At most this many secrets of broader scopes are named for one secret: a group may have hundreds.
const RIVALS_NAMED: usize = 20;

/// What is remarkable about a value.
pub(super) fn of_value(secret: &Secret, target: &Target, value: &[u8]) -> Vec<Warning> {
    value_warnings(target, value)
        .into_iter()
        // What is not masked masks nothing else.
        .filter(|warning| *warning != ValueWarning::CommonWord || secret.redaction == Redaction::Default)
        .map(|warning| Warning::of_value(&secret.secret_id, warning))
        .collect()
}

/// What is remarkable about the metadata.
pub(super) fn of_metadata(secret: &Secret, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    match secret.expire_time {
        Some(end) if end <= now => {
            let text = format!("it expired at {end}: it is not delivered");
            warnings.push(Warning::of(&secret.secret_id, WarningCode::AlreadyExpired, text));
        }
        Some(end) if end <= now.saturating_add(SOON) => {
            let text = format!("it expires at {end}, within seven days");
            warnings.push(Warning::of(&secret.secret_id, WarningCode::ExpiresSoon, text));
        }
        _ => {}
    }
    if matches!(&secret.visibility, Visibility::Selected { projects, workspaces } if projects.is_empty() && workspaces.is_empty())
    {
        let text = "no project and no workspace is selected: it reaches nobody";
        warnings.push(Warning::of(&secret.secret_id, WarningCode::ReachesNobody, text));
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
    /// What surrounds a scope, with those secrets that have the name, place or group of this one.
    pub(super) async fn surroundings_of(
        &self,
        db: &impl ConnectionTrait,
        call: &Call,
        place: &LocatedScope,
        secret: &Secret,
        target: &Target,
    ) -> Result<OverlapCheck, Error> {
        let mut around = self.surroundings(db, call, place).await?;
        let (scopes, slot) = (around.uids(), target.destination(&secret.secret_id));
        if !scopes.is_empty() {
            let (organization, group) = (around.organization, secret.group.as_ref());
            around.overlapping =
                secret::claiming(db, organization, &scopes, &secret.secret_id, slot.as_ref(), group).await?;
        }
        Ok(around)
    }

    /// What surrounds a scope, with all secrets: for many changes at once.
    pub(super) async fn surroundings_whole(
        &self,
        db: &impl ConnectionTrait,
        call: &Call,
        place: &LocatedScope,
    ) -> Result<OverlapCheck, Error> {
        let mut around = self.surroundings(db, call, place).await?;
        let scopes = around.uids();
        if !scopes.is_empty() {
            around.overlapping = secret::candidates(db, around.organization, &scopes).await?;
        }
        Ok(around)
    }

    async fn surroundings(
        &self,
        db: &impl ConnectionTrait,
        call: &Call,
        place: &LocatedScope,
    ) -> Result<OverlapCheck, Error> {
        let organization = place.organization.uid;
        let (projects, workspaces) = match place.resource {
            Resource::Project { project, .. } => (BTreeSet::from([project]), BTreeSet::new()),
            Resource::Workspace { workspace, project, .. } => {
                (project.into_iter().collect(), BTreeSet::from([workspace]))
            }
            Resource::User { user, .. } => self.taken_part_in(db, call, organization, user).await?,
            _ => return Ok(OverlapCheck::default()),
        };
        let mut around = OverlapCheck { organization, ..OverlapCheck::default() };
        let id = || place.organization.organization_id.clone();
        let whole = Resource::Organization(organization);
        if let Ok(permit) = call.authorize::<right::ListSecrets>(&whole) {
            around.sees = Some(self.listing_of(db, call, &permit).await?);
            around.add(&whole, place.scope, ScopeName::Organization(id()));
        }
        if !projects.is_empty() {
            for row in project::by_uids(db, organization, projects.iter().copied()).await? {
                let resource = Resource::Project { organization, project: row.uid };
                if call.authorize::<right::ListSecrets>(&resource).is_ok() {
                    around.add(&resource, place.scope, ScopeName::Project(id(), row.project_id));
                }
            }
        }
        if !workspaces.is_empty() {
            for row in workspace::by_uids(db, organization, workspaces.iter().copied()).await? {
                let resource =
                    Resource::Workspace { organization, workspace: row.uid, project: row.project, owner: row.owner };
                if call.authorize::<right::ListSecrets>(&resource).is_ok() {
                    around.add(&resource, place.scope, ScopeName::Workspace(id(), row.workspace_id));
                }
            }
        }
        around.reach = Some(Listing::Reaching { projects, workspaces });
        Ok(around)
    }

    /// The projects and workspaces that contexts of this user, who calls, may name.
    async fn taken_part_in(
        &self,
        db: &impl ConnectionTrait,
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
            self.overlapping.iter().filter(|rival| rival.secret.uid != secret.uid && self.can_coexist(rival));
        overlapping
            .filter_map(|rival| {
                let slot = shared_slot(secret, target, rival)?;
                let name = self.name_of(rival)?;
                let (code, text) = if rival.candidate().is_locked() {
                    let text = format!(
                        "`{name}` is locked and holds the {slot}: this one is not delivered where that one is in force"
                    );
                    (WarningCode::BlockedByLock, text)
                } else if serves(secret) && serves(&rival.secret) {
                    let text = format!("it is delivered instead of `{name}`, which has the same {slot}");
                    (WarningCode::ShadowsBroader, text)
                } else {
                    return None;
                };
                Some(Warning::of(&secret.secret_id, code, text))
            })
            .take(RIVALS_NAMED)
            .collect()
    }

    fn uids(&self) -> Vec<Scope> {
        self.scopes.iter().map(|(scope, _)| *scope).collect()
    }

    /// Adds a scope, unless it is the one that is surrounded.
    fn add(&mut self, resource: &Resource, place: Scope, name: ScopeName) {
        let uid = match *resource {
            Resource::Organization(uid)
            | Resource::Project { project: uid, .. }
            | Resource::Workspace { workspace: uid, .. } => uid,
            _ => return,
        };
        let scope = Scope::new(name.kind(), uid);
        if scope != place {
            self.scopes.push((scope, name));
        }
    }

    /// Whether a rival and the secret meet in some context, and the caller may know of it.
    fn can_coexist(&self, rival: &SecretWithVersion) -> bool {
        let passes = |listing: &Option<Listing>| {
            listing.as_ref().is_some_and(|listing| listing.shows(&rival.secret.visibility).is_some())
        };
        rival.secret.visibility == Visibility::All || (passes(&self.sees) && passes(&self.reach))
    }

    fn name_of(&self, rival: &SecretWithVersion) -> Option<SecretName> {
        let (_, scope) = self.scopes.iter().find(|(scope, _)| *scope == rival.secret.scope)?;
        Some(SecretName::new(scope.clone(), rival.secret.secret_id.clone()))
    }
}

/// The first slot that both claim, in words.
fn shared_slot(secret: &Secret, target: &Target, rival: &SecretWithVersion) -> Option<String> {
    if rival.secret.secret_id == secret.secret_id {
        return Some("name".to_owned());
    }
    if let Some(place) = target.destination(&secret.secret_id)
        && rival.version.target.destination(&rival.secret.secret_id).as_ref() == Some(&place)
    {
        return Some(place.to_string());
    }
    match (&secret.group, &rival.secret.group) {
        (Some(group), Some(other)) if group == other => Some(format!("group {group}")),
        _ => None,
    }
}
