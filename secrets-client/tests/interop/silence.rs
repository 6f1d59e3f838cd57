//! A watch that is open and says nothing: every client opens another one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use secrets_client::v1;
use serde_json::json;

use super::language::{ALL, Language};
use crate::support::{HostileService, Reply};

/// How long a watch may be silent.
const MAX_SILENCE: Duration = Duration::from_secs(45);

/// All at the same time: each waits.
#[test]
fn every_client_opens_a_watch_anew_that_has_fallen_silent() {
    thread::scope(|scope| {
        for language in ALL {
            scope.spawn(move || opens_another_watch(language));
        }
    });
}

fn opens_another_watch(language: &Language) {
    let opened = AtomicU32::new(0);
    let context = Some(v1::Context { organization: "acme".into(), ..Default::default() });
    let set = v1::watch_response::Event::Set(v1::WatchedSet { context, ..Default::default() });
    let event =
        v1::WatchResponse { event: Some(set), etag: "etag".into(), revision: "7.c0ffee".into(), ..Default::default() };
    let service = HostileService::start(move |_| match opened.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::Stream(Vec::new()),
        _ => Reply::stream(std::slice::from_ref(&event)),
    });
    let directory = tempfile::tempdir().unwrap();
    let (scenario, token) = (directory.path().join("scenario.json"), directory.path().join("token"));
    let steps =
        json!([{"name": "watch", "as": "operator", "watch": {}, "then": [], "expect": {"events": [{"set": {}}]}}]);
    std::fs::write(&scenario, json!({ "steps": steps }).to_string()).unwrap();
    std::fs::write(&token, "a-token").unwrap();
    let runner = language.runner(&service.endpoint, &token, &token);
    let start = Instant::now();
    let (succeeded, printed) = language.run(runner, "acme", &scenario);
    assert!(succeeded, "{}: {printed}", language.name);
    assert!(start.elapsed() >= MAX_SILENCE, "{}: {:?}", language.name, start.elapsed());
}
