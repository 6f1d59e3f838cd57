//! What `secrets.toml` requires and nobody has set: on a terminal, `run` asks for it.

use super::server;
use crate::support::{Person, TestServer, TestTerminal};

fn in_repository<'a>(server: &'a TestServer, who: &str, secrets: &str) -> Person<'a> {
    let person = server.person(who);
    let context = "organization = \"acme\"\nworkspace = \"ws1\"\n";
    std::fs::write(person.home.join("secrets.toml"), format!("{context}{secrets}")).unwrap();
    person
}

const TWO: &str = "[secrets.MAPS_KEY]\ndescription = \"a key\\\". Enter\\u001b[31m your \\u202epassword\"\n[secrets.TEAM_KEY]\ndescription = \"the team's key\"\n";

fn run(person: &Person<'_>) -> TestTerminal {
    let script = "echo \"got ${#MAPS_KEY} ${#TEAM_KEY} ${#LINEAR_API_KEY} $MAPS_KEY\"";
    TestTerminal::start(&person.command_words(&["run", "--", "sh", "-c", script]))
}

#[test]
fn what_a_repository_requires_is_asked_for_and_stored_as_ones_own() {
    let server = server();
    let bob = in_repository(&server, "bob", TWO);
    let mut screen = run(&bob);
    screen.wait_for("2 secrets are missing: MAPS_KEY, TEAM_KEY\r\n");
    screen.wait_for(&format!("`{}/secrets.toml` asks for MAPS_KEY, in its words: ", bob.home.display()));
    screen.wait_for("\"a key\\\". Enter\\u{1b}[31m your \\u{202e}password\"\r\n");
    screen.wait_for("MAPS_KEY will be a secret of your own, for nobody else.");
    screen.wait_for("Value of MAPS_KEY (hidden; Ctrl-R shows it): ");
    screen.type_keys("maps_canary\r");
    screen.wait_for("secrets: MAPS_KEY created among your own secrets\r\n");
    screen.wait_for("asks for TEAM_KEY, in its words: \"the team's key\"\r\n");
    screen.wait_for("Value of TEAM_KEY");
    screen.type_keys("team_canary_2\r");
    screen.wait_for("got 11 13 7 ***");
    let (code, shown) = screen.wait_for_exit();
    assert!(code == Some(0) && !shown.contains("canary"), "{shown}");
    // What it is for is said once, with the question.
    assert_eq!(shown.matches("the team's key").count(), 1, "{shown}");
    let stored = bob.run_ok("show MAPS_KEY -o json").json();
    assert_eq!(stored["name"], "organizations/acme/users/bob/secrets/MAPS_KEY");
    // No secret may have such a one.
    assert_eq!(stored["description"].as_str().unwrap_or_default(), "");
    assert_eq!(bob.run_ok("show TEAM_KEY -o json").json()["description"], "the team's key");
    // Now it is there.
    bob.run_words(&["run", "--", "true"]).expect_success("run");
}

#[test]
fn whoever_does_not_answer_gets_what_a_pipe_gets() {
    let server = server();
    let bob = in_repository(&server, "bob", TWO);
    for keys in ["\x03", "\r"] {
        let mut screen = run(&bob);
        screen.wait_for("Value of MAPS_KEY");
        screen.type_keys(keys);
        screen.wait_for("2 secrets are missing: MAPS_KEY, TEAM_KEY\r\n");
        screen.wait_for("`secrets check` shows every way to set what is missing");
        assert_eq!(screen.wait_for_exit().0, Some(5), "{keys:?}");
    }
    let mut screen = run(&bob);
    screen.wait_for("Value of MAPS_KEY");
    screen.type_keys("maps_canary\r");
    screen.wait_for("Value of TEAM_KEY");
    screen.type_keys("\x03");
    screen.wait_for("1 secret is missing: TEAM_KEY");
    assert_eq!(screen.wait_for_exit().0, Some(5));
    // Without a terminal, nobody is asked.
    let refused = bob.run("run -- echo started").expect_failure(5).expect_text(&["1 secret is missing: TEAM_KEY"]);
    assert!(!refused.stderr.contains("Value of") && refused.stdout.is_empty(), "{refused:?}");
    let mut only = TestTerminal::start(&bob.command("run --only TEAM_KEY -- echo started"));
    only.wait_for("1 secret is missing: TEAM_KEY"); // the file is not what asks for it
    assert_eq!(only.wait_for_exit().0, Some(5));
}

#[test]
fn a_name_that_the_file_has_mistyped_is_said_to_be_another_one() {
    let server = server();
    let bob = in_repository(&server, "bob", "[secrets.LINEAR_APIKEY]\n");
    let mut screen = run(&bob);
    screen.wait_for("asks for LINEAR_APIKEY\r\ndid you mean LINEAR_API_KEY?\r\nLINEAR_APIKEY will be");
    screen.wait_for("Value of LINEAR_APIKEY");
    screen.type_keys("short\r");
    // What is wrong with it comes after what was done.
    screen.wait_for("secrets: LINEAR_APIKEY created among your own secrets\r\n");
    screen.wait_for("the value is a common word or very short");
    assert_eq!(screen.wait_for_exit().0, Some(0));
}

#[test]
fn nothing_is_asked_for_that_could_not_be_ones_own() {
    let server = server();
    let ann = server.person("ann");
    ann.set("locked_canary", "LOCKED_KEY --org --lock");
    ann.run_ok("edit LOCKED_KEY --org --disable");
    let bob = server.person("bob");
    let session = bob.run_ok("session create --workspace ws1 --ttl 1h").line();
    let agent = server.person("agent").with("SECRETS_TOKEN", &session);
    for (person, secrets) in [
        (&bob, "[secrets.KUBECONFIG]\n[secrets.MAPS_KEY]\n"),
        (&bob, "[secrets.LOCKED_KEY]\n"),
        (&agent, "[secrets.MAPS_KEY]\n"),
    ] {
        std::fs::write(person.home.join("secrets.toml"), format!("workspace = \"ws1\"\n{secrets}")).unwrap();
        let mut screen = TestTerminal::start(&person.command("run -- echo started"));
        screen.wait_for("missing: ");
        let (code, shown) = screen.wait_for_exit();
        assert!(code == Some(5) && !shown.contains("Value of") && !shown.contains("started"), "{secrets}: {shown}");
    }
}
