//! What a newer service sends and this version does not know.

use secrets_client::v1;

use super::answers::{answer, variable};
use super::caller::Caller;
use crate::support::{HostileService, Reply};

/// A set with `A`, of which this version does not know something, and `B`.
fn sets() -> Vec<(v1::ResolveResponse, &'static str)> {
    let of = |secret: v1::ResolvedSecret| answer(vec![secret, variable("B")]);
    vec![
        (of(v1::ResolvedSecret { target: Some(v1::Target { kind: None }), ..variable("A") }), "kind of target"),
        (of(v1::ResolvedSecret { scope: 99, secret: "teams/red/secrets/A".into(), ..variable("A") }), "kind of scope"),
        (of(v1::ResolvedSecret { redaction: 99, ..variable("A") }), "redaction"),
    ]
}

#[test]
fn a_secret_with_something_unknown_is_left_out_and_named_once() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = Caller::of(&service);
    for (answer, unknown) in sets() {
        service.answer_with(move |_| Reply::message(&answer));
        for line in ["run --clean-env -- /usr/bin/env", "resolve --format docker", "materialize --dir out"] {
            let ended = caller.run(line).expect_success(line);
            let left_out: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("left out")).collect();
            assert_eq!(left_out.len(), 1, "{line}: {ended:?}");
            assert!(left_out[0].contains("A was left out") && left_out[0].ends_with(unknown), "{left_out:?}");
            assert!(!ended.stdout.contains("A="), "{ended:?}");
        }
        assert!(!caller.home().join("out/A").exists() && caller.home().join("out/B").exists());
    }
}

#[test]
fn a_secret_with_something_unknown_is_refused_when_it_was_asked_for_by_name() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = Caller::of(&service);
    for (answer, unknown) in sets() {
        service.answer_with(move |_| Reply::message(&answer));
        for (line, code) in
            [("run --only A,B -- touch started", 125), ("resolve A B", 1), ("materialize --dir out --only A,B", 1)]
        {
            let rule = format!("does not know its {unknown}");
            caller.run(line).expect_failure(code).expect_text(&["`A` was asked for", &rule]);
        }
    }
    assert!(caller.files().is_empty());
}
