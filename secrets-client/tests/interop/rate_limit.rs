//! A service that refuses calls because there were too many, and every client that waits as it asks to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use prost_types::Duration as Wait;
use secrets_client::v1;
use secrets_proto::ERROR_DOMAIN;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::pb;

use super::language::{ALL, Language};
use crate::support::{HostileService, Reply};

/// How long the service asks to wait.
const ASKED: Duration = Duration::from_millis(200);
/// The shortest wait of a client.
const MIN_WAIT: Duration = Duration::from_millis(100);

/// What a method is answered with.
#[derive(Clone, Copy)]
enum Limit {
    /// Twice that there were too many calls, and how long to wait; then with success.
    Twice(Wait),
    /// Always that.
    Always(Wait),
    /// Always that, without how long.
    Endless,
    /// Always that a limit of another kind is reached, with how long to wait.
    Other,
}

const SHORT: Wait = Wait { seconds: 0, nanos: 200_000_000 };
const NONE: Wait = Wait { seconds: 0, nanos: 0 };
const NEGATIVE: Wait = Wait { seconds: -9, nanos: -1 };
/// Longer than a call may take.
const LONG: Wait = Wait { seconds: 60, nanos: 0 };
const FOREVER: Wait = Wait { seconds: i64::MAX, nanos: 999_999_999 };

const WATCH: &str = "Watch";
const RESOLVE: &str = "Resolve";
const LIMITS: [(&str, Limit); 11] = [
    ("AccessService/WhoAmI", Limit::Twice(SHORT)),
    ("DirectoryService/CreateProject", Limit::Twice(SHORT)),
    ("DirectoryService/DeleteProject", Limit::Twice(NONE)),
    ("DirectoryService/CreateUser", Limit::Twice(NEGATIVE)),
    ("ResolveService/Resolve", Limit::Twice(SHORT)),
    ("ResolveService/Watch", Limit::Twice(SHORT)),
    ("DirectoryService/GetProject", Limit::Always(LONG)),
    ("DirectoryService/DeleteUser", Limit::Always(LONG)),
    ("DirectoryService/GetUser", Limit::Always(FOREVER)),
    ("DirectoryService/ListUsers", Limit::Endless),
    ("DirectoryService/ListProjects", Limit::Other),
];

/// The service, and when each method was asked.
struct LimitingService {
    service: HostileService,
    asked: Arc<Mutex<BTreeMap<String, Vec<Instant>>>>,
}

impl LimitingService {
    fn start() -> Self {
        let asked = Arc::<Mutex<BTreeMap<String, Vec<Instant>>>>::default();
        let times = asked.clone();
        let service = HostileService::start(move |method| {
            let mut times = times.lock().unwrap();
            let times = times.entry(method.to_owned()).or_default();
            times.push(Instant::now());
            let (_, limit) = LIMITS.iter().find(|(path, _)| path.ends_with(&format!("/{method}"))).unwrap();
            match limit {
                Limit::Twice(wait) if times.len() <= 2 => Reply::Refused(refused("RATE_LIMITED", Some(*wait))),
                Limit::Twice(_) => answer(method),
                Limit::Always(wait) => Reply::Refused(refused("RATE_LIMITED", Some(*wait))),
                Limit::Endless => Reply::Refused(refused("RATE_LIMITED", None)),
                Limit::Other => Reply::Refused(refused("LIMIT_EXCEEDED", Some(SHORT))),
            }
        });
        Self { service, asked }
    }

    /// The waits between the calls of a method.
    fn waits(&self, method: &str) -> Vec<Duration> {
        let asked = self.asked.lock().unwrap();
        asked.get(method).map(|times| times.windows(2).map(|pair| pair[1] - pair[0]).collect()).unwrap_or_default()
    }

    fn times(&self, method: &str) -> usize {
        self.asked.lock().unwrap().get(method).map_or(0, Vec::len)
    }
}

fn answer(method: &str) -> Reply {
    let context = Some(v1::Context { organization: "acme".into(), ..Default::default() });
    let (etag, revision) = ("etag".to_owned(), "7.c0ffee".to_owned());
    match method {
        RESOLVE => Reply::message(&v1::ResolveResponse { etag, revision, context, ..Default::default() }),
        WATCH => {
            let set = v1::watch_response::Event::Set(v1::WatchedSet { context, ..Default::default() });
            Reply::stream(&[v1::WatchResponse { event: Some(set), etag, revision, ..Default::default() }])
        }
        _ => Reply::Message(Vec::new()),
    }
}

/// Not by `ErrorDetails`, which has no waits that are none.
fn refused(reason: &str, wait: Option<Wait>) -> Status {
    let metadata = [("limit".to_owned(), "calls".to_owned())].into();
    let info = pb::ErrorInfo { reason: reason.into(), domain: ERROR_DOMAIN.into(), metadata };
    let retry = pb::RetryInfo { retry_delay: wait };
    let details = vec![any("ErrorInfo", &info), any("RetryInfo", &retry)];
    let (code, message) = (Code::ResourceExhausted, "too many calls");
    let status = pb::Status { code: code.into(), message: message.into(), details };
    Status::with_details(code, message, prost::Message::encode_to_vec(&status).into())
}

fn any(name: &str, message: &impl prost::Message) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value: message.encode_to_vec() }
}

fn steps() -> Value {
    let limited = json!({"code": "RESOURCE_EXHAUSTED", "reason": "RATE_LIMITED", "metadata": {"limit": "calls"}, "message": "too many calls"});
    let steps = LIMITS.iter().map(|(path, limit)| {
        let mut step = json!({"name": path, "as": "operator", "call": path, "request": {}});
        match path.split_once('/').unwrap().1 {
            RESOLVE => step = json!({"name": path, "as": "operator", "resolve": {}, "expect": {"environment": {}}}),
            WATCH => {
                let events = json!({"events": [{"set": {"context": {"organization": "acme"}}}]});
                step = json!({"name": path, "as": "operator", "watch": {}, "then": [], "expect": events});
            }
            _ => {}
        }
        match limit {
            Limit::Twice(_) => {}
            Limit::Always(_) | Limit::Endless => step["expect"] = json!({"error": limited}),
            Limit::Other => {
                step["expect"] = json!({"error": {"code": "RESOURCE_EXHAUSTED", "reason": "LIMIT_EXCEEDED"}})
            }
        }
        step
    });
    json!({ "steps": steps.collect::<Vec<_>>() })
}

#[test]
fn every_client_waits_as_the_service_asks_to_if_that_fits_its_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let (scenario, token) = (directory.path().join("scenario.json"), directory.path().join("token"));
    std::fs::write(&scenario, steps().to_string()).unwrap();
    std::fs::write(&token, "a-token").unwrap();
    for language in ALL {
        waits(language, &scenario, &token);
    }
}

fn waits(language: &Language, scenario: &Path, token: &Path) {
    let limiting = LimitingService::start();
    let start = Instant::now();
    let (succeeded, printed) =
        language.run(language.runner(&limiting.service.endpoint, token, token), "acme", scenario);
    assert!(succeeded, "{}: {printed}", language.name);
    for (path, limit) in LIMITS {
        let method = path.split_once('/').unwrap().1;
        let (times, min_wait) = match limit {
            Limit::Twice(SHORT) => (3, ASKED),
            Limit::Twice(_) => (3, MIN_WAIT),
            Limit::Always(_) | Limit::Endless | Limit::Other => (1, Duration::ZERO),
        };
        let waits = limiting.waits(method);
        assert_eq!(limiting.times(method), times, "{}: {method}", language.name);
        assert!(waits.iter().all(|wait| *wait >= min_wait), "{}: {method}: {waits:?}", language.name);
    }
    // What waits for longer than a call may take does not wait at all.
    assert!(start.elapsed() < Duration::from_secs(25), "{}: {:?}", language.name, start.elapsed());
}
