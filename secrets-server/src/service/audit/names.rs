//! Names for the uids in events: a user's own secrets appear to others by uid alone.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::{Principal, Scope, ScopeKind, ScopeName, SecretName, Uid};

use crate::audit::{Detail, Source};
use crate::call::Call;
use crate::error::Error;
use crate::store::audit::AuditRecord;
use crate::store::organization::Organization;
use crate::store::secret::SecretRef;
use crate::store::{ReadTransaction, project, secret, user, workspace};

/// The names that the caller may see, by the secret's uid. By default none.
#[derive(Default)]
pub(super) struct Names(BTreeMap<Uid, SecretName>);

impl Names {
    /// Those of all secrets that the events speak of: a fixed number of queries.
    pub(super) async fn load(
        db: &ReadTransaction,
        call: &Call,
        organization: &Organization,
        rows: &[AuditRecord],
        sets: &BTreeMap<Vec<u8>, Vec<(Uid, u32)>>,
    ) -> Result<Self, Error> {
        let about = rows.iter().filter(|row| is_of_a_user(&row.resource_name)).filter_map(|row| row.resource_uid);
        let read = rows.iter().filter_map(source).filter(|source| is_of_a_user(&source.name));
        let about = about.chain(read.filter_map(|source| source.uid()));
        Self::of(db, call, organization, sets.values().flatten().map(|(uid, _)| *uid).chain(about).collect()).await
    }

    /// Those of these secrets.
    pub(super) async fn of(
        db: &ReadTransaction,
        call: &Call,
        organization: &Organization,
        secrets: BTreeSet<Uid>,
    ) -> Result<Self, Error> {
        let within = organization.uid;
        let named = secret::named(db, within, secrets).await?;

        let own = match call.caller.principal {
            Principal::User { user, .. } => Some(user),
            _ => None,
        };
        let scopes: BTreeSet<_> = named.iter().map(|each| each.scope).collect();
        let of_kind = |kind| scopes.iter().filter(move |scope| scope.kind == kind).map(|scope| scope.uid);
        let id = || organization.organization_id.clone();
        let mut names = BTreeMap::from([(Scope::new(ScopeKind::Organization, within), ScopeName::Organization(id()))]);
        for row in project::by_uids(db, within, of_kind(ScopeKind::Project)).await? {
            names.insert(Scope::new(ScopeKind::Project, row.uid), ScopeName::Project(id(), row.project_id));
        }
        for row in workspace::by_uids(db, within, of_kind(ScopeKind::Workspace)).await? {
            names.insert(Scope::new(ScopeKind::Workspace, row.uid), ScopeName::Workspace(id(), row.workspace_id));
        }
        for row in user::by_uids(db, within, own).await? {
            names.insert(Scope::new(ScopeKind::User, row.uid), ScopeName::User(id(), row.user_id));
        }
        let name = |each: SecretRef| Some((each.uid, SecretName::new(names.get(&each.scope)?.clone(), each.secret_id)));
        Ok(Self(named.into_iter().filter_map(name).collect()))
    }

    /// The name of a secret, if the caller may see it and it is still there.
    pub(super) fn get(&self, uid: Uid) -> Option<SecretName> {
        self.0.get(&uid).cloned()
    }

    /// What an event was about.
    pub(super) fn resource(&self, row: &AuditRecord) -> String {
        self.shown(&row.resource_name, row.resource_uid)
    }

    /// What an event of a copy says that was copied; empty in any other.
    pub(super) fn source(&self, row: &AuditRecord) -> String {
        source(row).map(|source| self.shown(&source.name, source.uid())).unwrap_or_default()
    }

    /// A name in an event. A user's secret has its name only by uid: another user may have had the same id.
    fn shown(&self, name: &str, uid: Option<Uid>) -> String {
        if !is_of_a_user(name) {
            return name.to_owned();
        }
        match (uid, uid.and_then(|uid| self.get(uid))) {
            (_, Some(name)) => name.to_string(),
            (Some(uid), None) => uid.to_string(),
            // It never was: whose it would have been is all that is shown.
            (None, None) => name.split("/secrets/").next().unwrap_or_default().to_owned(),
        }
    }
}

fn source(row: &AuditRecord) -> Option<Source> {
    // Whoever copies has received: other details need not be looked at, which may be long.
    row.set_digest.as_ref().and_then(|_| Detail::from_text(&row.detail).source)
}

/// Whether a resource path leads to a user's own secret, or below it.
fn is_of_a_user(resource: &str) -> bool {
    let mut segments = resource.split('/');
    segments.next() == Some("organizations") && segments.nth(1) == Some("users") && segments.nth(1) == Some("secrets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_users_secrets_from_everything_else() {
        for (resource, is) in [
            ("organizations/acme/users/bob/secrets/A", true),
            ("organizations/acme/users/bob/secrets/A/versions/1", true),
            ("organizations/acme/users/bob", false),
            ("organizations/acme/projects/users/secrets/A", false),
            ("organizations/acme/secrets/A", false),
            ("organizations/acme", false),
            ("platform", false),
            ("", false),
        ] {
            assert_eq!(is_of_a_user(resource), is, "{resource}");
        }
    }
}
