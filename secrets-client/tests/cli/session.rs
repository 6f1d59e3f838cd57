//! A session that lasts, and what its program is told of its end.

use crate::support::{RunningCommand, TestServer};

#[test]
fn a_program_is_told_a_day_before_its_session_ends() {
    let directory = tempfile::tempdir().unwrap();
    let configuration = directory.path().join("server.toml");
    std::fs::write(&configuration, "[sessions]\nrenewable_days = 1\n").unwrap();
    let server = TestServer::acme_with(&["--config", configuration.to_str().unwrap()]);
    let bob = server.person("bob");
    bob.set("lin_bob", "LINEAR_API_KEY");
    let session = bob.run_ok("session create --workspace ws1 --ttl 1h").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    let end = bob.run_ok("session list -o json").json()[0]["renewal_end_time"].as_str().unwrap().to_owned();
    let minute = format!("the session ends at {}Z; whoever created it can renew it", end[..16].replace('T', " "));
    for flag in ["--watch", "--pass-session"] {
        let words = ["run", flag, "--", "sh", "-c", "echo started; exec sleep 300"];
        let running = RunningCommand::start(sandbox.command_words(&words));
        assert_eq!(running.next_line(), "started");
        let line = running.wait_for_warning("the session ends");
        assert!(line.starts_with("secrets: ") && line.contains(&minute), "{line}");
    }
    let id = bob.run_ok("session list").row_of("bob,");
    bob.run_ok(&format!("session renew {id}")).expect_text(&["lives until", "renews itself until"]);
}

/// An agent that asks the service itself, as `secrets wait` does, needs the token that `secrets run` keeps from its program.
#[test]
fn an_agent_without_the_session_is_told_of_the_flag_that_passes_it_on() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_bob", "LINEAR_API_KEY");
    let session = bob.run_ok("session create --workspace ws1 --ttl 1h").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    let secrets = env!("CARGO_BIN_EXE_secrets");
    let agent = format!("{secrets} wait LINEAR_API_KEY --timeout 5s");
    for run in [vec!["run", "--", "sh", "-c", &agent], vec!["run", "--clean-env", "--", "sh", "-c", &agent]] {
        let ended = sandbox.run_words(&run).expect_failure(4);
        ended.expect_text(&["not signed in", "keeps its token from the program", "`secrets run --pass-session`"]);
    }
    sandbox.run_words(&["run", "--pass-session", "--", "sh", "-c", &agent]).expect_success(&agent);
    // Within that one, another run keeps it again, and one that passes it on says nothing of it.
    let nested = format!("{secrets} run -- {agent}");
    let ended = sandbox.run_words(&["run", "--pass-session", "--", "sh", "-c", &nested]).expect_failure(4);
    ended.expect_text(&["--pass-session"]);
    let shown = sandbox.run_words(&["run", "--pass-session", "--", "env"]).expect_success("env");
    assert!(!shown.stdout.contains("WITHOUT_TOKEN"), "{shown:?}");
    // Who has no token at all is told how to get one.
    server
        .person("nobody")
        .run("wait A")
        .expect_failure(4)
        .expect_text(&["`secrets login`"])
        .reject_text("--pass-session");
}
