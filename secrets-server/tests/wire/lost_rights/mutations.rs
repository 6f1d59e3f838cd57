//! Each kind of mutation waits for the lock while its caller loses the right to it: it is decided on what is true when it is
//! its turn.

use std::future::Future;
use std::pin::Pin;

use secrets_core::{CredentialKind, Role, Scope, ScopeKind, SessionRestrictions, Uid};
use secrets_proto::{Method, v1};
use secrets_server::auth::takes_code;
use secrets_server::clock::Clock as _;
use secrets_server::service::create_credential::NewCredential;
use secrets_server::store::audit::{self, AuditFilter, AuditRecord};
use secrets_server::store::credential::{CredentialFilter, Origin};
use secrets_server::store::revision::{self, Revision};
use secrets_server::store::{PLATFORM, WriteTransaction, binding, commit, credential};
use tonic::{Code, Status};

use super::{BINDINGS, CREDENTIAL, quiet, sent};
use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestAccount, TestOrganization, plain};
use crate::support::refusal::refusal;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, creation, mask, text};

on_both!(
    nothing_commits_after_its_callers_credential_was_revoked,
    nothing_commits_after_its_callers_roles_were_taken_away,
    what_waits_while_nothing_is_lost_commits,
    whoever_may_not_make_a_change_does_not_wait_for_the_lock,
);

async fn nothing_commits_after_its_callers_credential_was_revoked(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    for method in mutations() {
        let ended = stage.wait_and(database, method, Loss::Credential).await;
        assert_eq!(ended.map(drop).map_err(|code| (code, method)), Err((Code::Unauthenticated, method)));
    }
}

async fn nothing_commits_after_its_callers_roles_were_taken_away(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    let by_role = mutations().filter(|method| !is_the_operators(*method) && !needs_no_role(*method));
    for method in by_role {
        let ended = stage.wait_and(database, method, Loss::Roles).await;
        assert_eq!(ended.map(drop).map_err(|code| (code, method)), Err((Code::PermissionDenied, method)));
    }
}

/// Without which the other two would show nothing.
async fn what_waits_while_nothing_is_lost_commits(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    for method in mutations() {
        stage.wait_and(database, method, Loss::Nothing).await.unwrap_or_else(|code| panic!("{method}: {code:?}"));
    }
}

/// Nobody waits for the lock behind a caller whose call comes to nothing.
async fn whoever_may_not_make_a_change_does_not_wait_for_the_lock(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    for method in mutations().filter(|method| !needs_no_role(*method)) {
        let caller = match is_the_operators(method) {
            true => stage.administrator(method).await,
            false => stage.caller(method).await,
        };
        let call = stage.call(method, &caller).await;
        if !is_the_operators(method) {
            let tx = server.app.store().begin().await.unwrap();
            stage.lose(&tx, &caller, Loss::Roles).await;
            commit(tx).await.unwrap();
        }
        database.statements.take();
        let refused = refusal(call.await);
        assert_eq!((refused.code, method), (Code::PermissionDenied, method));
        let statements = database.statements.take();
        let locks: Vec<_> = statements.iter().filter(|statement| statement.contains("revisions")).collect();
        assert!(locks.is_empty(), "{method}: {locks:?}");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Nothing,
    Credential,
    Roles,
}

fn mutations() -> impl Iterator<Item = Method> {
    Method::ALL.into_iter().filter(|method| method.is_mutation())
}

fn is_the_operators(method: Method) -> bool {
    matches!(method, Method::CreateOrganization | Method::DeleteOrganization | Method::InviteAdmin)
}

/// Codes are for whoever they are for.
fn needs_no_role(method: Method) -> bool {
    takes_code(method).is_some() || is_about_own_codes(method)
}

fn is_about_own_codes(method: Method) -> bool {
    matches!(method, Method::CreateRecoveryCodes | Method::CreateSignInCode | Method::RevokeSignInCode)
}

/// An organization with something of each kind in it.
struct Stage<'a> {
    server: &'a TestServer,
    acme: TestOrganization<'a>,
    bob: TestAccount,
}

/// Who calls, and with what.
struct Caller {
    token: String,
    /// Of a user; none for the operator.
    account: Option<TestAccount>,
}

type Answer = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

impl<'a> Stage<'a> {
    async fn new(server: &'a TestServer) -> Self {
        let acme = TestOrganization::new(server, "acme").await;
        let bob = acme.member("bob").await;
        acme.service_account("ci").await;
        Self { server, acme, bob }
    }

    /// Lets a mutation wait for the lock while its caller loses something, and returns how it ends. Nothing may have changed
    /// after that.
    async fn wait_and(&self, database: &TestDatabase, method: Method, loss: Loss) -> Result<(), Code> {
        let caller = self.caller(method).await;
        let call = self.call(method, &caller).await;
        let (within, kind) = match &caller.account {
            Some(_) => (self.acme.organization, BINDINGS),
            None if method == Method::InviteAdmin => (self.acme.organization, CREDENTIAL),
            None => (PLATFORM, CREDENTIAL),
        };
        let tx = self.server.app.store().begin().await.unwrap();
        let mut lock = revision::lock(&tx, within).await.unwrap().unwrap();
        database.statements.take();
        let waiting = tokio::spawn(call);
        sent(database, kind, 1).await;
        quiet(database).await;
        self.lose(&tx, &caller, loss).await;
        let scope = Scope::new(ScopeKind::Organization, within);
        lock.bump(&tx, scope, self.server.app.service.uid().unwrap(), self.server.clock.now()).await.unwrap();
        commit(tx).await.unwrap();
        let ended = waiting.await.unwrap();
        if loss != Loss::Nothing {
            assert_eq!(self.revision(within).await, lock.current(), "{method} changed something");
            self.assert_audited(&caller, method).await;
        }
        ended.map_err(|status| refusal(Err::<(), _>(status)).code)
    }

    async fn lose(&self, tx: &WriteTransaction, caller: &Caller, loss: Loss) {
        let now = self.server.clock.now();
        match (loss, &caller.account) {
            (Loss::Nothing, _) => {}
            (Loss::Credential, Some(account)) => {
                credential::revoke_of_principal(tx, account.account.reference(), now).await.unwrap();
            }
            (Loss::Credential, None) => {
                let newest = credential::list(tx, None, &CredentialFilter::default(), None, 1).await.unwrap();
                credential::revoke(tx, None, newest[0].uid, now).await.unwrap();
            }
            (Loss::Roles, account) => {
                let account = account.as_ref().unwrap().account.reference();
                binding::delete_of_principal(tx, Some(self.acme.organization), account).await.unwrap();
            }
        }
    }

    async fn revision(&self, within: Uid) -> Revision {
        revision::current(self.server.app.store().reader(), within).await.unwrap().unwrap()
    }

    /// That it is in the audit log shows that the caller was authenticated before the loss.
    async fn assert_audited(&self, caller: &Caller, method: Method) {
        let is_in_acme = caller.account.is_some() || method == Method::InviteAdmin;
        let within = is_in_acme.then_some(self.acme.organization);
        let (filter, db) = (AuditFilter::default(), self.server.app.store().reader());
        let events = audit::list(db, within, &filter, None, 1_000).await.unwrap();
        let denied = |event: &AuditRecord| event.action == method.as_str() && event.outcome == "DENIED";
        assert!(events.iter().any(denied), "{method}: {events:?}");
    }

    /// Somebody who may: an administrator who owns a workspace, a session, an invited person, the operator.
    async fn caller(&self, method: Method) -> Caller {
        if is_the_operators(method) {
            // Later than all others, so that it is the newest.
            self.server.wait(std::time::Duration::from_secs(1));
            let mut operator = self.server.access(&self.server.operator);
            let token = operator.create_token(v1::CreateTokenRequest::default()).await.unwrap().into_inner().token;
            return Caller { token, account: None };
        }
        if let Some(kind) = takes_code(method) {
            let account = self.acme.user(&self.fresh()).await;
            let token = self.code(&account, kind).await;
            return Caller { token, account: Some(account) };
        }
        if is_about_own_codes(method) {
            let account = self.acme.user(&self.fresh()).await;
            let token = self.server.redeem(&self.code(&account, CredentialKind::Invitation).await).await;
            return Caller { token, account: Some(account) };
        }
        self.administrator(method).await
    }

    /// An administrator of the organization, or their session.
    async fn administrator(&self, method: Method) -> Caller {
        let account = self.acme.user(&self.fresh()).await;
        self.acme.bind(&account, Role::Admin, self.acme.level()).await;
        let token = match method {
            Method::RenewSession => {
                let context = self.acme.context(None, None, Some(account.uid));
                self.acme.session(&account, context, &SessionRestrictions::default()).await
            }
            _ => account.token.clone(),
        };
        Caller { token, account: Some(account) }
    }

    async fn code(&self, account: &TestAccount, kind: CredentialKind) -> String {
        let own = CredentialFilter { principal: Some(account.account.reference()), ..CredentialFilter::default() };
        let db = self.server.app.store().reader();
        let token = credential::list(db, Some(self.acme.organization), &own, None, 1).await.unwrap().remove(0);
        let new_credential = NewCredential {
            kind,
            organization: Some(self.acme.organization),
            principal: account.account.reference(),
            display_name: String::new(),
            origin: Origin::Issued,
            creator: Some(token.uid),
            ttl: None,
            ends_by: None,
            sign_in_end_time: None,
        };
        let (tx, now) = (self.server.app.store().begin().await.unwrap(), self.server.clock.now());
        let created = self.server.app.service.create_credential(&tx, new_credential, now, |_| ()).await.unwrap();
        commit(tx).await.unwrap();
        created.token.expose().to_owned()
    }

    /// An identifier that nothing else has.
    fn fresh(&self) -> String {
        format!("x{}", self.server.app.service.uid().unwrap().simple())
    }

    async fn call(&self, method: Method, caller: &Caller) -> Answer {
        match method {
            Method::CreateSecret
            | Method::UpdateSecret
            | Method::DeleteSecret
            | Method::UndeleteSecret
            | Method::RollbackSecret
            | Method::CopySecret
            | Method::MoveSecret
            | Method::DestroySecretVersion
            | Method::ImportSecrets => self.secrets_call(method, &caller.token).await,
            Method::CreateBinding
            | Method::DeleteBinding
            | Method::CreateInvitation
            | Method::RedeemInvitation
            | Method::InviteAdmin
            | Method::RefuseAdmin
            | Method::CreateRecoveryCodes
            | Method::RedeemRecoveryCode
            | Method::CreateSignInCode
            | Method::RevokeSignInCode
            | Method::RedeemSignInCode
            | Method::CreateToken
            | Method::RevokeToken
            | Method::CreateSession
            | Method::RenewSession
            | Method::RevokeSession => self.access_call(method, &caller.token).await,
            _ => self.directory_call(method, caller).await,
        }
    }

    async fn secrets_call(&self, method: Method, token: &str) -> Answer {
        let id = format!("KEY_{}", self.fresh()).to_uppercase();
        let name = format!("{ACME}/secrets/{id}");
        if !matches!(method, Method::CreateSecret | Method::ImportSecrets) {
            let uid = self.acme.secret(self.acme.scope(), &id, "value 1", plain).await;
            self.acme.edit(uid, |secret| secret.current_version += 1).await;
        }
        if method == Method::UndeleteSecret {
            let request = v1::DeleteSecretRequest { name: name.clone(), ..Default::default() };
            self.server.secrets(token).delete_secret(request).await.unwrap();
        }
        // Into one's own scope, which takes no role; and where an administrator may write.
        let parent = match method {
            Method::CopySecret => self.server.whoami(token).await.unwrap().principal,
            Method::MoveSecret => {
                let project = self.fresh();
                self.acme.project(&project).await;
                format!("{ACME}/projects/{project}")
            }
            _ => String::new(),
        };
        let mut client = self.server.secrets(token);
        Box::pin(async move {
            match method {
                Method::CopySecret => {
                    client.copy_secret(v1::CopySecretRequest { name, parent, ..Default::default() }).await.map(drop)
                }
                Method::MoveSecret => {
                    client.move_secret(v1::MoveSecretRequest { name, parent, ..Default::default() }).await.map(drop)
                }
                Method::CreateSecret => client.create_secret(creation(ACME, &id, "value")).await.map(drop),
                Method::UpdateSecret => {
                    let secret = Some(v1::Secret { name, ..Default::default() });
                    let value = text("value 3");
                    client
                        .update_secret(v1::UpdateSecretRequest { secret, value, ..Default::default() })
                        .await
                        .map(drop)
                }
                Method::DeleteSecret => {
                    client.delete_secret(v1::DeleteSecretRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::UndeleteSecret => {
                    client.undelete_secret(v1::UndeleteSecretRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::RollbackSecret => client
                    .rollback_secret(v1::RollbackSecretRequest { name, version: 1, ..Default::default() })
                    .await
                    .map(drop),
                Method::DestroySecretVersion => client
                    .destroy_secret_version(v1::DestroySecretVersionRequest { name, version: 1, ..Default::default() })
                    .await
                    .map(drop),
                _ => {
                    let source = v1::import_secrets_request::Source::Dotenv(format!("{id}=value").into_bytes());
                    let request =
                        v1::ImportSecretsRequest { parent: ACME.into(), source: Some(source), ..Default::default() };
                    client.import_secrets(request).await.map(drop)
                }
            }
        })
    }

    async fn access_call(&self, method: Method, token: &str) -> Answer {
        let (bob, id) = (format!("{ACME}/users/bob"), self.fresh());
        let name = match method {
            Method::DeleteBinding => {
                let auditor = self.acme.user(&id).await;
                let auditor = self.acme.bind(&auditor, Role::Auditor, self.acme.level()).await;
                format!("{ACME}/bindings/{auditor}")
            }
            Method::RevokeToken | Method::RevokeSession => {
                let (own, db) = (self.acme.context(None, None, Some(self.bob.uid)), self.server.app.store().reader());
                self.acme.session(&self.bob, own, &SessionRestrictions::default()).await;
                let (kind, collection) = match method {
                    Method::RevokeToken => (CredentialKind::Personal, "tokens"),
                    _ => (CredentialKind::Session, "sessions"),
                };
                let filter = CredentialFilter {
                    kinds: vec![kind],
                    principal: Some(self.bob.account.reference()),
                    ..CredentialFilter::default()
                };
                let rows = credential::list(db, Some(self.acme.organization), &filter, None, 1).await.unwrap();
                format!("{ACME}/{collection}/{}", rows[0].uid)
            }
            Method::RefuseAdmin => {
                let request = v1::InviteAdminRequest { parent: ACME.into(), user_id: id.clone(), ..Default::default() };
                let created = self.server.access(&self.server.operator).invite_admin(request).await.unwrap();
                created.into_inner().admin_invitation.unwrap().name
            }
            Method::RevokeSignInCode => {
                let request = v1::CreateSignInCodeRequest::default();
                let created = self.server.access(token).create_sign_in_code(request).await.unwrap().into_inner();
                created.sign_in_code.unwrap().name
            }
            _ => String::new(),
        };
        let mut client = self.server.access(token);
        Box::pin(async move {
            let parent = || ACME.to_owned();
            match method {
                Method::CreateBinding => {
                    let binding = v1::Binding { principal: bob, role: v1::Role::Auditor.into(), ..Default::default() };
                    let request =
                        v1::CreateBindingRequest { parent: parent(), binding: Some(binding), ..Default::default() };
                    client.create_binding(request).await.map(drop)
                }
                Method::DeleteBinding => {
                    client.delete_binding(v1::DeleteBindingRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::CreateInvitation => {
                    let request = v1::CreateInvitationRequest { parent: parent(), user_id: id, ..Default::default() };
                    client.create_invitation(request).await.map(drop)
                }
                Method::RedeemInvitation => {
                    client.redeem_invitation(v1::RedeemInvitationRequest::default()).await.map(drop)
                }
                Method::InviteAdmin => {
                    let request = v1::InviteAdminRequest { parent: parent(), user_id: id, ..Default::default() };
                    client.invite_admin(request).await.map(drop)
                }
                Method::RefuseAdmin => {
                    client.refuse_admin(v1::RefuseAdminRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::CreateRecoveryCodes => {
                    client.create_recovery_codes(v1::CreateRecoveryCodesRequest::default()).await.map(drop)
                }
                Method::RedeemRecoveryCode => {
                    client.redeem_recovery_code(v1::RedeemRecoveryCodeRequest::default()).await.map(drop)
                }
                Method::CreateSignInCode => {
                    client.create_sign_in_code(v1::CreateSignInCodeRequest::default()).await.map(drop)
                }
                Method::RevokeSignInCode => client
                    .revoke_sign_in_code(v1::RevokeSignInCodeRequest { name, ..Default::default() })
                    .await
                    .map(drop),
                Method::RedeemSignInCode => {
                    client.redeem_sign_in_code(v1::RedeemSignInCodeRequest::default()).await.map(drop)
                }
                Method::CreateToken => {
                    let principal = format!("{ACME}/serviceAccounts/ci");
                    client.create_token(v1::CreateTokenRequest { principal, ..Default::default() }).await.map(drop)
                }
                Method::RevokeToken => {
                    client.revoke_token(v1::RevokeTokenRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::CreateSession => {
                    let request = v1::CreateSessionRequest { context: Some(context("", "")), ..Default::default() };
                    client.create_session(request).await.map(drop)
                }
                Method::RenewSession => client.renew_session(v1::RenewSessionRequest::default()).await.map(drop),
                _ => client.revoke_session(v1::RevokeSessionRequest { name, ..Default::default() }).await.map(drop),
            }
        })
    }

    async fn directory_call(&self, method: Method, caller: &Caller) -> Answer {
        let id = self.fresh();
        let name = match method {
            Method::UpdateOrganization => ACME.to_owned(),
            Method::DeleteOrganization => {
                TestOrganization::new(self.server, &id).await;
                format!("organizations/{id}")
            }
            Method::DeleteProject => {
                self.acme.project(&id).await;
                format!("{ACME}/projects/{id}")
            }
            Method::DeleteWorkspace | Method::TransferWorkspace => {
                self.acme.workspace(&id, None, caller.account.as_ref().unwrap().uid).await;
                format!("{ACME}/workspaces/{id}")
            }
            Method::DeleteUser => {
                self.acme.member(&id).await;
                format!("{ACME}/users/{id}")
            }
            Method::DeleteServiceAccount => {
                self.acme.service_account(&id).await;
                format!("{ACME}/serviceAccounts/{id}")
            }
            _ => String::new(),
        };
        let mut client = self.server.directory(&caller.token);
        Box::pin(async move {
            let parent = ACME.to_owned();
            match method {
                Method::CreateOrganization => {
                    let request = v1::CreateOrganizationRequest {
                        organization_id: id,
                        admin_user_id: "ann".into(),
                        ..Default::default()
                    };
                    client.create_organization(request).await.map(drop)
                }
                Method::UpdateOrganization => {
                    let organization = v1::Organization { name, display_name: id, ..Default::default() };
                    let request = v1::UpdateOrganizationRequest {
                        organization: Some(organization),
                        update_mask: mask(&["display_name"]),
                        ..Default::default()
                    };
                    client.update_organization(request).await.map(drop)
                }
                Method::DeleteOrganization => client
                    .delete_organization(v1::DeleteOrganizationRequest { name, ..Default::default() })
                    .await
                    .map(drop),
                Method::CreateProject => {
                    let request = v1::CreateProjectRequest { parent, project_id: id, ..Default::default() };
                    client.create_project(request).await.map(drop)
                }
                Method::DeleteProject => {
                    client.delete_project(v1::DeleteProjectRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::CreateWorkspace => {
                    let request = v1::CreateWorkspaceRequest { parent, workspace_id: id, ..Default::default() };
                    client.create_workspace(request).await.map(drop)
                }
                Method::DeleteWorkspace => {
                    client.delete_workspace(v1::DeleteWorkspaceRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::TransferWorkspace => {
                    let new_owner = "bob".to_owned();
                    let request = v1::TransferWorkspaceRequest { name, new_owner, ..Default::default() };
                    client.transfer_workspace(request).await.map(drop)
                }
                Method::CreateUser => {
                    let request = v1::CreateUserRequest { parent, user_id: id, ..Default::default() };
                    client.create_user(request).await.map(drop)
                }
                Method::DeleteUser => {
                    client.delete_user(v1::DeleteUserRequest { name, ..Default::default() }).await.map(drop)
                }
                Method::CreateServiceAccount => {
                    let request =
                        v1::CreateServiceAccountRequest { parent, service_account_id: id, ..Default::default() };
                    client.create_service_account(request).await.map(drop)
                }
                Method::DeleteServiceAccount => client
                    .delete_service_account(v1::DeleteServiceAccountRequest { name, ..Default::default() })
                    .await
                    .map(drop),
                other => panic!("{other}: add a call of it here"),
            }
        })
    }
}
