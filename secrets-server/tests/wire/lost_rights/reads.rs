//! Each kind of read, by a caller who was authenticated while they had a right that they have no more: it is decided on the
//! state of the database that is read.

use secrets_core::{AccountName, Binding, CredentialKind, Principal, PrincipalName, Role, UserName};
use secrets_proto::{Method, v1};
use secrets_server::call::{Call, Caller, CallerOrganization};
use secrets_server::clock::Clock as _;
use secrets_server::error::{Error, Reason};
use secrets_server::rpc::decode::{access, audit, directory, resolve, secret};
use secrets_server::rpc::handler::UnaryFn;
use secrets_server::store::credential::{self, CredentialFilter};
use secrets_server::store::{binding, commit};

use crate::support::calls::context;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::organization::{TestAccount, TestOrganization, plain};
use crate::support::server::TestServer;
use crate::wire::secrets::ACME;

on_both!(reads_nothing_after_the_credential_was_revoked, reads_nothing_after_the_roles_were_taken_away);

async fn reads_nothing_after_the_credential_was_revoked(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    for method in reads() {
        let admin = stage.admin(method).await;
        let call = stage.call(&admin, method).await;
        assert_eq!(ask(&server, call.clone()).await, Ok(()), "{method}");
        let tx = server.app.store().begin().await.unwrap();
        credential::revoke_of_principal(&tx, admin.account.reference(), server.clock.now()).await.unwrap();
        commit(tx).await.unwrap();
        assert_eq!(ask(&server, call).await, Err(Reason::Unauthenticated), "{method}");
    }
}

async fn reads_nothing_after_the_roles_were_taken_away(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let stage = Stage::new(&server).await;
    for method in reads() {
        let admin = stage.admin(method).await;
        let call = stage.call(&admin, method).await;
        let tx = server.app.store().begin().await.unwrap();
        let organization = Some(stage.acme.organization);
        binding::delete_of_principal(&tx, organization, admin.account.reference()).await.unwrap();
        commit(tx).await.unwrap();
        let expected = match method {
            // Everybody may ask; that the answer has nothing else in it is below. Codes of one's own need no role.
            Method::WhoAmI | Method::ListOrganizations | Method::TestPermissions | Method::GetSignInCode => Ok(()),
            _ => Err(Reason::PermissionDenied),
        };
        assert_eq!(ask(&server, call.clone()).await, expected, "{method}");
        let run = async |call: Call| match method {
            Method::WhoAmI => {
                server
                    .app
                    .service
                    .run(call, |service, call| Box::pin(async move { Ok(service.whoami(call).await?.bindings.len()) }))
                    .await
            }
            Method::ListOrganizations => {
                server
                    .app
                    .service
                    .run(call, |service, call| {
                        Box::pin(async move {
                            let page = directory::list_organizations(v1::ListOrganizationsRequest::default())?;
                            Ok(service.list_organizations(call, page).await?.rows.len())
                        })
                    })
                    .await
            }
            Method::TestPermissions => {
                server
                    .app
                    .service
                    .run(call, |service, call| {
                        Box::pin(async move {
                            Ok(service.test_permissions(call, access::test_permissions(permissions())?).await?.len())
                        })
                    })
                    .await
            }
            _ => Ok(0),
        };
        assert_eq!(run(call).await.unwrap(), 0, "{method}");
    }
}

/// An open watch looks again as a call does; see `watch`.
fn reads() -> impl Iterator<Item = Method> {
    Method::ALL.into_iter().filter(|method| !method.is_mutation() && !method.is_server_streaming())
}

struct Stage<'a> {
    server: &'a TestServer,
    acme: TestOrganization<'a>,
}

impl<'a> Stage<'a> {
    async fn new(server: &'a TestServer) -> Self {
        let acme = TestOrganization::new(server, "acme").await;
        let bob = acme.member("bob").await;
        acme.project("api").await;
        acme.workspace("ws1", None, bob.uid).await;
        acme.service_account("ci").await;
        acme.secret(acme.scope(), "KEY", "value", plain).await;
        Self { server, acme }
    }

    async fn admin(&self, method: Method) -> TestAccount {
        let account = self.acme.user(&id_of(method)).await;
        self.acme.bind(&account, Role::Admin, self.acme.level()).await;
        if method == Method::GetSignInCode {
            self.acme.token(CredentialKind::SignInCode, account.account).await;
        }
        account
    }

    /// As the authenticator makes it, of what is there now.
    async fn call(&self, account: &TestAccount, method: Method) -> Call {
        let (db, within) = (self.server.app.store().reader(), self.acme.organization);
        let reference = account.account.reference();
        let kinds = vec![CredentialKind::Personal];
        let filter = CredentialFilter { kinds, principal: Some(reference), ..CredentialFilter::default() };
        let credential = credential::list(db, Some(within), &filter, None, 1).await.unwrap().remove(0);
        let name = UserName::new("acme".parse().unwrap(), id_of(method).parse().unwrap());
        let role = Binding { principal: reference, role: Role::Admin, resource: self.acme.level() };
        let caller = Caller {
            principal: Principal::from(account.account),
            name: PrincipalName::Account(AccountName::User(name)),
            organization: Some(CallerOrganization { uid: within, id: "acme".parse().unwrap() }),
            credential: credential.uid,
            expire_time: credential.expire_time,
            bindings: vec![role],
            session: None,
        };
        let (request_id, peer) = (String::new(), String::new());
        Call {
            caller,
            method,
            request_id,
            caller_request_id: String::new(),
            purpose: None,
            peer,
            now: self.server.clock.now(),
        }
    }
}

/// The identifier of the administrator who asks for it.
fn id_of(method: Method) -> String {
    method.as_str().rsplit('/').next().unwrap().to_lowercase()
}

fn permissions() -> v1::TestPermissionsRequest {
    let permissions = vec!["secrets.write".to_owned(), "organizations.update".to_owned()];
    v1::TestPermissionsRequest { resource: ACME.into(), permissions }
}

async fn run<M, I: Send + 'static, T: Send + 'static>(
    server: &TestServer,
    call: Call,
    request: M,
    decode: fn(M) -> Result<I, Error>,
    run: UnaryFn<I, T>,
) -> Result<(), Reason> {
    let input = decode(request).unwrap();
    let ended = server.app.service.run(call, |service, call| Box::pin(async move { run(service, call, input).await }));
    ended.await.map(drop).map_err(|error| error.reason())
}

macro_rules! asked {
    ($server:ident, $call:ident, $request:expr, $decode:path, $case:ident) => {
        run($server, $call, $request, $decode, |service, call, input| Box::pin(service.$case(call, input))).await
    };
}

/// Asks what the call's method answers, in this process, and returns how it ends.
async fn ask(server: &TestServer, call: Call) -> Result<(), Reason> {
    let (parent, acme_context) = (|| ACME.to_owned(), || Some(context("", "")));
    let name = |collection: &str, id: &str| format!("{ACME}/{collection}/{id}");
    let key = || name("secrets", "KEY");
    match call.method {
        Method::GetSignInCode => {
            let (db, reference) = (server.app.store().reader(), call.caller.principal.reference());
            let kinds = vec![CredentialKind::SignInCode];
            let own = CredentialFilter { kinds, principal: Some(reference), ..CredentialFilter::default() };
            let rows = credential::list(db, call.caller.organization_uid(), &own, None, 1).await.unwrap();
            let request = v1::GetSignInCodeRequest { name: name("signInCodes", &rows[0].uid.to_string()) };
            asked!(server, call, request, access::get_sign_in_code, get_sign_in_code)
        }
        Method::GetSecret => {
            asked!(server, call, v1::GetSecretRequest { name: key() }, secret::get_secret, get_secret)
        }
        Method::ListSecrets => {
            let request = v1::ListSecretsRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, secret::list_secrets, list_secrets)
        }
        Method::ListSecretVersions => {
            let request = v1::ListSecretVersionsRequest { parent: key(), ..Default::default() };
            asked!(server, call, request, secret::list_versions, list_secret_versions)
        }
        Method::Resolve => {
            let request = v1::ResolveRequest { context: acme_context(), ..Default::default() };
            asked!(server, call, request, resolve::resolve, resolve)
        }
        Method::Explain => {
            let request = v1::ExplainRequest { context: acme_context(), ..Default::default() };
            asked!(server, call, request, resolve::explain, explain)
        }
        Method::GetOrganization => {
            let request = v1::GetOrganizationRequest { name: parent() };
            asked!(server, call, request, directory::get_organization, get_organization)
        }
        Method::ListOrganizations => {
            let request = v1::ListOrganizationsRequest::default();
            asked!(server, call, request, directory::list_organizations, list_organizations)
        }
        Method::GetProject => {
            let request = v1::GetProjectRequest { name: name("projects", "api") };
            asked!(server, call, request, directory::get_project, get_project)
        }
        Method::ListProjects => {
            let request = v1::ListProjectsRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, directory::list_projects, list_projects)
        }
        Method::GetWorkspace => {
            let request = v1::GetWorkspaceRequest { name: name("workspaces", "ws1") };
            asked!(server, call, request, directory::get_workspace, get_workspace)
        }
        Method::ListWorkspaces => {
            let request = v1::ListWorkspacesRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, directory::list_workspaces, list_workspaces)
        }
        Method::GetUser => {
            let request = v1::GetUserRequest { name: name("users", "bob") };
            asked!(server, call, request, directory::get_user, get_user)
        }
        Method::ListUsers => {
            let request = v1::ListUsersRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, directory::list_users, list_users)
        }
        Method::GetServiceAccount => {
            let request = v1::GetServiceAccountRequest { name: name("serviceAccounts", "ci") };
            asked!(server, call, request, directory::get_service_account, get_service_account)
        }
        Method::ListServiceAccounts => {
            let request = v1::ListServiceAccountsRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, directory::list_service_accounts, list_service_accounts)
        }
        Method::ListBindings => {
            let request = v1::ListBindingsRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, access::list_bindings, list_bindings)
        }
        Method::ListTokens => {
            let request = v1::ListTokensRequest { principal: name("users", "bob"), ..Default::default() };
            asked!(server, call, request, access::list_tokens, list_tokens)
        }
        Method::ListSessions => {
            let request = v1::ListSessionsRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, access::list_sessions, list_sessions)
        }
        Method::WhoAmI => {
            run(server, call, v1::WhoAmIRequest {}, access::whoami, |service, call, ()| Box::pin(service.whoami(call)))
                .await
        }
        Method::TestPermissions => {
            asked!(server, call, permissions(), access::test_permissions, test_permissions)
        }
        Method::ListAuditEvents => {
            let request = v1::ListAuditEventsRequest { parent: parent(), ..Default::default() };
            asked!(server, call, request, audit::list_audit_events, list_audit_events)
        }
        Method::ListExposure => {
            let principal = format!("{ACME}/users/bob");
            let request = v1::ListExposureRequest { parent: parent(), principal, ..Default::default() };
            asked!(server, call, request, audit::list_exposure, list_exposure)
        }
        other => panic!("{other}: add a call of it here"),
    }
}
