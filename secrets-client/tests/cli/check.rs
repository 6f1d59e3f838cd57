//! What a repository needs: told before a program starts, with what to type.

use serde_json::json;

use crate::support::{Person, TestServer};

const NEEDS: &str = "\
organization = \"acme\"
workspace = \"ws1\"

[secrets.LINEAR_API_KEY]
description = \"your own key, from linear.app/settings\"

[secrets.STRIPE_SECRET]
description = \"the team's test account\"

[secrets.SENTRY_DSN]
description = \"where crashes are reported\"
required = false
";

/// Somebody in a repository that says what it needs.
fn in_repository<'a>(server: &'a TestServer, who: &str) -> Person<'a> {
    let person = server.person(who);
    std::fs::write(person.home.join("secrets.toml"), NEEDS).unwrap();
    person
}

#[test]
fn check_says_what_is_missing_and_how_to_set_it() {
    let server = TestServer::acme();
    let bob = in_repository(&server, "bob");
    server.person("ann").set("sk_canary", "STRIPE_SECRET --project api");
    let checked = bob.run("check").expect_failure(5).reject_text("canary");
    assert_eq!(checked.row("STRIPE_SECRET"), ["STRIPE_SECRET", "there", "project api", "the team's test account"]);
    assert_eq!(checked.row("SENTRY_DSN")[1], "missing, not required");
    let checked = checked.expect_text(&[
        "SENTRY_DSN is missing (not required): where crashes",
        "LINEAR_API_KEY is missing: your own key, from linear.app/settings",
        "  secrets set LINEAR_API_KEY --description 'your own key, from linear.app/settings'\n",
        "  secrets set LINEAR_API_KEY --workspace ws1 --description",
        "an admin of project api may: secrets set LINEAR_API_KEY --project api",
        "an admin of the organization may: secrets set LINEAR_API_KEY --org",
    ]);
    assert!(checked.stderr.contains("error: 1 secret is missing: LINEAR_API_KEY\n"), "{checked:?}");

    // What it said, typed.
    let line = checked.stderr.lines().find(|line| line.starts_with("  secrets set LINEAR_API_KEY --desc")).unwrap();
    let typed = format!("printf lin_canary | \"$0\"{}", line.trim_start().strip_prefix("secrets").unwrap());
    let mut shell = std::process::Command::new("sh");
    let secrets = bob.command("");
    shell.args(["-c", &typed]).arg(secrets.get_program()).current_dir(&bob.home);
    shell.envs(secrets.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert!(shell.output().unwrap().status.success());
    assert!(bob.run_ok("list").stdout.contains("your own key"));
    bob.run_ok("check").reject_text("canary").reject_text("error");
}

#[test]
fn check_takes_names_and_prints_json() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_canary", "LINEAR_API_KEY");
    bob.run_ok("check LINEAR_API_KEY --workspace ws1").expect_text(&["user bob"]).reject_text("canary");
    let json = bob
        .run("check STRIPE_SECRET LINEAR_API_KEY --workspace ws1 -o json")
        .expect_failure(5)
        .reject_text("canary")
        .json();
    assert_eq!((&json["complete"], &json["context"]["project"]), (&json!(false), &json!("api")));
    let stripe = &json["secrets"][0];
    assert_eq!(
        (&stripe["secret_id"], &stripe["present"], &stripe["required"]),
        (&json!("STRIPE_SECRET"), &json!(false), &json!(true))
    );
    assert_eq!(
        stripe["remedies"][0],
        json!({
            "scope": "organizations/acme/users/bob",
            "command": "secrets set STRIPE_SECRET",
            "allowed": true,
            "who": "bob",
        })
    );
    assert_eq!(json["secrets"][1]["winner"]["secret"], "organizations/acme/users/bob/secrets/LINEAR_API_KEY");
    bob.run("check").expect_failure(2).expect_text(&["secrets.toml"]);
    bob.run("check no-pe").expect_failure(1).expect_text(&["NO_PE"]);
}

#[test]
fn nothing_starts_while_something_required_is_missing() {
    let server = TestServer::acme();
    let bob = in_repository(&server, "bob");
    bob.set("key", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    for line in ["run -- touch started", "materialize --dir started"] {
        let refused = bob.run(line).expect_failure(5);
        assert!(
            refused.stderr.contains("error: 2 secrets are missing: LINEAR_API_KEY, STRIPE_SECRET\n"),
            "{refused:?}"
        );
        refused
            .expect_text(&["the team's test account", "  secrets set STRIPE_SECRET --desc", "`secrets check`"])
            .reject_text("SENTRY");
        assert!(!bob.home.join("started").exists() && !bob.home.join(".ssh").exists(), "{line}");
    }
    // Whoever says what they need, needs nothing else; and what is only looked at is not refused.
    bob.run_ok("run --only DEPLOY_KEY -- true");
    bob.run_ok("resolve");
    bob.run_with_stdin(b"output\n", "redact").expect_success("redact");
    bob.set("lin", "LINEAR_API_KEY");
    bob.set("sk", "STRIPE_SECRET");
    bob.run_ok("run -- touch started");
    assert!(bob.home.join("started").exists());
}

#[test]
fn a_sandbox_learns_who_can_help() {
    let server = TestServer::acme();
    let bob = in_repository(&server, "bob");
    let session = bob.run_ok("session create --workspace ws1 --ttl 1h").line();
    let agent = in_repository(&server, "agent").with("SECRETS_TOKEN", &session);
    agent.run("run -- true").expect_failure(5).expect_text(&["bob may: secrets set LINEAR_API_KEY"]);
    server.person("ann").set("x", "STRIPE_SECRET --org --expires 1s");
    let begun = std::time::Instant::now();
    loop {
        let checked = agent.run("check STRIPE_SECRET");
        if checked.code == 5 {
            checked.expect_text(&["there, but not delivered from organization: expired"]);
            break;
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{checked:?}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

#[test]
fn a_broken_file_names_line_and_key() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    std::fs::write(bob.home.join("secrets.toml"), "project = \"api\"\n\n[secrets]\nLINEAR_API_KEY = \"canary\"\n")
        .unwrap();
    let refused = bob.run("run -- true").expect_failure(125).reject_text("canary");
    refused.expect_text(&["secrets.toml` line 4: `secrets.LINEAR_API_KEY`: ", "does not belong in this file"]);
}
