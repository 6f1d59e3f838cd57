//! Watches: each is open without end, so how many there may be is limited by caller, by organization while few are left, and by
//! what they keep in memory.

use std::num::NonZeroU32;
use std::time::Duration;

use secrets_proto::v1;
use secrets_server::admission::AdmissionLimits;
use secrets_server::config::Limits;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::{TestServer, roomy};

on_both!(
    a_user_has_few_watches_with_all_their_sessions,
    a_watch_that_keeps_much_counts_more_often,
    an_organization_alone_may_have_all_and_gives_way_to_another,
    an_open_watch_is_no_call_under_way,
);

const TIMEOUT: Duration = Duration::from_secs(60);

fn limits(change: impl FnOnce(&mut AdmissionLimits)) -> Limits {
    let mut limits = roomy();
    change(&mut limits.admission);
    limits
}

fn few(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

type Watch = Streaming<v1::WatchResponse>;

/// Opens a watch of the caller's own context, and waits for its first event.
async fn open(server: &TestServer, token: &str, organization: &str, names: &[String]) -> Result<Watch, Status> {
    // A session has its own context.
    let context =
        (!organization.is_empty()).then(|| v1::Context { organization: organization.into(), ..Default::default() });
    let request = v1::WatchRequest { context, secret_ids: names.to_vec(), ..Default::default() };
    let mut watch = server.resolver(token).watch(request).await?.into_inner();
    watch.message().await?.unwrap();
    Ok(watch)
}

fn assert_refused(status: &Status) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((status.code(), info.reason.as_str()), (Code::ResourceExhausted, "RATE_LIMITED"), "{status:?}");
    assert_eq!(info.metadata["limit"], "watches");
    assert!(details.retry_info().and_then(|info| info.retry_delay).is_some_and(|wait| !wait.is_zero()));
}

async fn until_opened(server: &TestServer, token: &str, organization: &str) -> Watch {
    for _ in 0..5000 {
        match open(server, token, organization, &[]).await {
            Ok(watch) => return watch,
            Err(status) => assert_refused(&status),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("a watch that ended gives its slot back");
}

async fn a_user_has_few_watches_with_all_their_sessions(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.watches = few(4))).await;
    let ann = server.organization("acme").await;
    let bob = server.person(&ann, "acme", "bob").await;
    let session = server.session(&ann, "", "ann").await.unwrap().token;
    let mut watches = vec![open(&server, &ann, "acme", &[]).await.unwrap()];
    for _ in 0..2 {
        watches.push(open(&server, &session, "", &[]).await.unwrap());
    }
    watches.push(open(&server, &ann, "acme", &[]).await.unwrap());
    let another = server.session(&ann, "", "ann").await.unwrap().token;
    for _ in 0..3 {
        assert_refused(&open(&server, &ann, "acme", &[]).await.unwrap_err());
        assert_refused(&open(&server, &session, "", &[]).await.unwrap_err());
        assert_refused(&open(&server, &another, "", &[]).await.unwrap_err());
    }
    open(&server, &bob, "acme", &[]).await.unwrap();
    watches.pop();
    until_opened(&server, &another, "").await;
}

async fn a_watch_that_keeps_much_counts_more_often(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.watches = few(32))).await;
    let ann = server.organization("acme").await;
    let names: Vec<_> = (0..4_000).map(|n| format!("NAME_{n:0100}")).collect();
    let large = open(&server, &ann, "acme", &names).await.unwrap();
    assert_refused(&open(&server, &ann, "acme", &names).await.unwrap_err());
    let mut small = Vec::new();
    while let Ok(watch) = open(&server, &ann, "acme", &names[..1]).await {
        small.push(watch);
        assert!(small.len() < 32);
    }
    assert!((8..16).contains(&small.len()), "{}", small.len());
    drop(large);
    until_opened(&server, &ann, "acme").await;
}

async fn an_organization_alone_may_have_all_and_gives_way_to_another(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.watches = few(8))).await;
    let ann = server.organization("acme").await;
    let rival = server.organization("rival").await;
    let mut watches = Vec::new();
    for _ in 0..8 {
        watches.push(open(&server, &ann, "acme", &[]).await.unwrap());
    }
    assert_refused(&open(&server, &ann, "acme", &[]).await.unwrap_err());
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(open(&server, &rival, "rival", &[]).await.unwrap());
    }
    // Both have the same.
    assert_refused(&open(&server, &rival, "rival", &[]).await.unwrap_err());
    assert_refused(&open(&server, &ann, "acme", &[]).await.unwrap_err());
    for mut ended in watches.split_off(4) {
        let event = tokio::time::timeout(TIMEOUT, ended.message()).await.unwrap();
        assert_refused(&event.unwrap_err());
    }
    for open in watches.iter_mut().chain(&mut others) {
        assert!(tokio::time::timeout(Duration::from_millis(10), open.message()).await.is_err(), "it is open");
    }
}

async fn an_open_watch_is_no_call_under_way(database: &TestDatabase) {
    let server = TestServer::start_with(database, limits(|admission| admission.person.calls = few(2))).await;
    let ann = server.organization("acme").await;
    let mut watches = Vec::new();
    for _ in 0..20 {
        watches.push(open(&server, &ann, "acme", &[]).await.unwrap());
        server.whoami(&ann).await.unwrap();
    }
}
