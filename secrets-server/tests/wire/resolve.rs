//! Resolve: the right set, to the right caller, all of it or nothing, and never unrecorded.

mod answer;
mod callers;
mod failure;

use secrets_core::{Role, Target, Uid};
use secrets_proto::v1;

use crate::support::organization::{TestAccount, TestOrganization, plain, project_scope, user_scope, workspace_scope};
use crate::support::server::TestServer;

/// `acme` with bob, who owns `ws1` of the project `api`, and a secret in each of the scopes.
struct Acme<'a> {
    organization: TestOrganization<'a>,
    bob: TestAccount,
    api: Uid,
    ws1: Uid,
}

impl<'a> Acme<'a> {
    async fn new(server: &'a TestServer) -> Self {
        let organization = TestOrganization::new(server, "acme").await;
        let bob = organization.member("bob").await;
        let api = organization.project("api").await;
        let ws1 = organization.workspace("ws1", Some(api), bob.uid).await;
        organization.bind(&bob, Role::Member, organization.project_resource(api)).await;
        organization.secret(organization.scope(), "OPENAI_API_KEY", "sk-org", plain).await;
        organization.secret(organization.scope(), "LINEAR_API_KEY", "lin-org", plain).await;
        organization.secret(project_scope(api), "STRIPE_SECRET", "sk-project", plain).await;
        organization.secret(workspace_scope(ws1), "WS_TOKEN", "ws", plain).await;
        organization.secret(user_scope(bob.uid), "LINEAR_API_KEY", "lin-bob", plain).await;
        Self { organization, bob, api, ws1 }
    }

    async fn ask(&self, token: &str, request: v1::ResolveRequest) -> Result<v1::ResolveResponse, tonic::Status> {
        self.organization.server.resolver(token).resolve(request).await.map(tonic::Response::into_inner)
    }

    async fn bob_asks(&self, request: v1::ResolveRequest) -> v1::ResolveResponse {
        self.ask(&self.bob.token, request).await.unwrap()
    }
}

fn context(organization: &str, project: &str, workspace: &str, user: &str) -> Option<v1::Context> {
    let [organization, project, workspace, user] = [organization, project, workspace, user].map(str::to_owned);
    Some(v1::Context { organization, project, workspace, user })
}

fn for_ws1() -> v1::ResolveRequest {
    v1::ResolveRequest { context: context("acme", "", "ws1", ""), ..Default::default() }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn delivered(answer: &v1::ResolveResponse) -> Vec<(&str, &str)> {
    answer.secrets.iter().map(|each| (each.secret_id.as_str(), std::str::from_utf8(&each.value).unwrap())).collect()
}

fn file(path: &str) -> Target {
    Target::File { path: path.parse().unwrap(), mode: secrets_core::FileMode::default() }
}
