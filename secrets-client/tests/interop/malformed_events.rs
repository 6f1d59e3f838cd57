//! Each malformed event of a watch, in every language that has a client: the watch is refused, with the rule that it breaks.

use std::time::Duration;

use secrets_client::v1;
use secrets_client::{Client, ClientError, Watch, WatchEventKind};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::events::{self, Events, WatchedService};
use super::language::{GO, JAVA, Language, PYTHON, TYPESCRIPT, output};

/// Longer than all the streams may take.
const TIMEOUT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn python_trusts_no_event() {
    trusts_no_event(&PYTHON, 2).await;
}

/// It has no generated method for streams.
#[tokio::test(flavor = "multi_thread")]
async fn typescript_trusts_no_event() {
    trusts_no_event(&TYPESCRIPT, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn go_trusts_no_event() {
    trusts_no_event(&GO, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn java_trusts_no_event() {
    trusts_no_event(&JAVA, 2).await;
}

#[tokio::test]
async fn rust_trusts_no_event() {
    let file = Events::read();
    let endpoint = WatchedService::start(&file, 1).await;
    let client = Client::builder(&endpoint).build().unwrap();
    for case in &file.malformed {
        let (delivered, error) = timeout(TIMEOUT, watched(client.watch(case.request()))).await.expect(&case.about);
        assert!(matches!(error, ClientError::Malformed(_)), "{}: {error:?}", case.about);
        assert!(!error.to_string().chars().any(char::is_control), "{error}");
        assert_eq!(delivered, case.delivered, "{}", case.about);
    }
    for case in &file.accepted {
        let (delivered, error) = timeout(TIMEOUT, watched(client.watch(case.request()))).await.expect(&case.about);
        assert_eq!(error.code(), tonic::Code::OutOfRange, "{}: {error}", case.about);
        assert_eq!(delivered, case.delivered, "{}", case.about);
    }
}

/// The names of each event, and what ends them.
async fn watched(mut watch: Watch) -> (Vec<Vec<String>>, ClientError) {
    let mut delivered = Vec::new();
    let ids = |secrets: Vec<v1::WatchedSecret>| secrets.into_iter().map(|secret| secret.secret_id);
    loop {
        match watch.next().await.map(|event| event.kind) {
            Ok(WatchEventKind::Set(set)) => delivered.push(ids(set.secrets).collect()),
            Ok(WatchEventKind::Changed(change)) => {
                delivered.push(ids(change.added).chain(ids(change.updated)).chain(change.removed).collect());
            }
            Ok(WatchEventKind::Unchanged) => {}
            Err(error) => return (delivered, error),
        }
    }
}

/// Each stream is watched by the client's own `watch`, and by its generated method where it has one.
async fn trusts_no_event(language: &'static Language, times: usize) {
    let file = Events::read();
    let endpoint = WatchedService::start(&file, times).await;
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "a-token").unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut runner = language.runner(&endpoint, &token, &token);
        output(runner.arg("--events").arg(events::path()), TIMEOUT)
    });
    let ended = ended.await.unwrap();
    let (printed, stderr) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert!(ended.status.success(), "{}: {printed}{stderr}", language.name);

    let mut came = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for case in &file.malformed {
        for _ in 0..times {
            let came = came.next().unwrap();
            assert_eq!(came["rule"], case.rule, "{}: {}: {came}", language.name, case.about);
            assert_eq!(came["delivered"], json!(case.delivered), "{}: {}", language.name, case.about);
            let message = came["message"].as_str().unwrap();
            assert!(message.starts_with("the answer of the service breaks a rule"), "{}: {message}", language.name);
            assert!(!message.chars().any(char::is_control), "{}: {message}", language.name);
        }
    }
    for case in &file.accepted {
        for _ in 0..times {
            let expected = json!({ "delivered": case.delivered, "code": "OUT_OF_RANGE" });
            assert_eq!(came.next().unwrap(), expected, "{}: {}", language.name, case.about);
        }
        for name in &case.left_out {
            assert!(stderr.contains(&format!("{name} was left out")), "{}: {name}: {stderr}", language.name);
        }
        for name in &case.soft {
            assert!(stderr.contains(&format!("{name} is delivered, and ")), "{}: {name}: {stderr}", language.name);
        }
    }
    assert!(came.next().is_none(), "{}", language.name);
}
