//! A service that answers with what no service should, and every client that goes on afterwards as if nothing had happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::Response;
use secrets_client::v1;
use secrets_proto::ERROR_DOMAIN;
use serde_json::{Value, json};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::pb;

use super::language::{ALL, Language, output};
use crate::support::{HostileService, Reply};

/// Longer than a program may take for all of them, and much less than it took for the longest paths once.
const TIMEOUT: Duration = Duration::from_secs(120);
/// What a client takes at most in one answer.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Of how many secrets a client says something at most.
const MAX_TOLD: usize = 1_000;

/// A method, what it is answered with, and what the outcome has to be.
struct Attack {
    method: &'static str,
    reply: fn() -> Reply,
    expect: fn() -> Value,
}

const ATTACKS: [Attack; 15] = [
    Attack { method: "SecretService/GetSecret", reply: || refused(b"\xff\xff\xff".to_vec()), expect: no_reason },
    Attack { method: "SecretService/ListSecrets", reply: garbled_reason, expect: no_reason },
    Attack { method: "SecretService/DeleteSecret", reply: || named("constructor"), expect: no_reason },
    Attack { method: "SecretService/UndeleteSecret", reply: || named("__proto__"), expect: no_reason },
    Attack { method: "SecretService/RollbackSecret", reply: || named("FROM_THE_FUTURE"), expect: no_reason },
    Attack {
        method: "SecretService/ListSecretVersions",
        reply: reason_of_another_code,
        expect: || json!({"error": {"reason": ""}}),
    },
    Attack { method: "DirectoryService/GetProject", reply: order_to_a_terminal, expect: escaped },
    Attack { method: "DirectoryService/GetUser", reply: endless_message, expect: || json!({"error": {}}) },
    Attack { method: "DirectoryService/ListUsers", reply: page, expect: || json!({"error": {}}) },
    Attack {
        method: "DirectoryService/ListProjects",
        reply: || Reply::Message(vec![0xff; 4]),
        expect: || json!({"error": {}}),
    },
    Attack { method: "AccessService/ListTokens", reply: nested, expect: || json!({"error": {}}) },
    Attack {
        method: "AccessService/ListSessions",
        reply: || Reply::Message(vec![0; MAX_ANSWER_BYTES + 1]),
        expect: || json!({"error": {"code": "RESOURCE_EXHAUSTED"}}),
    },
    Attack { method: "ResolveService/Watch", reply: early_event, expect: || json!({"error": {"code": "DATA_LOSS"}}) },
    Attack { method: "ResolveService/Resolve", reply: long_paths, expect: || json!({"environment": {}}) },
    Attack { method: "AccessService/WhoAmI", reply: || Reply::Message(Vec::new()), expect: || json!({"response": {}}) },
];

fn no_reason() -> Value {
    json!({"error": {"code": "PERMISSION_DENIED", "reason": "", "metadata": {}, "message": "no"}})
}

fn escaped() -> Value {
    json!({"error": {"code": "PERMISSION_DENIED", "message": "a\\u{1b}[2J\\u{a}b\\u{202e}\\u{9b}\\u{e0041}"}})
}

fn order_to_a_terminal() -> Reply {
    Reply::Refused(Status::permission_denied("a\u{1b}[2J\nb\u{202e}\u{9b}\u{e0041}"))
}

fn refused(details: Vec<u8>) -> Reply {
    Reply::Refused(Status::with_details(Code::PermissionDenied, "no", details.into()))
}

fn named(reason: &str) -> Reply {
    refused(status(Code::PermissionDenied, reason))
}

fn status(code: Code, reason: &str) -> Vec<u8> {
    let info = pb::ErrorInfo { reason: reason.into(), domain: ERROR_DOMAIN.into(), metadata: Default::default() };
    encoded(code, vec![any("ErrorInfo", prost::Message::encode_to_vec(&info))])
}

fn encoded(code: Code, details: Vec<prost_types::Any>) -> Vec<u8> {
    prost::Message::encode_to_vec(&pb::Status { code: code.into(), message: "no".into(), details })
}

fn any(name: &str, value: Vec<u8>) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value }
}

/// Details that are not what they say.
fn garbled_reason() -> Reply {
    let garbage = || vec![0xff, 0xff];
    refused(encoded(Code::PermissionDenied, vec![any("ErrorInfo", garbage()), any("RetryInfo", garbage())]))
}

fn reason_of_another_code() -> Reply {
    refused(status(Code::Ok, "PERMISSION_DENIED"))
}

fn endless_message() -> Reply {
    Reply::Refused(Status::permission_denied("x".repeat(1024 * 1024)))
}

fn page() -> Reply {
    let page = Response::builder().header("content-type", "text/html").body(Body::new("<html>\u{1b}[2J".to_owned()));
    Reply::Http(page.unwrap())
}

/// Groups within groups, as deep as an answer may be long.
fn nested() -> Reply {
    Reply::Message(vec![0x7b; MAX_ANSWER_BYTES])
}

/// A change that comes before the request has ended: the service does not read that.
fn early_event() -> Reply {
    let change = v1::watch_response::Event::Changed(v1::WatchedChange::default());
    Reply::stream(&[v1::WatchResponse {
        event: Some(change),
        etag: "etag".into(),
        revision: "7.c0ffee".into(),
        ..Default::default()
    }])
}

/// As many and as long paths as fit into an answer, each of as many parts as it can have.
fn long_paths() -> Reply {
    let secret = |number: usize| v1::ResolvedSecret {
        secret: format!("organizations/acme/secrets/A{number}"),
        secret_id: format!("A{number}"),
        target: Some(v1::Target {
            kind: Some(v1::target::Kind::File(v1::FileTarget {
                path: format!("{}/{number}", "/a".repeat(2_040)),
                mode: 0o600,
            })),
        }),
        value: b"x".to_vec(),
        scope: v1::ScopeKind::Organization.into(),
        version: 1,
        redaction: v1::Redaction::Default.into(),
    };
    Reply::message(&v1::ResolveResponse {
        secrets: (0..900).map(secret).collect(),
        etag: "etag".into(),
        revision: "7.c0ffee".into(),
        context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
        ..Default::default()
    })
}

#[test]
fn no_answer_stops_a_client_or_reaches_a_terminal_as_it_is() {
    let service = HostileService::start(|method| {
        let attack = ATTACKS.iter().find(|attack| attack.method.split_once('/').unwrap().1 == method);
        (attack.unwrap().reply)()
    });
    let steps = ATTACKS.iter().map(|attack| step(attack.method, &(attack.expect)()));
    let steps = json!({ "steps": steps.collect::<Vec<_>>() });
    for language in ALL {
        let start = Instant::now();
        let (succeeded, printed) = run(language, &service, &steps);
        assert!(succeeded, "{}: {printed}", language.name);
        assert!(start.elapsed() < TIMEOUT, "{}: {:?}", language.name, start.elapsed());
    }
}

#[test]
fn no_client_follows_to_another_service() {
    let followed = Arc::new(AtomicU32::new(0));
    let count = followed.clone();
    let other = HostileService::start(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Reply::Message(Vec::new())
    });
    let elsewhere = format!("{}/secretsapi.v1.AccessService/WhoAmI", other.endpoint);
    let service = HostileService::start(move |_| {
        let found = Response::builder().status(307).header("location", &elsewhere).body(Body::empty());
        Reply::Http(found.unwrap())
    });
    let steps = json!({ "steps": [step("AccessService/WhoAmI", &json!({"error": {"code": "UNKNOWN"}}))] });
    for language in ALL {
        let (succeeded, printed) = run(language, &service, &steps);
        assert!(succeeded, "{}: {printed}", language.name);
    }
    assert_eq!(followed.load(Ordering::Relaxed), 0);
}

/// Of a kind of target that no client knows, each under a name of its own.
#[test]
fn no_client_tells_of_names_without_end() {
    let secret = |number: usize| v1::ResolvedSecret {
        secret: format!("organizations/acme/secrets/A{number}"),
        secret_id: format!("A{number}"),
        target: Some(v1::Target { kind: None }),
        scope: v1::ScopeKind::Organization.into(),
        version: 1,
        ..Default::default()
    };
    let answer = v1::ResolveResponse {
        secrets: (0..2 * MAX_TOLD).map(secret).collect(),
        etag: "etag".into(),
        revision: "7.c0ffee".into(),
        context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
        ..Default::default()
    };
    let service = HostileService::start(move |_| Reply::message(&answer));
    let directory = tempfile::tempdir().unwrap();
    let (scenario, token) = (directory.path().join("scenario.json"), directory.path().join("token"));
    // Twice: Node prints a warning after what is under way.
    let resolve = step("ResolveService/Resolve", &json!({"environment": {}}));
    let steps = json!({ "steps": [resolve, resolve] });
    std::fs::write(&scenario, steps.to_string()).unwrap();
    std::fs::write(&token, "a-token").unwrap();
    for language in ALL {
        let mut runner = language.runner(&service.endpoint, &token, &token);
        let ended = output(runner.env("SECRETS_ORGANIZATION", "acme").arg(&scenario), TIMEOUT);
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.success(), "{}: {:?}", language.name, ended.stdout);
        assert_eq!(stderr.matches("was left out").count(), MAX_TOLD, "{}", language.name);
    }
}

fn step(method: &str, expect: &Value) -> Value {
    let mut step = json!({"name": method, "as": "operator", "call": method, "request": {}, "expect": expect});
    if method.ends_with("/Watch") {
        step = json!({"name": method, "as": "operator", "watch": {}, "then": [], "expect": expect});
    }
    if method.ends_with("/Resolve") {
        step = json!({"name": method, "as": "operator", "resolve": {}, "expect": expect});
    }
    step
}

fn run(language: &Language, service: &HostileService, steps: &Value) -> (bool, String) {
    let directory = tempfile::tempdir().unwrap();
    let (scenario, token) = (directory.path().join("scenario.json"), directory.path().join("token"));
    std::fs::write(&scenario, steps.to_string()).unwrap();
    std::fs::write(&token, "a-token").unwrap();
    language.run(language.runner(&service.endpoint, &token, &token), "acme", &scenario)
}
