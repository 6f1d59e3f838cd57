//! Health: the services are not serving while they can't, whoever asks whether the process is alive hears that it is, and
//! nobody takes much to do for a fault.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, prlimit};

use super::deployment::Deployment;
use super::disk_full;
use super::server::{Server, assert_unavailable, create, eventually};
use crate::support::program::run;

const API: &str = "organizations/acme/projects/api";
/// It takes three failures in a row, each of which may take a while to come.
const REPORT_TIMEOUT: Duration = Duration::from_secs(90);

fn serves(server: &Server, service: &str) -> bool {
    let endpoint = server.process.endpoint();
    tokio::task::block_in_place(|| run(&["healthcheck", "--endpoint", &endpoint, "--service", service])).code == Some(0)
}

/// Waits until health says so of a service; meanwhile and then the process as a whole is alive.
async fn reported(server: &Server, expected: bool) {
    let begun = Instant::now();
    while serves(server, "secretsapi.v1.ResolveService") != expected {
        assert!(begun.elapsed() < REPORT_TIMEOUT, "{:?}", server.process.lines());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(serves(server, ""));
    assert_eq!(serves(server, "secretsapi.v1.AuditService"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_is_alive_and_serves_nothing() {
    let deployment = Deployment::postgres().await;
    let server = deployment.start();
    reported(&server, true).await;
    deployment.close_database().await;
    reported(&server, false).await;
    deployment.open_database().await;
    reported(&server, true).await;
    drop(server);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_database_is_read_only_serves_nothing_until_it_is_not() {
    let deployment = Deployment::postgres().await;
    let server = deployment.start();
    let ann = server.create_organization(&deployment.operator(), "acme").await;
    server.project(&ann, "api").await;
    deployment.set_read_only(true).await;
    let refused = server.secrets(&ann).create_secret(create(API, "KEY", "value-1")).await.unwrap_err();
    assert_unavailable(&refused);
    reported(&server, false).await;
    deployment.set_read_only(false).await;
    // Its connections of before would be read-only for ever.
    let again = create(API, "KEY", "value-1");
    eventually(Duration::from_secs(10), async || server.secrets(&ann).create_secret(again.clone()).await).await;
    reported(&server, true).await;
    drop(server);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_to_write_serves_nothing() {
    let deployment = Deployment::sqlite();
    let server = disk_full::start(&deployment);
    reported(&server, true).await;
    let limit = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(server.process.pid()), Resource::Fsize, limit).unwrap();
    };
    limit(Some(0));
    reported(&server, false).await;
    limit(None);
    reported(&server, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_for_health_alone_tells_of_every_service_and_offers_none() {
    let deployment = Deployment::sqlite();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("server.toml");
    let text = "[[listeners]]\naddress = '127.0.0.1:0'\nservices = ['health']\n";
    std::fs::write(&config, text).unwrap();
    let server = Server::start(deployment.command_with(&["--config", config.to_str().unwrap()]));
    reported(&server, true).await;
    assert!(!serves(&server, "secretsapi.v1.NoService"));
    let refused =
        server.access(&deployment.operator()).who_am_i(secrets_proto::v1::WhoAmIRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unimplemented);
}
