//! Sets and events that come later.

use std::time::Duration;

use secrets_client::v1::watch_response::Event;
use secrets_client::v1::{self, ResolveResponse, WatchResponse};

use super::answers::{self, VALUE, answer, variable};
use super::caller::{Caller, expect_harmless};
use crate::support::{HostileService, Reply, RunningCommand};

/// Longer than a changed set may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

fn watched(name: &str) -> v1::WatchedSecret {
    let secret = variable(name);
    v1::WatchedSecret {
        secret: secret.secret,
        secret_id: secret.secret_id,
        target: secret.target,
        scope: secret.scope,
        version: 1,
        ..Default::default()
    }
}

fn event(etag: &str, event: Event) -> WatchResponse {
    WatchResponse { event: Some(event), etag: etag.into(), revision: "8.c0ffee".into(), next_change_time: None }
}

fn set(etag: &str, names: &[&str]) -> WatchResponse {
    let secrets = names.iter().map(|name| watched(name)).collect();
    event(etag, Event::Set(v1::WatchedSet { secrets, context: answer(Vec::new()).context }))
}

/// A service with one set at first, which a watch says has changed, and another one from the second Resolve on.
fn service_that_changes_to(second: ResolveResponse) -> HostileService {
    let asked = std::sync::atomic::AtomicU32::new(0);
    HostileService::start(move |method| match method {
        "Watch" => Reply::stream(&[set("other", &["A"])]),
        _ if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 => {
            Reply::message(&answer(vec![variable("A")]))
        }
        _ => Reply::message(&second),
    })
}

#[test]
fn a_program_keeps_what_it_has_when_a_later_set_is_malformed() {
    let service = service_that_changes_to(answer(vec![variable("A"), variable("LD_PRELOAD")]));
    let caller = Caller::of(&service);
    let script = "echo started; exec sleep 60";
    let mut running = RunningCommand::start(caller.command_words(&["run", "--watch", "--", "sh", "-c", script]));
    assert_eq!(running.next_line(), "started");
    let said = running.wait_for_warning("the program keeps what it has");
    assert!(said.contains("`LD_PRELOAD` is reserved") && !said.contains(VALUE), "{said}");
    assert!(running.is_running() && running.is_silent(), "it was started again");
}

#[test]
fn a_directory_keeps_what_it_has_when_a_later_set_is_malformed() {
    let service = service_that_changes_to(answer(vec![variable("A"), variable("$(touch x)")]));
    let caller = Caller::of(&service);
    let mut running = RunningCommand::start(caller.command("materialize --dir out --watch"));
    running.wait_for_warning("keeps what it has");
    assert!(running.is_running());
    assert_eq!(std::fs::read_to_string(caller.home().join("out/A")).unwrap(), VALUE);
    let script = std::fs::read_to_string(caller.home().join("out/env.sh")).unwrap();
    assert_eq!(script, format!("export A='{VALUE}'\n"));
}

#[test]
fn a_malformed_event_ends_the_watch_and_names_its_rule() {
    let removed = |names: &[&str]| {
        let removed = names.iter().map(|name| (*name).to_owned()).collect();
        event("other", Event::Changed(v1::WatchedChange { removed, ..Default::default() }))
    };
    for (malformed, rule) in [
        (vec![set("other", &["A", "A"])], "`A` must be there once"),
        (vec![set("other", &["A", "\u{1b}[2J"])], "secret name: invalid character U+001B"),
        (vec![set("", &["A"])], "etag must be"),
        (vec![set("other", &["A", "PATH"])], "`PATH` is reserved"),
        (vec![set("other", &[]), removed(&["\u{1b}[2J"])], "secret name: invalid character U+001B"),
        (vec![removed(&["A"])], "a watch must begin with the whole set"),
    ] {
        let service = HostileService::start(move |method| match method {
            "Watch" => Reply::stream(&malformed),
            _ => Reply::message(&answer(vec![answers::variable("A")])),
        });
        let caller = Caller::of(&service);
        let mut running = RunningCommand::start(caller.command("materialize --dir out --watch"));
        let error = running.wait_for_warning("error: ");
        assert!(error.contains(rule), "{rule}: {error}");
        expect_harmless(&error);
        assert_eq!(running.wait_for_exit(), 1);

        let ended = caller.run("wait A").expect_failure(1);
        // It asked for `A` alone, and was not sent that alone.
        assert!(ended.stderr.contains("breaks a rule"), "{ended:?}");
        expect_harmless(&ended.stderr);
    }
}

#[test]
fn a_watch_adds_no_names_without_end() {
    let events: Vec<_> = std::iter::once(set("e", &[]))
        .chain((0..9).map(|page| {
            let added = (0..1_000).map(|at| watched(&format!("A{page}_{at}"))).collect();
            event("e", Event::Changed(v1::WatchedChange { added, ..Default::default() }))
        }))
        .collect();
    let service = HostileService::start(move |_| Reply::stream(&events));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = secrets_client::Client::builder(&service.endpoint).build().unwrap();
        let mut live = client.live_names(v1::WatchRequest::default());
        let error = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Err(error) = live.next().await {
                    return error;
                }
            }
        });
        let error = error.await.expect("it went on").to_string();
        assert!(error.contains("at most 4000 secrets"), "{error}");
    });
}
