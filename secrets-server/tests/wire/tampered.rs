//! Whoever can write the database, and nothing else, gets at nothing: one `UPDATE` makes a row absent, and not somebody else's.

use std::sync::Arc;

use sea_orm::ConnectionTrait as _;
use secrets_core::{Role, Visibility};
use secrets_proto::v1;
use secrets_server::application::Application;
use secrets_server::clock::SystemClock;
use secrets_server::crypto::{SecretBytes, SystemRandom};
use secrets_server::keys::keyring::KeyringError;
use secrets_server::keys::{FileRootKey, RootKeyProvider as _};
use secrets_server::store::audit::{self, AuditFilter};
use secrets_server::store::{commit, key};
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestAccount, TestOrganization, plain, user_scope};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;

on_both!(
    a_token_does_not_become_somebody_elses,
    a_revoked_token_does_not_serve_again,
    a_member_does_not_become_an_administrator,
    a_secret_does_not_reach_whom_it_was_not_selected_for,
    a_secret_that_was_deleted_with_its_user_does_not_come_back,
    a_workspace_does_not_change_hands,
    what_was_edited_is_reported_once_a_minute,
    a_database_without_macs_gets_them_once,
    a_database_without_the_key_of_its_rows_is_refused,
);

/// An organization with the administrator ann and the member bob, who has a secret of his own.
struct Stage<'a> {
    acme: TestOrganization<'a>,
    ann: TestAccount,
    bob: TestAccount,
}

impl<'a> Stage<'a> {
    async fn new(server: &'a TestServer) -> Self {
        let acme = TestOrganization::new(server, "acme").await;
        let ann = acme.user("ann").await;
        acme.bind(&ann, Role::Admin, acme.level()).await;
        let bob = acme.member("bob").await;
        acme.secret(user_scope(bob.uid), "OWN", "bobs", plain).await;
        Self { acme, ann, bob }
    }

    async fn resolve(&self, token: &str) -> Result<Vec<String>, Status> {
        let request = v1::ResolveRequest { context: Some(context("", "")), ..Default::default() };
        let resolved = self.acme.server.resolver(token).resolve(request).await?.into_inner();
        Ok(resolved.secrets.into_iter().map(|secret| secret.secret_id).collect())
    }
}

async fn a_token_does_not_become_somebody_elses(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    assert_eq!(stage.resolve(&stage.ann.token).await.unwrap(), Vec::<String>::new());
    stage.acme.execute("UPDATE credentials SET principal_uid = (SELECT uid FROM users WHERE user_id = 'bob')").await;
    for token in [&stage.ann.token, &server.operator] {
        assert_eq!(refusal(stage.resolve(token).await).code, Code::Unauthenticated);
    }
    // His own says what it said.
    assert_eq!(stage.resolve(&stage.bob.token).await.unwrap(), ["OWN"]);
}

async fn a_revoked_token_does_not_serve_again(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    let mut bob = server.access(&stage.bob.token);
    let name = server.whoami(&stage.bob.token).await.unwrap().credential;
    bob.revoke_token(v1::RevokeTokenRequest { name, ..Default::default() }).await.unwrap();
    stage.acme.execute("UPDATE credentials SET revoke_time = NULL").await;
    assert_eq!(refusal(stage.resolve(&stage.bob.token).await).code, Code::Unauthenticated);
    stage.resolve(&stage.ann.token).await.unwrap();
}

async fn a_member_does_not_become_an_administrator(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    let list = async || {
        let request = v1::ListUsersRequest { parent: "organizations/acme".into(), ..Default::default() };
        server.directory(&stage.bob.token).list_users(request).await.map(drop)
    };
    list().await.unwrap();
    stage.acme.execute("UPDATE bindings SET role = 'ADMIN'").await;
    // Not even what it was.
    assert_eq!(refusal(list().await).code, Code::PermissionDenied);
    stage.acme.execute("UPDATE bindings SET role = 'MEMBER' WHERE role = 'ADMIN' AND principal_uid = (SELECT uid FROM users WHERE user_id = 'bob')").await;
    list().await.unwrap();
}

async fn a_secret_does_not_reach_whom_it_was_not_selected_for(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    let nobody = Visibility::Selected { projects: [].into(), workspaces: [].into() };
    stage.acme.secret(stage.acme.scope(), "FOR_NOBODY", "value", |secret, _| secret.visibility = nobody).await;
    stage.acme.secret(stage.acme.scope(), "FOR_ALL", "value", plain).await;
    assert_eq!(stage.resolve(&stage.bob.token).await.unwrap(), ["FOR_ALL", "OWN"]);
    stage.acme.execute("UPDATE secrets SET visibility = 'ALL'").await;
    assert_eq!(stage.resolve(&stage.bob.token).await.unwrap(), ["FOR_ALL", "OWN"]);
    stage.acme.execute("UPDATE secrets SET disabled = NOT disabled WHERE secret_id = 'FOR_ALL'").await;
    assert_eq!(stage.resolve(&stage.bob.token).await.unwrap(), ["OWN"]);
}

async fn a_secret_that_was_deleted_with_its_user_does_not_come_back(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    server.remove(&stage.ann.token, "bob").await.unwrap();
    stage.acme.execute("UPDATE users SET live = 1, delete_time = NULL, purge_time = NULL").await;
    stage.acme.execute("UPDATE secrets SET live = 1, delete_time = NULL, purge_time = NULL").await;
    stage.acme.execute("UPDATE credentials SET revoke_time = NULL").await;
    assert_eq!(refusal(stage.resolve(&stage.bob.token).await).code, Code::Unauthenticated);
    // Nor for somebody who is made anew, and then given the old uid.
    let carol = stage.acme.member("carol").await;
    stage.acme.execute("UPDATE secrets SET scope_uid = (SELECT uid FROM users WHERE user_id = 'carol')").await;
    assert_eq!(stage.resolve(&carol.token).await.unwrap(), Vec::<String>::new());
}

async fn a_workspace_does_not_change_hands(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    stage.acme.workspace("ws1", None, stage.bob.uid).await;
    let get = async |token: &str| {
        let name = "organizations/acme/workspaces/ws1".to_owned();
        server.directory(token).get_workspace(v1::GetWorkspaceRequest { name }).await.map(drop)
    };
    get(&stage.bob.token).await.unwrap();
    let carol = stage.acme.member("carol").await;
    stage.acme.execute("UPDATE workspaces SET owner_uid = (SELECT uid FROM users WHERE user_id = 'carol')").await;
    for token in [&carol.token, &stage.bob.token] {
        assert_eq!(refusal(get(token).await).code, Code::PermissionDenied);
    }
    assert_eq!(refusal(get(&stage.ann.token).await).code, Code::NotFound, "absent, for whoever may know");
}

async fn what_was_edited_is_reported_once_a_minute(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    stage.acme.execute("UPDATE secrets SET redaction = 'OFF'").await;
    for _ in 0..3 {
        stage.resolve(&stage.bob.token).await.unwrap();
    }
    server.app.jobs.report_damaged_rows().await;
    server.app.jobs.report_damaged_rows().await;
    let events = audit::list(server.app.store().reader(), None, &AuditFilter::default(), None, 100).await.unwrap();
    let reports: Vec<_> = events.iter().filter(|event| event.action == "verify_rows").collect();
    assert_eq!(reports.len(), 1, "{events:?}");
    assert!(reports[0].resource_name.starts_with("secrets/"), "{reports:?}");
    assert_eq!((reports[0].outcome.as_str(), reports[0].detail.as_str()), ("FAILED", r#"{"count":1}"#));
}

/// A server that is opened and closed, always with the same root key.
struct Installation<'a> {
    database: &'a TestDatabase,
    root_key: FileRootKey,
    _directory: TempDir,
}

impl<'a> Installation<'a> {
    fn new(database: &'a TestDatabase) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root_key = FileRootKey::create(&directory.path().join("root-key"), Arc::new(SystemRandom)).unwrap();
        Self { database, root_key, _directory: directory }
    }

    async fn open(&self) -> Result<Application, KeyringError> {
        let store = self.database.store.clone();
        Application::open(store, &self.root_key, Arc::new(SystemClock), Arc::new(SystemRandom)).await
    }

    async fn execute(&self, statement: &str) {
        let tx = self.database.store.begin().await.unwrap();
        tx.execute_unprepared(statement).await.unwrap();
        commit(tx).await.unwrap();
    }

    /// Makes the root seed what an earlier program wrapped: without a word about the rows.
    async fn forget_row_macs(&self) {
        let row = key::root_keys(self.database.store.reader()).await.unwrap().remove(0);
        let seed = self.root_key.unwrap(&row.wrapped_seed).await.unwrap();
        let bare = SecretBytes::from(seed.expose()[..32].to_vec());
        let tx = self.database.store.begin().await.unwrap();
        key::rewrap_root_key(&tx, row.version, self.root_key.wrap(&bare).await.unwrap()).await.unwrap();
        commit(tx).await.unwrap();
    }
}

async fn a_database_without_macs_gets_them_once(database: &TestDatabase) {
    let installation = Installation::new(database);
    let app = installation.open().await.unwrap();
    let first = app.service.bootstrap_operator().await.unwrap().unwrap();
    let token = first.token().expose().to_owned();
    first.keep().await.unwrap();
    let serves = async |app: &Application| app.service.find_operator_token(&token).await.unwrap().is_some();
    assert!(serves(&app).await);

    installation.execute("UPDATE credentials SET row_mac = NULL").await;
    assert!(!serves(&installation.open().await.unwrap()).await, "nobody gives it another");
    installation.execute("DELETE FROM system_keys WHERE purpose = 'ROW'").await;
    installation.forget_row_macs().await;
    assert!(serves(&installation.open().await.unwrap()).await, "as of a program that made none");
    installation.execute("UPDATE credentials SET row_mac = NULL").await;
    assert!(!serves(&installation.open().await.unwrap()).await, "once");
}

async fn a_database_without_the_key_of_its_rows_is_refused(database: &TestDatabase) {
    let installation = Installation::new(database);
    installation.open().await.unwrap();
    installation.execute("DELETE FROM system_keys WHERE purpose = 'ROW'").await;
    let refused = installation.open().await.map(drop).unwrap_err();
    assert!(matches!(refused, KeyringError::RowKeyMissing), "{refused}");
}
