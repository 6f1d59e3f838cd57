use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Person, TestServer};

/// Something hung.
const TIMEOUT: Duration = Duration::from_secs(60);

fn server() -> TestServer {
    let server = TestServer::acme();
    server.person("ann").set("sk_test_canary", "STRIPE_SECRET --project api");
    server.person("bob").set("lin_bob_canary", "LINEAR_API_KEY");
    server
}

fn starts(person: &Person<'_>, line: &str) -> Child {
    let mut command = person.command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn redact_masks_values_and_leaves_the_rest() {
    let server = server();
    let mut child = starts(&server.person("bob"), "redact --workspace ws1");
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"key=lin_bob_canary \xff\xc3( b64=bGluX2JvYl9jYW5hcnk=\r\n\0 sk_test_canary\x1b[0m lin_bob")
        .unwrap();
    drop(stdin);
    let ended = child.wait_with_output().unwrap();
    // It ends with the beginning of a value.
    assert_eq!(ended.stdout, b"key=*** \xff\xc3( b64=***\r\n\0 ***\x1b[0m ***");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn what_is_not_masked_is_reported() {
    let server = server();
    let bob = server.person("bob");
    bob.set("4711", "PIN");
    let input = b"lin_bob_canary sk_test_canary 4711";
    let ended = bob.run_with_stdin(input, "redact --workspace ws1 --unmask STRIPE_SECRET").expect_success("redact");
    assert_eq!(ended.stdout, "*** sk_test_canary 4711");
    assert!(ended.stderr.contains("not masked: STRIPE_SECRET (--unmask), PIN (too short)"), "{ended:?}");
    let only = bob.run_with_stdin(input, "redact --workspace ws1 --only STRIPE_SECRET").expect_success("redact");
    assert_eq!((only.stdout.as_str(), only.stderr.as_str()), ("lin_bob_canary *** 4711", ""));
    bob.run_with_stdin(b"", "redact --only PIN").expect_success("redact").expect_text(&["nothing to mask"]);
}

#[test]
fn nothing_is_printed_when_the_values_are_unknown() {
    let server = server();
    for (line, code) in [
        ("redact --workspace ws1 --unmask NOPE", 2),
        ("redact --workspace ws1 --only NOPE", 5),
        ("redact --workspace nope", 4),
        ("redact --endpoint http://127.0.0.1:1", 4),
    ] {
        let ended = server.person("bob").run_with_stdin(b"lin_bob_canary", line);
        assert_eq!(ended.stdout, "", "{line}");
        ended.expect_failure(code);
    }
    assert_eq!(server.person("nobody").run_with_stdin(b"lin_bob_canary", "redact").expect_failure(4).stdout, "");
    let away = server.person("bob").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    assert_eq!(away.run_with_stdin(b"lin_bob_canary", "redact").expect_failure(6).stdout, "");
}

/// The end of the prompt could be the beginning of a value; nothing more comes, so it shows.
#[test]
fn a_prompt_shows_though_nothing_follows() {
    let server = server();
    let mut child = starts(&server.person("bob"), "redact --workspace ws1");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    stdin.write_all(b"password: lin_").unwrap();
    let mut shown = [0; 14];
    stdout.read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"password: lin_");
    // Its rest is masked all the same.
    stdin.write_all(b"bob_canary.").unwrap();
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("***.", Some(0)));
}

/// A program's own buffer of 4 KiB may end anywhere, and be full again much later.
#[test]
fn a_value_that_comes_in_two_parts_is_masked_however_late_the_second_is() {
    let server = server();
    let mut child = starts(&server.person("bob"), "redact --workspace ws1");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    stdin.write_all(b"key lin_bob_cana").unwrap();
    let mut shown = [0; 4];
    stdout.read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"key ");
    std::thread::sleep(Duration::from_millis(300));
    stdin.write_all(b"ry, and lin_bob_").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    stdin.write_all(b"alone, lin_bob_cana").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("***, and lin_bob_alone, ***", Some(0)));
}

#[test]
fn a_closed_pipe_ends_it_without_an_error() {
    let server = server();
    let mut child = starts(&server.person("bob"), "redact --workspace ws1");
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    stdin.write_all(b"one line\n").unwrap();
    let mut line = [0; 9];
    stdout.read_exact(&mut line).unwrap();
    drop(stdout);
    // It ends though its stdin does not, as `tail -f` does not either.
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(begun.elapsed() < TIMEOUT, "it hangs"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}
