//! Each malformed answer against each command that gets values. Those that ask without a value are in `asking.rs`.

use super::answers::{self, Malformed, VALUE};
use super::caller::{Caller, expect_harmless};
use crate::support::{HostileService, ProgramOutput, Reply};

/// Commands that get values. Each would start, write or print something.
const COMMANDS: &[&str] = &[
    "run -- touch started",
    "run --no-masking -- touch started",
    "run --watch -- touch started",
    "run --clean-env --ci github -- /bin/touch started",
    "run --fallback kept --fallback-key-file key -- touch started",
    "run --shell exec>started",
    "materialize --dir out",
    "materialize --dir out --watch",
    "resolve",
    "resolve --show-values",
    "resolve --show-values -o json",
    "resolve --format shell",
    "resolve --format dotenv",
    "resolve --format docker",
    "resolve --format json",
    "resolve --format yaml",
    "resolve --format dockerconfigjson",
    "redact",
];

const KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn caller(service: &HostileService) -> Caller {
    use std::os::unix::fs::PermissionsExt as _;
    let caller = Caller::of(service);
    let key = caller.home().join("key");
    std::fs::write(&key, KEY).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    caller
}

/// Expects that the command failed and did nothing, with an error that has `rule`.
#[track_caller]
fn expect_refused(caller: &Caller, line: &str, ended: &ProgramOutput, rule: &str) {
    let code = if line.starts_with("run ") { 125 } else { 1 };
    assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{line}: {rule}: {ended:?}");
    assert!(ended.stderr.contains(rule), "{line}: {rule}: {ended:?}");
    assert!(!ended.stderr.contains(VALUE), "{line}: {ended:?}");
    expect_harmless(&ended.stderr);
    assert_eq!(caller.files(), [caller.home().join("key")], "{line}: {rule}");
}

#[test]
fn a_malformed_answer_starts_writes_and_prints_nothing_and_its_rule_is_named() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = caller(&service);
    for Malformed { answer, rule } in answers::malformed() {
        service.answer_with(move |_| Reply::message(&answer));
        for line in COMMANDS {
            expect_refused(&caller, line, &caller.run_with_stdin(b"typed", line), rule);
        }
    }
}

#[test]
fn an_answer_is_taken_only_for_what_was_asked_for() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = caller(&service);
    for (names, rule) in
        [(&["B", "A"][..], "`B` was not asked for"), (&["B"], "`B` was not asked for"), (&[], "`A` must")]
    {
        let answer = answers::answer(names.iter().map(|name| answers::variable(name)).collect());
        service.answer_with(move |_| Reply::message(&answer));
        for line in [
            "resolve A --raw",
            "resolve A --format shell",
            "resolve A --show-values",
            "run --only A -- touch started",
            "materialize --dir out --only A",
            "redact --only A",
        ] {
            expect_refused(&caller, line, &caller.run_with_stdin(b"typed", line), rule);
        }
    }
}

#[test]
fn an_answer_that_breaks_no_rule_is_used() {
    let answer = answers::answer(vec![
        answers::variable("A"),
        answers::file("B", "~/.ssh/b", 0o400),
        answers::registry("C", "ghcr.io", "bob"),
    ]);
    let service = HostileService::start(move |_| Reply::message(&answer));
    let caller = caller(&service);
    let ended = caller.run_words(&["run", "--no-masking", "--", "sh", "-c", "echo $A; cat ~/.ssh/b"]);
    assert_eq!(ended.stdout, format!("{VALUE}\n{VALUE}"), "{ended:?}");
    assert_eq!(caller.run("resolve --format shell").stdout, format!("export A='{VALUE}'\n"));
    caller.run("materialize --dir out").expect_success("materialize");
}

#[test]
fn an_answer_that_is_no_message_or_larger_than_any_is_refused() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = caller(&service);
    // A length that goes beyond the end; a name that is not UTF-8; 9 MiB.
    for bytes in [vec![0x0a, 0x7f], vec![0x0a, 0x03, 0x12, 0x01, 0xff], vec![0; 9 * 1024 * 1024]] {
        let message = bytes.clone();
        service.answer_with(move |_| Reply::Message(message.clone()));
        for line in COMMANDS {
            expect_refused(&caller, line, &caller.run_with_stdin(b"typed", line), "error: ");
        }
    }
}
