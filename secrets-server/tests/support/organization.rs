//! People, places and secrets, written straight into the database: what is told here is told of the answers alone, not of
//! the calls that make such things.

use secrets_core::{
    Account, Binding, Context, CredentialKind, Description, Labels, NamePolicy, OverridePolicy, PrincipalRef,
    Redaction, Role, RoleResource, Scope, ScopeKind, SecretId, SessionRestrictions, Target, Timestamp, Uid, Visibility,
};
use secrets_server::auth::restrictions;
use secrets_server::clock::Clock;
use secrets_server::crypto::{SystemRandom, ValueIdentity, random_uid};
use secrets_server::service::create_credential::NewCredential;
use secrets_server::store::binding::BindingRecord;
use secrets_server::store::credential::Origin;
use secrets_server::store::organization::Organization;
use secrets_server::store::project::Project;
use secrets_server::store::secret::{Secret, SecretWithVersion};
use secrets_server::store::service_account::ServiceAccount;
use secrets_server::store::user::{User, UserState};
use secrets_server::store::version::SecretVersion;
use secrets_server::store::workspace::Workspace;
use secrets_server::store::{
    binding, commit, organization, project, revision, secret, service_account, user, workspace,
};

use crate::support::server::TestServer;

/// An organization on the wire.
pub struct TestOrganization<'a> {
    pub server: &'a TestServer,
    pub organization: Uid,
}

/// A user or service account.
#[derive(Clone)]
pub struct TestAccount {
    pub uid: Uid,
    pub token: String,
    pub account: Account,
}

fn fresh() -> Uid {
    random_uid(&SystemRandom).unwrap()
}

impl<'a> TestOrganization<'a> {
    pub async fn new(server: &'a TestServer, id: &str) -> Self {
        let now = server.clock.now();
        let row = Organization {
            uid: fresh(),
            organization_id: id.parse().unwrap(),
            display_name: String::new(),
            name_policy: NamePolicy::Strict,
            limits: "{}".to_owned(),
            allowed_reserved: Default::default(),
            create_time: now,
        };
        let tx = server.app.store().begin().await.unwrap();
        organization::insert(&tx, &row).await.unwrap();
        server.app.keys().make_data_key(&tx, row.uid, now).await.unwrap();
        revision::start(&tx, row.uid, fresh()).await.unwrap();
        commit(tx).await.unwrap();
        Self { server, organization: row.uid }
    }

    /// An active member of the organization.
    pub async fn member(&self, id: &str) -> TestAccount {
        let account = self.user(id).await;
        self.bind(&account, Role::Member, self.level()).await;
        account
    }

    /// A user without any role.
    pub async fn user(&self, id: &str) -> TestAccount {
        let row = User {
            uid: fresh(),
            organization: self.organization,
            user_id: id.parse().unwrap(),
            display_name: String::new(),
            state: UserState::Active,
            create_time: self.server.clock.now(),
            delete_time: None,
            purge_time: None,
            recovery_time: None,
        };
        let tx = self.server.app.store().begin().await.unwrap();
        user::insert(&tx, &row).await.unwrap();
        commit(tx).await.unwrap();
        let account = Account::User { organization: self.organization, user: row.uid };
        TestAccount { uid: row.uid, token: self.token(CredentialKind::Personal, account).await, account }
    }

    pub async fn service_account(&self, id: &str) -> TestAccount {
        let row = ServiceAccount {
            uid: fresh(),
            organization: Some(self.organization),
            service_account_id: id.parse().unwrap(),
            display_name: String::new(),
            create_time: self.server.clock.now(),
        };
        let tx = self.server.app.store().begin().await.unwrap();
        service_account::insert(&tx, &row).await.unwrap();
        commit(tx).await.unwrap();
        let account = Account::ServiceAccount { organization: Some(self.organization), service_account: row.uid };
        TestAccount { uid: row.uid, token: self.token(CredentialKind::ServiceAccount, account).await, account }
    }

    /// A credential of an account.
    pub async fn token(&self, kind: CredentialKind, account: Account) -> String {
        let tx = self.server.app.store().begin().await.unwrap();
        let new_credential = self.new_credential(kind, account.reference());
        let created = self
            .server
            .app
            .service
            .create_credential(&tx, new_credential, self.server.clock.now(), |_| ())
            .await
            .unwrap();
        commit(tx).await.unwrap();
        created.token.expose().to_owned()
    }

    /// A session that an account created.
    pub async fn session(&self, creator: &TestAccount, context: Context, narrowed: &SessionRestrictions) -> String {
        let tx = self.server.app.store().begin().await.unwrap();
        let new_credential = self.new_credential(CredentialKind::Session, creator.account.reference());
        let stored = restrictions::to_text(narrowed).unwrap();
        let created = self.server.app.service.create_credential(&tx, new_credential, self.server.clock.now(), |row| {
            row.context_project = context.project;
            row.context_workspace = context.workspace;
            row.context_user = context.user;
            row.restrictions = stored;
        });
        let created = created.await.unwrap();
        commit(tx).await.unwrap();
        created.token.expose().to_owned()
    }

    fn new_credential(&self, kind: CredentialKind, principal: PrincipalRef) -> NewCredential {
        let display_name = "test".to_owned();
        NewCredential {
            kind,
            organization: Some(self.organization),
            principal,
            display_name,
            origin: if kind == CredentialKind::Session { Origin::Session } else { Origin::Issued },
            creator: None,
            ttl: None,
            ends_by: None,
            sign_in_end_time: None,
        }
    }

    pub async fn project(&self, id: &str) -> Uid {
        let row = Project {
            uid: fresh(),
            organization: self.organization,
            project_id: id.parse().unwrap(),
            display_name: String::new(),
            create_time: self.server.clock.now(),
        };
        let tx = self.server.app.store().begin().await.unwrap();
        project::insert(&tx, &row).await.unwrap();
        commit(tx).await.unwrap();
        row.uid
    }

    pub async fn workspace(&self, id: &str, project: Option<Uid>, owner: Uid) -> Uid {
        let row = Workspace {
            uid: fresh(),
            organization: self.organization,
            workspace_id: id.parse().unwrap(),
            project,
            owner: Some(owner),
            display_name: String::new(),
            create_time: self.server.clock.now(),
        };
        let tx = self.server.app.store().begin().await.unwrap();
        workspace::insert(&tx, &row).await.unwrap();
        commit(tx).await.unwrap();
        row.uid
    }

    pub async fn bind(&self, account: &TestAccount, role: Role, on: RoleResource) -> Uid {
        let row = BindingRecord {
            uid: fresh(),
            binding: Binding { principal: account.account.reference(), role, resource: on },
            create_time: self.server.clock.now(),
            creator: "operator".to_owned(),
        };
        let tx = self.server.app.store().begin().await.unwrap();
        binding::insert(&tx, &row).await.unwrap();
        commit(tx).await.unwrap();
        row.uid
    }

    pub fn level(&self) -> RoleResource {
        RoleResource::Organization(self.organization)
    }

    pub fn project_resource(&self, project: Uid) -> RoleResource {
        RoleResource::Project { organization: self.organization, project }
    }

    pub fn scope(&self) -> Scope {
        Scope::new(ScopeKind::Organization, self.organization)
    }

    pub fn context(&self, project: Option<Uid>, workspace: Option<Uid>, user: Option<Uid>) -> Context {
        Context { organization: self.organization, project, workspace, user }
    }

    /// A secret with one version, a variable unless `change` says otherwise.
    pub async fn secret(
        &self,
        scope: Scope,
        name: &str,
        value: &str,
        change: impl FnOnce(&mut Secret, &mut Target),
    ) -> Uid {
        self.secrets(scope, [(name.to_owned(), value.to_owned())], change).await
    }

    /// Secrets that are alike, in one change; returns the uid of the last.
    pub async fn secrets(
        &self,
        scope: Scope,
        values: impl IntoIterator<Item = (String, String)>,
        change: impl FnOnce(&mut Secret, &mut Target),
    ) -> Uid {
        let now = self.server.clock.now();
        let tx = self.server.app.store().begin().await.unwrap();
        let mut lock = revision::lock(&tx, self.organization).await.unwrap().unwrap();
        let number = lock.bump(&tx, scope, fresh(), now).await.unwrap();
        let key = self.server.app.keys().active_data_key(&tx, self.organization).await.unwrap();
        let mut template = template(self.organization, scope, number, now);
        let mut target = Target::EnvironmentVariable;
        change(&mut template, &mut target);
        for (name, value) in values {
            template.uid = fresh();
            template.secret_id = SecretId::parse(&name, NamePolicy::Relaxed).unwrap();
            let identity = ValueIdentity {
                organization: self.organization,
                scope,
                secret: template.uid,
                secret_id: &template.secret_id,
                version: template.current_version,
                target: &target,
            };
            let version = SecretVersion {
                secret: template.uid,
                version: template.current_version,
                target: target.clone(),
                blob: key.seal(&SystemRandom, &identity, value.as_bytes()).unwrap(),
                data_key_version: key.version(),
                value_bytes: value.len().try_into().unwrap(),
                create_time: now,
                creator: "operator".to_owned(),
                destroy_time: None,
                source_version: None,
                source_secret: None,
            };
            secret::insert(&tx, &template, &version).await.unwrap();
        }
        commit(tx).await.unwrap();
        template.uid
    }

    /// Changes a secret; the same value is sealed anew if `change` counts its version up.
    pub async fn edit(&self, uid: Uid, change: impl FnOnce(&mut Secret)) {
        let tx = self.server.app.store().begin().await.unwrap();
        let SecretWithVersion { mut secret, mut version } =
            secret::by_uid(&tx, self.organization, uid).await.unwrap().unwrap();
        let keys = self.server.app.keys().data_keys(&tx, self.organization).await.unwrap();
        let before = secret.current_version;
        change(&mut secret);
        let target = version.target.clone();
        let identity = |version| ValueIdentity {
            organization: self.organization,
            scope: secret.scope,
            secret: uid,
            secret_id: &secret.secret_id,
            version,
            target: &target,
        };
        if secret.current_version == before {
            assert!(secret::update(&tx, &secret).await.unwrap());
        } else {
            let value = keys[0].open(&identity(before), &version.blob).unwrap();
            version.version = secret.current_version;
            version.blob = keys[0].seal(&SystemRandom, &identity(version.version), value.expose()).unwrap();
            assert!(secret::add_version(&tx, &secret, &version).await.unwrap());
        }
        commit(tx).await.unwrap();
    }

    /// A statement on the database itself.
    pub async fn execute(&self, statement: &str) {
        let tx = self.server.app.store().begin().await.unwrap();
        sea_orm::ConnectionTrait::execute_unprepared(&tx, statement).await.unwrap();
        commit(tx).await.unwrap();
    }
}

fn template(organization: Uid, scope: Scope, revision: u64, now: Timestamp) -> Secret {
    Secret {
        uid: Uid::nil(),
        organization,
        scope,
        secret_id: SecretId::parse("NAMELESS", NamePolicy::Strict).unwrap(),
        description: Description::default(),
        labels: Labels::default(),
        group: None,
        visibility: Visibility::All,
        override_policy: OverridePolicy::Allowed,
        disabled: false,
        redaction: Redaction::Default,
        expire_time: None,
        current_version: 1,
        revision,
        create_time: now,
        creator: "operator".to_owned(),
        update_time: now,
        updater: "operator".to_owned(),
        delete_time: None,
        purge_time: None,
    }
}

pub fn project_scope(uid: Uid) -> Scope {
    Scope::new(ScopeKind::Project, uid)
}

pub fn workspace_scope(uid: Uid) -> Scope {
    Scope::new(ScopeKind::Workspace, uid)
}

pub fn user_scope(uid: Uid) -> Scope {
    Scope::new(ScopeKind::User, uid)
}

/// Leaves a secret as it is.
pub fn plain(_: &mut Secret, _: &mut Target) {}
