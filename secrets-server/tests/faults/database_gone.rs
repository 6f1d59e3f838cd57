//! A PostgreSQL database that lets nobody in: callers are told within seconds, nothing leaves without its record, and the
//! server goes on by itself when the database is back.

use std::time::{Duration, Instant};

use secrets_proto::v1;
use tonic::{Request, Status};

use super::installation::Installation;
use super::node::{Node, assert_unavailable, create, eventually, update};
use crate::program::{Ended, run};

const API: &str = "organizations/acme/projects/api";
const VALUE: &str = "hunter2-hunter2";

/// A call may wait for a connection for five seconds, and a busy machine makes more of it; a hang is longer still.
const SOON: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_told_that_the_database_is_gone_and_served_when_it_is_back() {
    let installation = Installation::postgres().await;
    let node = installation.start();
    let ann = node.acme(&installation.operator()).await;
    node.project(&ann, "api").await;
    node.secrets(&ann).create_secret(create(API, "KEY", VALUE)).await.unwrap();

    let lost = [create(API, "LOST", VALUE), create(API, "LOST_TOO", VALUE)];
    for (outage, lost) in lost.iter().enumerate() {
        installation.close_database().await;
        let begun = Instant::now();
        let create = node.secrets(&ann).create_secret(lost.clone()).await.map(drop);
        let (refused, write) = (refusals(&node, &ann).await, create.unwrap_err());
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        for status in refused.iter().chain([&write]) {
            assert_unavailable(status);
            assert!(!format!("{status:?}").contains(VALUE));
        }
        assert_eq!(run(&["healthcheck", "--endpoint", &node.serving.endpoint()]).code, Some(0), "it is up");

        installation.open_database().await;
        let resolved = eventually(SOON, async || node.resolve(&ann, "api").await).await;
        assert_eq!(resolved.secrets.len(), 1 + outage, "what was refused was not done");
        assert_eq!(resolved.secrets[0].value, VALUE.as_bytes());
        let mut secrets = node.secrets(&ann);
        let first = secrets.create_secret(lost.clone()).await.unwrap().into_inner();
        assert_eq!(secrets.create_secret(lost.clone()).await.unwrap().into_inner(), first);
    }
    let log = node.serving.lines().concat();
    assert!(log.contains("the database does not answer"), "{log}");
    assert!(!log.contains(VALUE) && !log.contains(installation.url()), "{log}");
    drop(node);
    installation.end().await;
}

/// Asks many things at the same time; every one of them must be refused.
async fn refusals(node: &Node, token: &str) -> Vec<Status> {
    let get = v1::GetSecretRequest { name: format!("{API}/secrets/KEY") };
    let list = v1::ListSecretsRequest { parent: API.into(), ..Default::default() };
    let (mut secrets, mut other_secrets) = (node.secrets(token), node.secrets(token));
    let (mut access, mut more_secrets) = (node.access(token), node.secrets(token));
    let (resolved, got, listed, who, updated) = tokio::join!(
        node.resolve(token, "api"),
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
async fn a_deadline_is_kept_while_the_database_is_gone() {
    let installation = Installation::postgres().await;
    let node = installation.start();
    let ann = node.acme(&installation.operator()).await;
    installation.close_database().await;
    let begun = Instant::now();
    let mut request = Request::new(v1::WhoAmIRequest {});
    request.set_timeout(Duration::from_millis(500));
    node.access(&ann).who_am_i(request).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    installation.open_database().await;
    drop(node);
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_does_not_start_and_says_why() {
    let installation = Installation::postgres().await;
    installation.close_database().await;
    let begun = Instant::now();
    let ended = tokio::task::block_in_place(|| Ended::of(installation.command().output().unwrap()));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot open the database"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(installation.url()), "{}", ended.stderr);
    installation.open_database().await;
    installation.end().await;
}
