//! What a repository needs: told before a program starts, with what to type.

use serde_json::json;

use super::world::{Person, World};

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
fn in_repository<'a>(world: &'a World, who: &str) -> Person<'a> {
    let person = world.person(who);
    std::fs::write(person.home.join("secrets.toml"), NEEDS).unwrap();
    person
}

#[test]
fn check_says_what_is_missing_and_how_to_set_it() {
    let world = World::acme();
    let bob = in_repository(&world, "bob");
    world.person("ann").sets("sk_canary", "STRIPE_SECRET --project api");
    let checked = bob.types("check").fails(5).hides("canary");
    assert_eq!(checked.row("STRIPE_SECRET"), ["STRIPE_SECRET", "there", "project api", "the team's test account"]);
    assert_eq!(checked.row("SENTRY_DSN")[1], "missing, not required");
    let checked = checked.shows(&[
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
    assert!(bob.does("list").stdout.contains("your own key"));
    bob.does("check").hides("canary").hides("error");
}

#[test]
fn check_takes_names_and_prints_json() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("lin_canary", "LINEAR_API_KEY");
    bob.does("check LINEAR_API_KEY --workspace ws1").shows(&["user bob"]).hides("canary");
    let json = bob.types("check STRIPE_SECRET LINEAR_API_KEY --workspace ws1 -o json").fails(5).hides("canary").json();
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
    bob.types("check").fails(2).shows(&["secrets.toml"]);
    bob.types("check no-pe").fails(1).shows(&["NO_PE"]);
}

#[test]
fn nothing_starts_while_something_required_is_missing() {
    let world = World::acme();
    let bob = in_repository(&world, "bob");
    bob.sets("key", "DEPLOY_KEY --file ~/.ssh/deploy_key");
    for line in ["run -- touch started", "materialize --dir started"] {
        let refused = bob.types(line).fails(5);
        assert!(
            refused.stderr.contains("error: 2 secrets are missing: LINEAR_API_KEY, STRIPE_SECRET\n"),
            "{refused:?}"
        );
        refused
            .shows(&["the team's test account", "  secrets set STRIPE_SECRET --desc", "`secrets check`"])
            .hides("SENTRY");
        assert!(!bob.home.join("started").exists() && !bob.home.join(".ssh").exists(), "{line}");
    }
    // Whoever says what they need, needs nothing else; and what is only looked at is not refused.
    bob.does("run --only DEPLOY_KEY -- true");
    bob.does("resolve");
    bob.pipes(b"output\n", "redact").succeeds("redact");
    bob.sets("lin", "LINEAR_API_KEY");
    bob.sets("sk", "STRIPE_SECRET");
    bob.does("run -- touch started");
    assert!(bob.home.join("started").exists());
}

#[test]
fn a_sandbox_is_told_who_can_help() {
    let world = World::acme();
    let bob = in_repository(&world, "bob");
    let session = bob.does("session create --workspace ws1 --ttl 1h").line();
    let agent = in_repository(&world, "agent").with("SECRETS_TOKEN", &session);
    agent.types("run -- true").fails(5).shows(&["bob may: secrets set LINEAR_API_KEY"]);
    world.person("ann").sets("x", "STRIPE_SECRET --org --expires 1s");
    let begun = std::time::Instant::now();
    loop {
        let checked = agent.types("check STRIPE_SECRET");
        if checked.code == 5 {
            checked.shows(&["there, but not delivered from organization: expired"]);
            break;
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{checked:?}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

#[test]
fn a_broken_file_names_line_and_key() {
    let world = World::acme();
    let bob = world.person("bob");
    std::fs::write(bob.home.join("secrets.toml"), "project = \"api\"\n\n[secrets]\nLINEAR_API_KEY = \"canary\"\n")
        .unwrap();
    let told = bob.types("run -- true").fails(125).hides("canary");
    told.shows(&["secrets.toml` line 4: `secrets.LINEAR_API_KEY`: ", "does not belong in this file"]);
}
