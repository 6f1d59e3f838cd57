//! A PostgreSQL database that lets nobody in: callers are told within seconds, nothing leaves without its record, and the
//! server goes on by itself when the database is back.

use std::time::{Duration, Instant};

use secrets_proto::v1;
use tonic::{Request, Status};

use super::deployment::Deployment;
use super::server::{Server, assert_unavailable, create, eventually, update};
use crate::support::program::{ProgramOutput, run};

const API: &str = "organizations/acme/projects/api";
const VALUE: &str = "hunter2-hunter2";

/// A call may wait for a connection for five seconds, and a busy machine makes more of it; a hang is longer still.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn calls_fail_while_the_database_is_gone_and_succeed_when_it_is_back() {
    let deployment = Deployment::postgres().await;
    let server = deployment.start();
    let ann = server.create_organization(&deployment.operator(), "acme").await;
    server.project(&ann, "api").await;
    server.secrets(&ann).create_secret(create(API, "KEY", VALUE)).await.unwrap();

    let lost = [create(API, "LOST", VALUE), create(API, "LOST_TOO", VALUE)];
    for (outage, lost) in lost.iter().enumerate() {
        deployment.close_database().await;
        let begun = Instant::now();
        let create = server.secrets(&ann).create_secret(lost.clone()).await.map(drop);
        let (refused, write) = (refusals(&server, &ann).await, create.unwrap_err());
        assert!(begun.elapsed() < RECOVERY_TIMEOUT, "{:?}", begun.elapsed());
        for status in refused.iter().chain([&write]) {
            assert_unavailable(status);
            assert!(!format!("{status:?}").contains(VALUE));
        }
        assert_eq!(run(&["healthcheck", "--endpoint", &server.process.endpoint()]).code, Some(0), "it is up");

        deployment.open_database().await;
        let resolved = eventually(RECOVERY_TIMEOUT, async || server.resolve(&ann, "api").await).await;
        assert_eq!(resolved.secrets.len(), 1 + outage, "what was refused was not done");
        assert_eq!(resolved.secrets[0].value, VALUE.as_bytes());
        let mut secrets = server.secrets(&ann);
        let first = secrets.create_secret(lost.clone()).await.unwrap().into_inner();
        assert_eq!(secrets.create_secret(lost.clone()).await.unwrap().into_inner(), first);
    }
    let log = server.process.lines().concat();
    assert!(log.contains("the database does not answer"), "{log}");
    assert!(!log.contains(VALUE) && !log.contains(deployment.url()), "{log}");
    drop(server);
    deployment.end().await;
}

/// Asks many things at the same time; every one of them must be refused.
async fn refusals(server: &Server, token: &str) -> Vec<Status> {
    let get = v1::GetSecretRequest { name: format!("{API}/secrets/KEY") };
    let list = v1::ListSecretsRequest { parent: API.into(), ..Default::default() };
    let (mut secrets, mut other_secrets) = (server.secrets(token), server.secrets(token));
    let (mut access, mut more_secrets) = (server.access(token), server.secrets(token));
    let (resolved, got, listed, who, updated) = tokio::join!(
        server.resolve(token, "api"),
        secrets.get_secret(get),
        other_secrets.list_secrets(list),
        access.who_am_i(v1::WhoAmIRequest {}),
        more_secrets.update_secret(update(API, "KEY", "another value")),
    );
    vec![
        resolved.expect_err("no values"),
        got.unwrap_err(),
        listed.unwrap_err(),
        who.unwrap_err(),
        updated.unwrap_err(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_met_while_the_database_is_gone() {
    let deployment = Deployment::postgres().await;
    let server = deployment.start();
    let ann = server.create_organization(&deployment.operator(), "acme").await;
    deployment.close_database().await;
    let begun = Instant::now();
    let mut request = Request::new(v1::WhoAmIRequest {});
    request.set_timeout(Duration::from_millis(500));
    server.access(&ann).who_am_i(request).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    deployment.open_database().await;
    drop(server);
    deployment.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_does_not_start_and_says_why() {
    let deployment = Deployment::postgres().await;
    deployment.close_database().await;
    let begun = Instant::now();
    let ended = tokio::task::block_in_place(|| ProgramOutput::from(deployment.command().output().unwrap()));
    assert!(begun.elapsed() < RECOVERY_TIMEOUT, "{:?}", begun.elapsed());
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot open the database"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(deployment.url()), "{}", ended.stderr);
    deployment.open_database().await;
    deployment.end().await;
}
