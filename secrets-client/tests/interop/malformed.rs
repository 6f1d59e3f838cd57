//! Each malformed answer, in every language that has a client: refused whole, with the rule that it breaks.

use std::collections::BTreeSet;
use std::time::Duration;

use secrets_client::{Client, ClientError, Credential};
use serde_json::{Value, json};

use super::answers::{self, AnsweringService, Answers};
use super::events::Events;
use super::language::{GO, JAVA, Language, PYTHON, TYPESCRIPT, output};
use super::scenario_run::environment;

/// Longer than all the answers may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Through the client's own `resolve`, and through its generated stub.
const TIMES: usize = 2;
/// What no error may hold.
const VALUE: &str = "canary-7f1c";

#[tokio::test(flavor = "multi_thread")]
async fn python_trusts_no_answer() {
    trusts_no_answer(&PYTHON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_trusts_no_answer() {
    trusts_no_answer(&TYPESCRIPT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn go_trusts_no_answer() {
    trusts_no_answer(&GO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn java_trusts_no_answer() {
    trusts_no_answer(&JAVA).await;
}

#[tokio::test]
async fn rust_trusts_no_answer() {
    let file = Answers::read();
    let endpoint = AnsweringService::start(file.responses(), 1).await;
    let client = Client::builder(&endpoint).credential(Credential::parse("sper_token").unwrap()).build().unwrap();
    for case in &file.malformed {
        match client.resolve(case.request()).await {
            Err(error @ ClientError::Malformed(_)) => {
                let message = error.to_string();
                assert!(!message.contains(VALUE) && !message.chars().any(char::is_control), "{message}");
            }
            other => panic!("{}: {other:?}", case.about),
        }
    }
    for case in &file.accepted {
        let set = client.resolve(case.request()).await.unwrap_or_else(|error| panic!("{}: {error}", case.about));
        let names: Vec<_> = set.secrets.iter().map(|secret| secret.secret_id().as_str()).collect();
        let left_out: Vec<_> = set.left_out.iter().map(|left_out| left_out.secret_id.as_str()).collect();
        assert_eq!(names, case.names, "{}", case.about);
        assert_eq!(left_out, case.left_out, "{}", case.about);
        assert_eq!(environment(&set.secrets), case.environment, "{}", case.about);
    }
}

#[test]
fn every_rule_is_broken_by_an_answer_or_an_event() {
    let rules: Value = serde_json::from_str(include_str!("../../../secrets-core/rules.json")).unwrap();
    let (answers, events) = (Answers::read(), Events::read());
    let broken = answers.malformed.iter().map(|case| &case.rule).chain(events.malformed.iter().map(|case| &case.rule));
    let broken: BTreeSet<_> = broken.collect();
    let rules: BTreeSet<_> = rules["rules"].as_object().unwrap().keys().collect();
    assert_eq!(broken, rules);
}

async fn trusts_no_answer(language: &'static Language) {
    let file = Answers::read();
    let endpoint = AnsweringService::start(file.responses(), TIMES).await;
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "a-token").unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut runner = language.runner(&endpoint, &token, &token);
        output(runner.arg("--answers").arg(answers::path()), TIMEOUT)
    });
    let ended = ended.await.unwrap();
    let (printed, stderr) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert!(ended.status.success(), "{}: {stderr}", language.name);
    assert!(!stderr.contains(VALUE), "{}: {stderr}", language.name);

    let mut came = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for case in &file.malformed {
        for _ in 0..TIMES {
            let came = came.next().unwrap();
            assert_eq!(came["rule"], case.rule, "{}: {}: {came}", language.name, case.about);
            let message = came["message"].as_str().unwrap();
            assert!(message.starts_with("the answer of the service breaks a rule"), "{}: {message}", language.name);
            assert!(!message.contains(VALUE) && !message.chars().any(char::is_control), "{}: {message}", language.name);
        }
    }
    for case in &file.accepted {
        let expected = [json!({ "environment": case.environment }), json!({ "names": case.names })];
        for expected in expected {
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
