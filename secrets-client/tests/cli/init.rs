use std::fs;

use super::terminal::on_terminal;
use crate::support::TestServer;

#[test]
fn init_writes_what_check_and_run_read() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("canary-1", "STRIPE_SECRET --project api --description test-account");
    bob.set("canary-2", "LINEAR_API_KEY --description of-bob");
    let file = bob.home.join("secrets.toml");
    bob.run_ok("init -p api --optional LATER").reject_text("canary").expect_text(&["with 3 secrets"]);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("canary") && !text.contains("of-bob"), "{text}");
    let expected = "\
organization = \"acme\"
project = \"api\"

[secrets.LATER]
required = false

[secrets.LINEAR_API_KEY]

[secrets.STRIPE_SECRET]
description = \"test-account\"
";
    assert!(text.ends_with(expected), "{text}");
    bob.run_ok("check").expect_text(&["LATER is missing (not required)"]);
    // It overwrites nothing.
    bob.run("init -p api --yes").expect_failure(1).expect_text(&["nothing was written"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    fs::remove_file(&file).unwrap();
    bob.run("init").expect_failure(2).expect_text(&["no context is named"]);
    assert!(!file.exists());
    bob.run_ok("init -w ws1 --only STRIPE_SECRET");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("workspace = \"ws1\"\n\n[secrets.STRIPE_SECRET]\n") && !text.contains("LINEAR"), "{text}");
}

#[test]
fn init_asks_on_a_terminal_which_of_what_one_may_see() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("canary-2", "LINEAR_API_KEY");
    let dialogue = [
        ("1  project api", ""),
        ("2  workspace ws1", ""),
        ("[1-2 or its name, empty: none] ", "ws1\r"),
        ("[secrets.LINEAR_API_KEY]", ""),
        ("Write this to secrets.toml? [y/N] ", "n\r"),
        ("Nothing was written.", ""),
    ];
    let (_, shown) = on_terminal(&bob, "init", &dialogue);
    assert!(!bob.home.join("secrets.toml").exists(), "{shown}");
    let (code, shown) = on_terminal(&bob, "init", &[("none] ", "3\r"), ("`3` is none of these;", "")]);
    assert_eq!(code, 2, "{shown}");
    let (code, shown) =
        on_terminal(&bob, "init", &[("none] ", "1\r"), ("[y/N] ", "y\r"), ("secrets.toml written", "")]);
    assert_eq!(code, 0, "{shown}");
    assert!(fs::read_to_string(bob.home.join("secrets.toml")).unwrap().contains("project = \"api\""));
}
