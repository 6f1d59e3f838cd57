//! A service that has too much to do: it refuses calls for now, and says when to send them again.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use secrets_client::v1;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::answers::{VALUE, answer, variable};
use super::caller::Caller;
use crate::support::{HostileService, Reply, RunningCommand};

fn refused(wait: Duration) -> Reply {
    let mut details = ErrorDetails::new();
    details.set_error_info("RATE_LIMITED", "secretsapi.v1", [("limit".to_owned(), "rate".to_owned())]);
    details.set_retry_info(Some(wait));
    Reply::Refused(Status::with_error_details(Code::ResourceExhausted, "too many calls; send it again later", details))
}

/// A service that refuses the first two calls of each kind, and counts all.
fn busy(then: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (HostileService, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let service = HostileService::start(move |method| match counted.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => refused(Duration::from_millis(20)),
        _ => then(method),
    });
    (service, calls)
}

#[test]
fn a_command_waits_as_long_as_the_service_asks_also_with_a_change() {
    let (service, calls) = busy(|_| Reply::message(&v1::CreateProjectResponse::default()));
    let caller = Caller::of(&service);
    caller.run("project create api").expect_success("project create");
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    let (service, calls) = busy(|_| Reply::message(&answer(vec![variable("A")])));
    let resolved = Caller::of(&service).run("resolve A --raw").expect_success("resolve");
    assert!(resolved.stdout.contains(VALUE));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[test]
fn a_wait_that_is_too_long_is_an_outage() {
    let service = HostileService::start(|_| refused(Duration::from_secs(3600)));
    let caller = Caller::of(&service);
    caller.run("project create api").expect_failure(6).expect_text(&["too many calls"]);
}

#[test]
fn a_fallback_is_used_when_the_service_has_no_room() {
    const RUN: &str = "run --fallback kept --fallback-key-file key --no-masking -- printenv A";
    let service = HostileService::start(|_| Reply::message(&answer(vec![variable("A")])));
    let caller = Caller::of(&service);
    let key = caller.home().join("key");
    std::fs::write(&key, "0".repeat(64)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    caller.run(RUN).expect_success(RUN);
    // At once where the service asks for more than a command waits, and after three seconds where it always asks for a little.
    for wait in [Duration::from_secs(60), Duration::from_millis(50)] {
        service.answer_with(move |_| refused(wait));
        let ended = caller.run(RUN).expect_success(RUN).expect_text(&["using what it gave"]);
        assert_eq!(ended.stdout, format!("{VALUE}\n"));
    }
}

#[test]
fn a_watching_command_goes_on_when_the_service_has_room_again() {
    let (service, calls) = busy(|method| match method {
        "Watch" => Reply::stream(&[] as &[v1::WatchResponse]),
        _ => Reply::message(&answer(vec![variable("A")])),
    });
    let caller = Caller::of(&service);
    let mut running = RunningCommand::start(caller.command_words(&[
        "run",
        "--watch",
        "--",
        "sh",
        "-c",
        "echo started; exec sleep 60",
    ]));
    assert_eq!(running.next_line(), "started");
    assert!(running.is_running());
    assert!(calls.load(Ordering::Relaxed) >= 3);
}
