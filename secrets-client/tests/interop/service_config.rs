//! What the library does when the service is unavailable, and what `proto/service_config.json` makes the others do.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use prost_reflect::DynamicMessage;
use secrets_client::{Client, RetryPolicy};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::{InterceptorLayer, Routes};
use tonic::{Request, Status};

use super::methods::Method;

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
            let name = Name { service: format!("secrets.v1.{service}"), method: method.map(str::to_owned) };
            let mut found = self.method_config.iter().filter(move |config| config.name.contains(&name));
            let first = found.next();
            assert!(found.next().is_none(), "{path} is named twice");
            first
        };
        named(Some(method)).or_else(|| named(None))
    }
}

/// A server that is unavailable, and counts how often it is asked.
async fn unavailable() -> (String, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let refuse = InterceptorLayer::new(move |_: Request<()>| -> Result<Request<()>, Status> {
        counter.fetch_add(1, Ordering::Relaxed);
        Err(Status::unavailable("not now"))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder().layer(refuse).add_routes(Routes::default());
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (endpoint, asked)
}

#[tokio::test]
async fn the_service_config_repeats_what_the_library_does_but_changes() {
    let config = ServiceConfig::read();
    let (endpoint, asked) = unavailable().await;
    let twice = RetryPolicy { attempts: 2, base: Duration::ZERO, cap: Duration::ZERO };
    let client = Client::builder(endpoint).retry(twice).build().unwrap();
    for method in Method::all().into_iter().filter(|method| !method.streams) {
        asked.store(0, Ordering::Relaxed);
        let request = DynamicMessage::new(method.request.clone());
        assert!(method.call(&client, &request).await.unwrap_err().is_unavailable(), "{}", method.path);
        let repeated = asked.load(Ordering::Relaxed) == 2;
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
