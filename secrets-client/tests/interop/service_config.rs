//! What the library does when the service is unavailable, and what `proto/service_config.json` makes the others do.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use prost_reflect::DynamicMessage;
use secrets_client::{Client, RetryPolicy};
use serde::Deserialize;
use serde_json::json;

use super::language::{ALL, Language};
use super::methods::Method;
use super::unavailable::Unavailable;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ServiceConfig {
    method_config: Vec<MethodConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct MethodConfig {
    name: Vec<Name>,
    timeout: Option<String>,
    retry_policy: Option<RetryPolicyConfig>,
}

#[derive(Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Name {
    service: String,
    method: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RetryPolicyConfig {
    max_attempts: u32,
    initial_backoff: String,
    max_backoff: String,
    backoff_multiplier: u32,
    retryable_status_codes: Vec<String>,
}

impl ServiceConfig {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/service_config.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// What holds for a method: its own entry, else that of its service.
    fn of(&self, path: &str) -> Option<&MethodConfig> {
        let (service, method) = path.split_once('/').unwrap();
        let named = |method: Option<&str>| {
            let name = Name { service: format!("secretsapi.v1.{service}"), method: method.map(str::to_owned) };
            let mut found = self.method_config.iter().filter(move |config| config.name.contains(&name));
            let first = found.next();
            assert!(found.next().is_none(), "{path} is named twice");
            first
        };
        named(Some(method)).or_else(|| named(None))
    }
}

#[tokio::test]
async fn the_service_config_repeats_what_the_library_does_but_changes() {
    let config = ServiceConfig::read();
    let server = Unavailable::start().await;
    let twice = RetryPolicy { attempts: 2, ..RetryPolicy::NEVER };
    let client = Client::builder(&server.endpoint).retry(twice).build().unwrap();
    for method in Method::all().into_iter().filter(|method| !method.streams) {
        let request = DynamicMessage::new(method.request.clone());
        assert!(method.call(&client, &request).await.unwrap_err().is_unavailable(), "{}", method.path);
        let repeated = server.asked(&method.path) == 2;
        // The library gives each change a request id of its own; a service config can't.
        let change = method.request.get_field_by_name("request_id").is_some();
        let config = config.of(&method.path).unwrap_or_else(|| panic!("no config for {}", method.path));
        assert_eq!(config.retry_policy.is_some(), repeated && !change, "{}", method.path);
        assert_eq!(config.timeout.as_deref(), Some("30s"), "{}", method.path);
    }
}

#[test]
fn the_service_config_lets_a_stream_last() {
    let config = ServiceConfig::read();
    for method in Method::all().into_iter().filter(|method| method.streams) {
        let own = config.of(&method.path).unwrap();
        assert!(own.timeout.is_none() && own.retry_policy.is_none(), "{}", method.path);
    }
}

#[test]
fn the_service_config_waits_as_the_library_does() {
    let library = RetryPolicy::default();
    let seconds = |duration: Duration| format!("{}s", duration.as_secs_f64());
    let config = ServiceConfig::read();
    let policies: Vec<_> = config.method_config.iter().filter_map(|config| config.retry_policy.as_ref()).collect();
    assert_eq!(policies.len(), 1);
    // gRPC allows no more than five attempts.
    assert_eq!(policies[0].max_attempts, library.attempts.min(5));
    assert_eq!(policies[0].initial_backoff, seconds(library.base));
    assert_eq!(policies[0].max_backoff, seconds(library.cap));
    assert_eq!(policies[0].backoff_multiplier, 2);
    assert_eq!(policies[0].retryable_status_codes, ["UNAVAILABLE"]);
}

/// What only reads, a change, and a method that is never answered.
const WHO_AM_I: &str = "AccessService/WhoAmI";
const RESOLVE: &str = "ResolveService/Resolve";
const CREATE_PROJECT: &str = "DirectoryService/CreateProject";
const LIST_AUDIT_EVENTS: &str = "AuditService/ListAuditEvents";

#[tokio::test(flavor = "multi_thread")]
async fn every_client_follows_the_service_config() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, token) = (folder.path().join("scenario.json"), folder.path().join("token"));
    let refused = json!({"error": {"code": "UNAVAILABLE", "reason": ""}});
    let steps = json!([
        {"name": "who", "as": "operator", "call": WHO_AM_I, "request": {}, "expect": refused},
        {"name": "resolve", "as": "operator", "resolve": {}, "expect": refused},
        {"name": "change", "as": "operator", "call": CREATE_PROJECT, "request": {"project_id": "api"}, "expect": refused},
        {"name": "silence", "as": "operator", "call": LIST_AUDIT_EVENTS, "request": {}, "expect": {"error": {"code": "DEADLINE_EXCEEDED"}}},
    ]);
    std::fs::write(&scenario, json!({ "steps": steps }).to_string()).unwrap();
    std::fs::write(&token, "a-token").unwrap();
    let mut servers = Vec::new();
    for language in ALL {
        servers.push((language, Unavailable::silent_on(LIST_AUDIT_EVENTS).await));
    }
    // All at the same time: each waits for its deadline.
    let run = |language: &Language, server: &Unavailable| {
        let runner = language.runner(&server.endpoint, &token, &token);
        let start = Instant::now();
        let (passed, said) = language.run(runner, "acme", &scenario);
        assert!(passed, "{}: {said}", language.name);
        for (method, times) in [(WHO_AM_I, 5), (RESOLVE, 5), (CREATE_PROJECT, 1), (LIST_AUDIT_EVENTS, 1)] {
            assert_eq!(server.asked(method), times, "{}: {method}", language.name);
        }
        let took = start.elapsed().as_secs();
        assert!(took >= 29, "{}: it gave up after {took} s, and the deadline is 30", language.name);
    };
    tokio::task::block_in_place(|| {
        thread::scope(|threads| {
            for (language, server) in &servers {
                threads.spawn(|| run(language, server));
            }
        });
    });
}
