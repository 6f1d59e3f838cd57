//! An organization with people, made behind the service's back, so that the tests of one service need no other.
//!
//! `acme` has the projects `api` and `web`; the workspace `ws1` of `api`, owned by bob, with dan as a member; the free
//! workspace `ws2`, owned by cat. ann is its admin; bob, cat and dan are members; bob is a member of `api` and cat its admin.
//! `rival` is another organization, with its admin eve.

use std::collections::BTreeMap;
use std::time::Duration;

use secrets_core::{Binding, CredentialKind, NamePolicy, PrincipalKind, PrincipalRef, Role, RoleResource, Uid};
use secrets_server::clock::Clock;
use secrets_server::service::create_credential::NewCredential;
use secrets_server::store::binding::{self, BindingRecord};
use secrets_server::store::credential::Origin;
use secrets_server::store::organization::{self, Organization};
use secrets_server::store::project::{self, Project};
use secrets_server::store::user::{self, User, UserState};
use secrets_server::store::workspace::{self, Workspace};
use secrets_server::store::{commit, revision};

use crate::support::server::TestServer;

/// The organizations' uids and everybody's tokens.
pub struct Acme {
    pub organization: Uid,
    pub ann: String,
    pub bob: String,
    pub cat: String,
    pub dan: String,
    pub eve: String,
    pub users: BTreeMap<&'static str, Uid>,
}

impl Acme {
    /// Makes all of it.
    pub async fn make(server: &TestServer) -> Self {
        Self::with(server, NamePolicy::Strict, "{}").await
    }

    /// The same with a name policy and limits.
    pub async fn with(server: &TestServer, policy: NamePolicy, limits: &str) -> Self {
        let tx = server.app.store().begin().await.unwrap();
        let now = server.clock.now();
        let new = || server.app.service.uid().unwrap();
        let make = async |id: &str| {
            let row = Organization {
                uid: new(),
                organization_id: id.parse().unwrap(),
                display_name: String::new(),
                name_policy: policy,
                limits: limits.to_owned(),
                allowed_reserved: Default::default(),
                create_time: now,
            };
            organization::insert(&tx, &row).await.unwrap();
            revision::start(&tx, row.uid, new()).await.unwrap();
            server.app.keys().make_data_key(&tx, row.uid, now).await.unwrap();
            row.uid
        };
        let bind = async |user: Uid, role: Role, on: RoleResource| {
            let principal = PrincipalRef { kind: PrincipalKind::User, uid: user };
            let binding = Binding { principal, role, resource: on };
            let row = BindingRecord { uid: new(), binding, create_time: now, creator: "tests".to_owned() };
            binding::insert(&tx, &row).await.unwrap();
        };
        let join = async |organization: Uid, id: &str, role: Role| {
            let row = User {
                uid: new(),
                organization,
                user_id: id.parse().unwrap(),
                display_name: String::new(),
                state: UserState::Active,
                create_time: now,
                delete_time: None,
                purge_time: None,
                recovery_time: None,
            };
            user::insert(&tx, &row).await.unwrap();
            bind(row.uid, role, RoleResource::Organization(organization)).await;
            let new_credential = NewCredential {
                kind: CredentialKind::Personal,
                organization: Some(organization),
                principal: PrincipalRef { kind: PrincipalKind::User, uid: row.uid },
                display_name: String::new(),
                origin: Origin::SignIn,
                creator: None,
                ttl: Some(Duration::from_secs(90 * 24 * 60 * 60)),
                ends_by: None,
                sign_in_end_time: None,
            };
            let created = server.app.service.create_credential(&tx, new_credential, now, |_| ()).await.unwrap();
            (row.uid, created.token.expose().to_owned())
        };
        let acme = make("acme").await;
        let (ann_uid, ann) = join(acme, "ann", Role::Admin).await;
        let (bob_uid, bob) = join(acme, "bob", Role::Member).await;
        let (cat_uid, cat) = join(acme, "cat", Role::Member).await;
        let (dan_uid, dan) = join(acme, "dan", Role::Member).await;
        let mut projects = Vec::new();
        for id in ["api", "web"] {
            let row = Project {
                uid: new(),
                organization: acme,
                project_id: id.parse().unwrap(),
                display_name: String::new(),
                create_time: now,
            };
            project::insert(&tx, &row).await.unwrap();
            projects.push(row.uid);
        }
        let api = RoleResource::Project { organization: acme, project: projects[0] };
        bind(bob_uid, Role::Member, api).await;
        bind(cat_uid, Role::Admin, api).await;
        for (id, project, owner, members) in
            [("ws1", Some(projects[0]), bob_uid, vec![dan_uid]), ("ws2", None, cat_uid, vec![])]
        {
            let row = Workspace {
                uid: new(),
                organization: acme,
                workspace_id: id.parse().unwrap(),
                project,
                owner: Some(owner),
                display_name: String::new(),
                create_time: now,
            };
            workspace::insert(&tx, &row).await.unwrap();
            for member in members {
                bind(member, Role::Member, RoleResource::Workspace { organization: acme, workspace: row.uid }).await;
            }
        }
        let rival = make("rival").await;
        let (_, eve) = join(rival, "eve", Role::Admin).await;
        commit(tx).await.unwrap();
        let users = [("ann", ann_uid), ("bob", bob_uid), ("cat", cat_uid), ("dan", dan_uid)].into();
        Self { organization: acme, ann, bob, cat, dan, eve, users }
    }
}
