use std::time::Duration;

use secrets_client::{Client, Credential, Reason, RetryPolicy, v1};

use crate::support::TestServer;

fn client(server: &TestServer, token: &str) -> Client {
    Client::builder(&server.endpoint).credential(Credential::parse(token).unwrap()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_continues_after_a_killed_server() {
    let mut server = TestServer::acme();
    let token = server.person("ann").run_ok("token create").line();
    let client = client(&server, &token);
    let me = || client.who_am_i(v1::WhoAmIRequest {});
    assert_eq!(me().await.unwrap().principal, "organizations/acme/users/ann");

    let restarting = tokio::task::spawn_blocking(move || {
        server.restart(Duration::from_millis(500));
        server
    });
    tokio::time::sleep(Duration::from_millis(200)).await; // it is down now
    let project = |id: &str| v1::CreateProjectRequest {
        parent: "organizations/acme".into(),
        project_id: id.into(),
        ..Default::default()
    };
    client.create_project(project("made-while-down")).await.unwrap();
    me().await.unwrap();
    let server = restarting.await.unwrap();
    drop(server);
    let gone = Client::builder(client.endpoint()).retry(RetryPolicy::NEVER).build().unwrap();
    assert!(gone.who_am_i(v1::WhoAmIRequest {}).await.unwrap_err().is_unavailable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_change_is_the_same_change() {
    let server = TestServer::acme();
    let token = server.person("ann").run_ok("token create").line();
    let client = client(&server, &token);
    let request = v1::CreateProjectRequest {
        parent: "organizations/acme".into(),
        project_id: "once".into(),
        request_id: "8b1f4a52-0f5c-4d0e-9d0a-3b7b6f0d5c11".into(),
        ..Default::default()
    };
    let first = client.create_project(request.clone()).await.unwrap().project.unwrap();
    let second = client.create_project(request.clone()).await.unwrap().project.unwrap();
    assert_eq!(first.uid, second.uid);
    let anew = v1::CreateProjectRequest { request_id: String::new(), ..request };
    assert_eq!(client.create_project(anew).await.unwrap_err().reason(), Some(Reason::AlreadyExists));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_has_a_reason_and_a_missing_name_is_listed() {
    let server = TestServer::acme();
    let token = server.person("bob").run_ok("token create").line();
    let client = client(&server, &token);
    let name = "organizations/other/secrets/A".to_owned();
    let denied = client.get_secret(v1::GetSecretRequest { name }).await.unwrap_err();
    assert_eq!(denied.reason(), Some(Reason::PermissionDenied));
    let request = v1::ResolveRequest {
        context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
        required_secret_ids: vec!["NOT_THERE".into()],
        ..Default::default()
    };
    let missing = client.resolve(request).await.err().unwrap();
    assert_eq!(missing.reason(), Some(Reason::SecretRequiredMissing));
    assert!(missing.to_string().contains("NOT_THERE"), "{missing}");
}

#[test]
fn only_the_configured_authority_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert, certificate.cert.pem()).unwrap();
    std::fs::write(&key, certificate.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let server = TestServer::start_with(&["--tls-cert", cert, "--tls-key", key]);
    let secure = server.endpoint.replace("http://127.0.0.1", "https://localhost");

    let trusting = server.operator().with("SECRETS_ENDPOINT", &secure).with("SECRETS_CA_FILE", cert);
    let code = trusting.run_ok("org create acme --admin ann").line();
    let ann = server.person("ann").with("SECRETS_ENDPOINT", &secure).with("SECRETS_CA_FILE", cert);
    ann.run_ok(&format!("login --invite {code}"));
    // A login keeps where the service is and whom to trust for it.
    let config = server.person("ann").run_ok("config list").stdout;
    assert!(config.contains(&secure) && config.contains(cert), "{config}");

    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other_file = directory.path().join("other.pem");
    std::fs::write(&other_file, other.cert.pem()).unwrap();
    let wrong = server.operator().with("SECRETS_ENDPOINT", &secure);
    wrong
        .with("SECRETS_CA_FILE", other_file.to_str().unwrap())
        .run("whoami")
        .expect_failure(6)
        .expect_text(&["certificate"]);
    server.operator().run("whoami").expect_failure(6);
}
