//! Plain gRPC tools: a real grpcurl does an admin's work with nothing but reflection, and health checks pass.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;
use tonic_reflection::pb::v1alpha::ServerReflectionRequest;
use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;

use crate::support::process::{ServerProcess, serve};
use crate::support::program::ProgramOutput;

const SERVICES: [&str; 5] = ["AccessService", "AuditService", "DirectoryService", "ResolveService", "SecretService"];

/// grpcurl against one server, with the words of the journey's alias.
struct Grpcurl<'a> {
    server: &'a ServerProcess,
    token: String,
}

impl Grpcurl<'_> {
    fn run(&self, words: &[&str]) -> ProgramOutput {
        let mut command = Command::new(program());
        command
            .env("TOKEN", &self.token)
            .args(["-plaintext", "-expand-headers", "-H", "authorization: Bearer ${TOKEN}"])
            .args(words)
            .stdin(Stdio::null());
        ProgramOutput::from(command.output().expect("grpcurl is installed by deploy/dev/install"))
    }

    fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// Calls `secretsapi.v1.{method}`, which must succeed.
    fn call(&self, method: &str, request: &Value) -> Value {
        let ended = self.run(&["-d", &request.to_string(), &self.address(), &format!("secretsapi.v1.{method}")]);
        assert_eq!(ended.code, Some(0), "{method}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// Calls it, and returns what it is told when that fails.
    fn refused(&self, method: &str, request: &Value) -> String {
        let ended = self.run(&["-d", &request.to_string(), &self.address(), &format!("secretsapi.v1.{method}")]);
        assert_ne!(ended.code, Some(0), "{}", ended.stdout);
        ended.stderr
    }
}

/// Where `make test` puts grpcurl, beside the directory of this build; else the one of the search path.
fn program() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_secrets-server"));
    let mut installed = built.ancestors().map(|directory| directory.join("tools/bin/grpcurl"));
    installed.find(|path| path.is_file()).unwrap_or_else(|| "grpcurl".into())
}

fn operator<'a>(server: &'a ServerProcess, directory: &Path) -> Grpcurl<'a> {
    let token = std::fs::read_to_string(directory.join("data/operator-token")).unwrap();
    Grpcurl { server, token: token.trim().to_owned() }
}

/// The admin of a new organization `acme`, which grpcurl made as well.
fn admin<'a>(server: &'a ServerProcess, directory: &Path) -> Grpcurl<'a> {
    let operator = operator(server, directory);
    let created = operator
        .call("DirectoryService/CreateOrganization", &json!({"organization_id": "acme", "admin_user_id": "ann"}));
    let code = created["invitation"]["code"].as_str().unwrap();
    let invited = Grpcurl { server, token: code.to_owned() };
    let redeemed = invited.call("AccessService/RedeemInvitation", &json!({}));
    let token = redeemed["token"].as_str().unwrap_or_else(|| panic!("{redeemed}")).to_owned();
    Grpcurl { server, token }
}

#[test]
fn lists_and_describes_what_the_server_offers() {
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &[]));
    let grpcurl = Grpcurl { server: &server, token: String::new() };
    let listed = grpcurl.run(&[&grpcurl.address(), "list"]).stdout;
    let expected: Vec<_> = SERVICES.iter().map(|service| format!("secretsapi.v1.{service}")).collect();
    let ours: Vec<_> = listed.lines().filter(|line| line.starts_with("secretsapi.")).collect();
    assert_eq!(ours, expected);
    let described = grpcurl.run(&[&grpcurl.address(), "describe", "secretsapi.v1.ResolveService"]).stdout;
    assert!(described.contains("rpc Resolve ( .secretsapi.v1.ResolveRequest )"), "{described}");
}

#[test]
fn does_an_admins_work() {
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &[]));
    let ann = admin(&server, directory.path());
    ann.call("DirectoryService/CreateProject", &json!({"parent": "organizations/acme", "project_id": "api"}));
    ann.call(
        "DirectoryService/CreateWorkspace",
        &json!({"parent": "organizations/acme", "workspace_id": "ws1", "workspace": {"project": "api"}}),
    );
    let created = ann.call(
        "SecretService/CreateSecret",
        &json!({"parent": "organizations/acme/projects/api", "secret_id": "STRIPE_SECRET", "value": {"text": "sk_test_1"}}),
    );
    assert_eq!(created["secret"]["maskedValue"], "••••••••");
    assert!(!created.to_string().contains("sk_test_1"), "{created}");

    let listed = ann.call(
        "SecretService/ListSecrets",
        &json!({"parent": "organizations/acme/workspaces/ws1", "include_inherited": true}),
    );
    assert_eq!(listed["secrets"][0]["secretId"], "STRIPE_SECRET");
    assert_eq!(listed["secrets"][0]["inherited"], true);

    let resolved =
        ann.call("ResolveService/Resolve", &json!({"context": {"organization": "acme", "workspace": "ws1"}}));
    assert_eq!(resolved["secrets"][0]["secretId"], "STRIPE_SECRET");
    assert_eq!(resolved["secrets"][0]["value"], "c2tfdGVzdF8x", "base64 of `sk_test_1`, as JSON has bytes");
}

#[test]
fn shows_a_person_with_grpcurl_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &[]));
    let ann = admin(&server, directory.path());
    let error = ann.refused(
        "SecretService/CreateSecret",
        &json!({"parent": "organizations/acme", "secret_id": "linear-api-key", "value": {"text": "canary-value"}}),
    );
    for words in ["InvalidArgument", "INVALID_SECRET_ID", "LINEAR_API_KEY", "secret_id"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(!error.contains("canary-value"), "{error}");
    let nobody = Grpcurl { server: &server, token: String::new() };
    let error = nobody.refused("SecretService/ListSecrets", &json!({"parent": "organizations/acme"}));
    assert!(error.contains("UNAUTHENTICATED"), "{error}");
}

#[test]
fn every_service_is_healthy_until_the_server_stops() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start(serve(directory.path(), &[]));
    {
        let grpcurl = Grpcurl { server: &server, token: String::new() };
        let services = SERVICES.iter().map(|service| format!("secretsapi.v1.{service}"));
        for service in services.chain([String::new()]) {
            let question = json!({"service": service}).to_string();
            let ended = grpcurl.run(&["-d", &question, &grpcurl.address(), "grpc.health.v1.Health/Check"]);
            assert!(ended.stdout.contains("\"SERVING\""), "{service}: {}{}", ended.stdout, ended.stderr);
        }
        let unknown = r#"{"service":"secretsapi.v1.NoService"}"#;
        let ended = grpcurl.run(&["-d", unknown, &grpcurl.address(), "grpc.health.v1.Health/Check"]);
        assert!(ended.stderr.contains("NotFound"), "{}", ended.stderr);
    }
    server.send_signal(Signal::TERM);
    server.wait();
    let grpcurl = Grpcurl { server: &server, token: String::new() };
    let ended = grpcurl.run(&["-connect-timeout", "2", &grpcurl.address(), "grpc.health.v1.Health/Check"]);
    assert_ne!(ended.code, Some(0));
}

/// Older tools, among them Python's and Java's, ask only this version.
#[tokio::test]
async fn answers_tools_that_know_reflection_v1alpha_only() {
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &[]));
    let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let questions = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("secretsapi.v1.SecretService".to_owned())),
    ]);
    let channel = tonic::transport::Endpoint::new(server.endpoint()).unwrap().connect().await.unwrap();
    let answers = ServerReflectionClient::new(channel).server_reflection_info(questions).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap().message_response.unwrap()).collect().await;
    let [MessageResponse::ListServicesResponse(listed), MessageResponse::FileDescriptorResponse(described)] =
        answers.as_slice()
    else {
        panic!("{answers:?}");
    };
    for service in SERVICES {
        assert!(
            listed.service.iter().any(|each| each.name == format!("secretsapi.v1.{service}")),
            "{service}: {listed:?}"
        );
    }
    assert!(!described.file_descriptor_proto.is_empty());
}
