use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::RunningCommand;
use crate::support::{Person, ProgramOutput, TestServer};

/// Somebody who runs a program with a fallback.
struct Careful<'a> {
    person: Person<'a>,
    file: PathBuf,
    key: PathBuf,
}

impl<'a> Careful<'a> {
    fn new(server: &'a TestServer, person: Person<'a>) -> Self {
        let (file, key) = (server.directory.path().join("fallback"), server.directory.path().join("fallback-key"));
        if !key.exists() {
            write_key(&key, "c0ffee00");
        }
        Self { person, file, key }
    }

    /// `secrets run --fallback … FLAGS -- printenv LINEAR_API_KEY`
    fn runs(&self, flags: &str) -> ProgramOutput {
        let (file, key) = (self.file.to_str().unwrap(), self.key.to_str().unwrap());
        let flags = if flags.is_empty() { String::new() } else { format!(" {flags}") };
        let line = format!("run --fallback {file} --fallback-key-file {key} --no-masking{flags}");
        self.person.run(&format!("{line} -- printenv LINEAR_API_KEY"))
    }
}

fn write_key(path: &PathBuf, eight_digits: &str) {
    fs::write(path, format!("{}\n", eight_digits.repeat(8))).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn server() -> TestServer {
    let server = TestServer::acme();
    server.person("bob").set("lin_bob_1", "LINEAR_API_KEY");
    server
}

#[test]
fn the_last_set_is_used_while_the_service_is_gone() {
    let mut server = server();
    // A token of the environment goes to every endpoint, so that the fallback alone refuses another one.
    let token = server.person("bob").run_ok("token create").line();
    let careful = Careful::new(&server, server.person("bob").with("SECRETS_TOKEN", &token));
    careful.runs("--workspace ws1").expect_success("the first").expect_text(&["lin_bob_1"]);
    let sealed = fs::read(&careful.file).unwrap();
    assert!(!sealed.windows(9).any(|window| window == b"lin_bob_1"));
    assert_eq!(fs::metadata(&careful.file).unwrap().permissions().mode() & 0o777, 0o600);
    server.person("bob").set("lin_bob_2", "LINEAR_API_KEY");
    Careful::new(&server, server.person("bob").with("SECRETS_TOKEN", &token))
        .runs("--workspace ws1")
        .expect_text(&["lin_bob_2"]);

    server.stop();
    let careful = Careful::new(&server, server.person("bob").with("SECRETS_TOKEN", &token));
    let ended = careful.runs("--workspace ws1").expect_success("without a service");
    assert_eq!(ended.stdout, "lin_bob_2\n");
    ended.expect_text(&["unavailable", "using what it gave"]);
    // What it was not sealed for.
    for flags in ["--org", "--workspace ws1 --only LINEAR_API_KEY", "--workspace ws1 --endpoint http://127.0.0.1:1"] {
        careful
            .runs(flags)
            .expect_failure(125)
            .expect_text(&["another endpoint, credential, context or choice of names"])
            .reject_text("lin_");
    }
    let stranger = server.person("bob").with("SECRETS_TOKEN", "sper_somebody");
    Careful::new(&server, stranger).runs("--workspace ws1").expect_failure(125).reject_text("lin_");
}

#[test]
fn a_service_that_is_silent_is_waited_for_three_seconds() {
    let server = server();
    let careful = Careful::new(&server, server.person("bob"));
    careful.runs("--workspace ws1").expect_success("the first");
    server.pause();
    let begun = Instant::now();
    careful
        .runs("--workspace ws1")
        .expect_success("without an answer")
        .expect_text(&["did not answer within 3 s", "lin_bob_1"]);
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_denial_is_no_reason_to_use_it() {
    let server = server();
    let bob = server.person("bob");
    let session = bob.run_ok("session create --workspace ws1").line();
    let careful = Careful::new(&server, server.person("sandbox").with("SECRETS_TOKEN", &session));
    careful.runs("").expect_success("the first").expect_text(&["lin_bob_1"]);
    let name = bob.run_ok("session list").row_of("bob");
    bob.run_ok(&format!("session revoke {name} --yes"));
    careful.runs("").expect_failure(125).expect_text(&["revoked"]).reject_text("lin_bob_1");
    // Neither is a secret that is missing.
    let careful = Careful::new(&server, server.person("bob"));
    careful.runs("--workspace ws1 --only LINEAR_API_KEY").expect_success("the first");
    bob.run_ok("rm LINEAR_API_KEY --yes");
    careful.runs("--workspace ws1 --only LINEAR_API_KEY").expect_failure(5).reject_text("lin_bob_1");
}

#[test]
fn one_that_is_too_old_altered_or_of_another_key_is_refused() {
    let mut server = server();
    Careful::new(&server, server.person("bob")).runs("--workspace ws1").expect_success("the first");
    server.stop();
    let careful = Careful::new(&server, server.person("bob"));
    std::thread::sleep(Duration::from_millis(2_100));
    careful
        .runs("--workspace ws1 --fallback-max-age 1s")
        .expect_failure(125)
        .expect_text(&["--fallback-max-age"])
        .reject_text("lin_bob_1");
    careful.runs("--workspace ws1 --fallback-max-age 1h").expect_success("young enough");

    let sealed = fs::read(&careful.file).unwrap();
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(&careful.file, altered).unwrap();
    careful.runs("--workspace ws1").expect_failure(125).expect_text(&["altered"]);
    fs::write(&careful.file, "LINEAR_API_KEY=forged").unwrap();
    careful.runs("--workspace ws1").expect_failure(125).expect_text(&["not a fallback"]).reject_text("forged");
    fs::write(&careful.file, sealed).unwrap();
    write_key(&careful.key, "decaf000");
    careful.runs("--workspace ws1").expect_failure(125).expect_text(&["another key"]);
    fs::remove_file(&careful.file).unwrap();
    careful.runs("--workspace ws1").expect_failure(125).expect_text(&["unavailable", "No such file"]);
}

#[test]
fn without_a_network_nobody_is_asked() {
    let server = server();
    let bob = server.person("bob");
    let careful = Careful::new(&server, server.person("bob"));
    careful.runs("--workspace ws1").expect_success("the first");
    bob.set("lin_bob_2", "LINEAR_API_KEY");
    careful
        .runs("--workspace ws1 --fallback-only")
        .expect_success("offline")
        .expect_text(&["lin_bob_1", "without asking"]);
    careful.runs("--workspace ws1").expect_text(&["lin_bob_2"]);
}

#[test]
fn a_set_without_what_has_become_necessary_is_not_enough() {
    let mut server = server();
    Careful::new(&server, server.person("bob")).runs("--workspace ws1").expect_success("the first");
    fs::write(server.person("bob").home.join("secrets.toml"), "[secrets.MUST_HAVE]\n").unwrap();
    server.stop();
    let careful = Careful::new(&server, server.person("bob"));
    for flags in ["--workspace ws1", "--workspace ws1 --fallback-only"] {
        careful.runs(flags).expect_failure(5).expect_text(&["MUST_HAVE", "fallback"]).reject_text("lin_bob_1");
    }
    careful.runs("--workspace ws1 --fallback-only --watch").expect_failure(2).expect_text(&["--watch"]);
}

#[test]
fn a_program_that_began_with_it_follows_the_service_once_that_is_back() {
    let mut server = server();
    let careful = Careful::new(&server, server.person("bob"));
    careful.runs("--workspace ws1").expect_success("the first");
    let (file, key) = (careful.file.clone(), careful.key.clone());
    server.stop();
    let words = ["run", "--watch", "--workspace", "ws1", "--fallback", file.to_str().unwrap()];
    let program = ["--", "sh", "-c", r#"echo "started with ${#LINEAR_API_KEY}"; exec sleep 120"#];
    let words = [&words[..], &["--fallback-key-file", key.to_str().unwrap()], &program].concat();
    let running = RunningCommand::start(server.person("bob").command_words(&words));
    assert_eq!(running.next_line(), "started with 9");
    server.restart(Duration::from_secs(1));
    server.person("bob").set("lin_bob_two", "LINEAR_API_KEY");
    assert_eq!(running.next_line(), "started with 11");
    drop(running);
    // What it got then is what the next one falls back to.
    server.stop();
    Careful::new(&server, server.person("bob"))
        .runs("--workspace ws1")
        .expect_success("again")
        .expect_text(&["lin_bob_two"]);
}

#[test]
fn an_unusable_fallback_key_is_reported_at_once() {
    let server = server();
    let careful = Careful::new(&server, server.person("bob"));
    fs::set_permissions(&careful.key, fs::Permissions::from_mode(0o644)).unwrap();
    careful
        .runs("--workspace ws1")
        .expect_failure(125)
        .expect_text(&["everybody may read it", "chmod 600"])
        .reject_text("lin_bob_1");
    fs::write(&careful.key, "short").unwrap();
    fs::set_permissions(&careful.key, fs::Permissions::from_mode(0o600)).unwrap();
    careful.runs("--workspace ws1").expect_failure(125).expect_text(&["64 hexadecimal digits"]).reject_text("short");
    server.person("bob").run("run --fallback x -- true").expect_failure(2).expect_text(&["--fallback-key-file"]);
    server.person("bob").run("run --fallback-only -- true").expect_failure(2).expect_text(&["--fallback"]);
    // A place that can't be written to is no reason not to run.
    write_key(&careful.key, "c0ffee00");
    let nowhere = Careful { file: "/proc/nowhere".into(), ..careful };
    nowhere
        .runs("--workspace ws1")
        .expect_success("no place")
        .expect_text(&["lin_bob_1", "the fallback was not updated"]);
}
