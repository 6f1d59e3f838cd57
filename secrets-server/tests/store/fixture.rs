//! Rows to start from.

use sea_orm::ConnectionTrait;
use secrets_core::{
    Description, FileMode, Labels, NamePolicy, OverridePolicy, Redaction, Scope, SecretId, Target, Timestamp, Uid,
    Visibility,
};
use secrets_server::store::organization::{self, Organization};
use secrets_server::store::project::{self, Project};
use secrets_server::store::secret::Secret;
use secrets_server::store::service_account::ServiceAccount;
use secrets_server::store::user::{self, User, UserState};
use secrets_server::store::version::SecretVersion;
use secrets_server::store::workspace::{self, Workspace};
use secrets_server::store::{KeyedConnection, Store, commit, revision};

/// The time of everything that is made here.
pub const NOW: Timestamp = Timestamp::from_micros(1_769_851_800_000_000);

pub fn uid(number: u128) -> Uid {
    Uid::from_u128(number)
}

pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
}

pub fn organization_row(number: u128, id: &str) -> Organization {
    Organization {
        uid: uid(number),
        organization_id: id.parse().unwrap(),
        display_name: id.to_uppercase(),
        name_policy: secrets_core::NamePolicy::Strict,
        limits: "{}".to_owned(),
        allowed_reserved: Default::default(),
        create_time: NOW,
    }
}

/// An organization with its history, committed.
pub async fn organization(store: &Store, number: u128, id: &str) -> Uid {
    let row = organization_row(number, id);
    let tx = store.begin().await.unwrap();
    organization::insert(&tx, &row).await.unwrap();
    revision::start(&tx, row.uid, uid(number + 1_000_000)).await.unwrap();
    commit(tx).await.unwrap();
    row.uid
}

pub fn project_row(organization: Uid, number: u128, id: &str) -> Project {
    Project {
        uid: uid(number),
        organization,
        project_id: id.parse().unwrap(),
        display_name: format!("Project {id}"),
        create_time: NOW,
    }
}

pub async fn project(db: &impl ConnectionTrait, organization: Uid, number: u128, id: &str) -> Project {
    let row = project_row(organization, number, id);
    project::insert(db, &row).await.unwrap();
    row
}

pub async fn workspace(
    db: &impl KeyedConnection,
    organization: Uid,
    number: u128,
    id: &str,
    project: Option<Uid>,
) -> Workspace {
    let row = Workspace {
        uid: uid(number),
        organization,
        workspace_id: id.parse().unwrap(),
        project,
        owner: None,
        display_name: format!("Workspace {id}"),
        create_time: NOW,
    };
    workspace::insert(db, &row).await.unwrap();
    row
}

pub fn user_row(organization: Uid, number: u128, id: &str) -> User {
    User {
        uid: uid(number),
        organization,
        user_id: id.parse().unwrap(),
        display_name: String::new(),
        state: UserState::Invited,
        create_time: NOW,
        delete_time: None,
        purge_time: None,
        recovery_time: None,
    }
}

pub async fn user(db: &impl KeyedConnection, organization: Uid, number: u128, id: &str) -> User {
    let row = user_row(organization, number, id);
    user::insert(db, &row).await.unwrap();
    row
}

pub fn service_account_row(organization: Option<Uid>, number: u128, id: &str) -> ServiceAccount {
    ServiceAccount {
        uid: uid(number),
        organization,
        service_account_id: id.parse().unwrap(),
        display_name: String::new(),
        create_time: NOW,
    }
}

/// A secret of an organization in one of its scopes, and its first version.
pub fn secret(organization: Uid, scope: Scope, number: u128, name: &str) -> (Secret, SecretVersion) {
    let secret = Secret {
        uid: uid(number),
        organization,
        scope,
        secret_id: SecretId::parse(name, NamePolicy::Relaxed).unwrap(),
        description: Description::default(),
        labels: Labels::default(),
        group: None,
        visibility: Visibility::All,
        override_policy: OverridePolicy::Allowed,
        disabled: false,
        redaction: Redaction::Default,
        expire_time: None,
        current_version: 1,
        revision: 1,
        create_time: NOW,
        creator: "organizations/acme/users/ann".to_owned(),
        update_time: NOW,
        updater: "organizations/acme/users/ann".to_owned(),
        delete_time: None,
        purge_time: None,
    };
    (secret, version(number, 1, Target::EnvironmentVariable))
}

/// A version of the secret of this number; its blob is 10 bytes long for each version.
pub fn version(secret: u128, version: u32, target: Target) -> SecretVersion {
    SecretVersion {
        secret: uid(secret),
        version,
        target,
        blob: vec![0xb1; 10 * version as usize],
        data_key_version: 1,
        value_bytes: 10 * version,
        create_time: NOW,
        creator: "organizations/acme/users/ann".to_owned(),
        destroy_time: None,
        source_version: None,
        source_secret: None,
    }
}

pub fn file(path: &str) -> Target {
    Target::File { path: path.parse().unwrap(), mode: FileMode::default() }
}

pub fn registry(host: &str, username: &str) -> Target {
    Target::Registry { host: host.parse().unwrap(), username: username.parse().unwrap() }
}
