use std::time::Duration;

use secrets_client::{Client, Credential, Reason, RetryPolicy, v1};

use super::world::World;

fn client(world: &World, token: &str) -> Client {
    Client::builder(&world.endpoint).credential(Credential::parse(token).unwrap()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_outlives_a_killed_server() {
    let mut world = World::acme();
    let token = world.person("ann").does("token create").line();
    let client = client(&world, &token);
    let me = || client.who_am_i(v1::WhoAmIRequest {});
    assert_eq!(me().await.unwrap().principal, "organizations/acme/users/ann");

    let restarting = tokio::task::spawn_blocking(move || {
        world.restart(Duration::from_millis(500));
        world
    });
    tokio::time::sleep(Duration::from_millis(200)).await; // it is down now
    let project = |id: &str| v1::CreateProjectRequest {
        parent: "organizations/acme".into(),
        project_id: id.into(),
        ..Default::default()
    };
    client.create_project(project("made-while-down")).await.unwrap();
    me().await.unwrap();
    let world = restarting.await.unwrap();
    drop(world);
    let gone = Client::builder(client.endpoint()).retry(RetryPolicy::NEVER).build().unwrap();
    assert!(gone.who_am_i(v1::WhoAmIRequest {}).await.unwrap_err().is_unavailable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_change_is_the_same_change() {
    let world = World::acme();
    let token = world.person("ann").does("token create").line();
    let client = client(&world, &token);
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
    let world = World::acme();
    let token = world.person("bob").does("token create").line();
    let client = client(&world, &token);
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
fn an_authority_of_ones_own_is_trusted_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, certificate.cert.pem()).unwrap();
    std::fs::write(&key, certificate.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let world = World::start_with(&["--tls-cert", cert, "--tls-key", key]);
    let secure = world.endpoint.replace("http://127.0.0.1", "https://localhost");

    let trusting = world.operator().with("SECRETS_ENDPOINT", &secure).with("SECRETS_CA_FILE", cert);
    let code = trusting.does("org create acme --admin ann").line();
    let ann = world.person("ann").with("SECRETS_ENDPOINT", &secure).with("SECRETS_CA_FILE", cert);
    ann.does(&format!("login --invite {code}"));
    // A login keeps where the service is and whom to trust for it.
    let config = world.person("ann").does("config list").stdout;
    assert!(config.contains(&secure) && config.contains(cert), "{config}");

    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other_file = folder.path().join("other.pem");
    std::fs::write(&other_file, other.cert.pem()).unwrap();
    let wrong = world.operator().with("SECRETS_ENDPOINT", &secure);
    wrong.with("SECRETS_CA_FILE", other_file.to_str().unwrap()).types("whoami").fails(6).shows(&["certificate"]);
    world.operator().types("whoami").fails(6);
}
