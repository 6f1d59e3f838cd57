//! Several accounts, and the way out of one.

use serde_json::{Value, json};

use super::completion::candidates;
use super::terminal::on_terminal;
use crate::support::{Person, TestServer};

/// A person whose configuration alone says where the service is.
fn alone<'a>(server: &'a TestServer, name: &str) -> Person<'a> {
    server.person(name).with("SECRETS_ENDPOINT", "")
}

/// A token of somebody, for a login elsewhere.
fn token_of(server: &TestServer, name: &str) -> String {
    server.person(name).run_ok("token create --name elsewhere").line()
}

/// Signs `person` in with a profile's name.
fn sign_in(person: &Person<'_>, profile: &str, endpoint: &str, token: &str) {
    let line = format!("login --profile {profile} --endpoint {endpoint}");
    person.run_with_stdin(token.as_bytes(), &line).expect_success(&line).reject_text(token);
}

fn listed(person: &Person<'_>) -> Vec<(String, String, bool)> {
    let profiles = person.run_ok("profile list -o json").json();
    let text = |profile: &Value, member: &str| profile[member].as_str().unwrap_or_default().to_owned();
    let row = |profile: &Value| (text(profile, "profile"), text(profile, "principal"), profile["in_use"] == true);
    profiles.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn each_profile_has_an_endpoint_and_an_account_of_its_own() {
    let (server, other) = (TestServer::acme(), TestServer::acme());
    let me = || alone(&server, "me");
    me().run("list --profile work")
        .expect_failure(3)
        .expect_text(&["no profile `work`", "secrets login --profile work"]);
    me().run("profile list").expect_success("list").expect_text(&["No profiles"]);
    sign_in(&me(), "default", &server.endpoint, &token_of(&server, "ann"));
    sign_in(&me(), "work", &server.endpoint, &token_of(&server, "bob"));
    sign_in(&me(), "lab", &other.endpoint, &token_of(&other, "bob"));

    let whoami = |person: Person<'_>, flags: &str| person.run_ok(&format!("whoami{flags}")).stdout;
    assert!(whoami(me(), "").starts_with("user ann"));
    assert!(whoami(me(), " --profile work").starts_with("user bob"));
    assert!(whoami(me().with("SECRETS_PROFILE", "work"), "").starts_with("user bob"));
    assert!(whoami(me().with("SECRETS_PROFILE", "work"), " --profile default").starts_with("user ann"));
    // A flag comes before the environment, and that before a variable with a profile's name.
    let environment =
        || me().with("SECRETS_ENDPOINT", &server.endpoint).with("SECRETS_TOKEN", &token_of(&server, "ann"));
    assert!(whoami(environment(), " --profile lab").starts_with("user bob"));
    assert!(whoami(environment().with("SECRETS_PROFILE", "lab"), "").starts_with("user ann"));
    // A profile's token is no more for another's endpoint than anybody's.
    let elsewhere = me().run(&format!("whoami --profile work --endpoint {}", other.endpoint)).expect_failure(4);
    elsewhere.expect_text(&["not signed in", "profile lab is signed in there"]);

    let (ann, bob) = ("organizations/acme/users/ann".to_owned(), "organizations/acme/users/bob".to_owned());
    let row = |name: &str, who: &String, in_use| (name.to_owned(), who.clone(), in_use);
    assert_eq!(listed(&me()), [row("default", &ann, true), row("lab", &bob, false), row("work", &bob, false)]);
    me().run_ok("profile use lab").expect_text(&["lab", &other.endpoint]);
    assert_eq!(listed(&me()), [row("default", &ann, false), row("lab", &bob, true), row("work", &bob, false)]);
    assert!(whoami(me(), "").starts_with("user bob"));
    me().run_ok("project list");
    me().run("profile use nope").expect_failure(3);
    me().with("SECRETS_PROFILE", "work").run_ok("profile use default").expect_text(&["SECRETS_PROFILE is set"]);
    assert!(whoami(me(), "").starts_with("user ann"));
    me().run_ok("config set project api --profile work");
    assert_eq!(me().run_ok("config get project --profile work").line(), "api");
    me().run("config get project").expect_failure(3);
}

#[test]
fn a_profile_is_completed_without_asking_anybody() {
    let server = TestServer::acme();
    let me = alone(&server, "me");
    sign_in(&me, "work", &server.endpoint, &token_of(&server, "bob"));
    server.person("bob").set("v", "OF_BOB");
    assert_eq!(candidates(&me, "secrets list --profile "), format!("work\t{}\n", server.endpoint));
    assert_eq!(candidates(&me, "secrets profile use w"), format!("work\t{}\n", server.endpoint));
    assert_eq!(candidates(&me, "secrets show --profile work "), "OF_BOB\n");
    assert_eq!(candidates(&me, "secrets show "), "", "nobody is signed in there");
}

#[test]
fn logout_ends_the_token_there_and_here() {
    let server = TestServer::acme();
    let bob = || server.person("bob");
    let config = std::fs::read_to_string(bob().run_ok("config path").line()).unwrap();
    let token = config.lines().find_map(|line| line.strip_prefix("token = \"")).unwrap().trim_end_matches('"');
    bob().run_ok("session create --workspace ws1 --ttl 1h");
    bob().run_ok("logout").expect_text(&["Signed out", "the token was revoked, and 1 session with it"]);
    bob().run("whoami").expect_failure(4).expect_text(&["not signed in"]);
    server.person("thief").with("SECRETS_TOKEN", token).run("whoami").expect_failure(4);
    let left = std::fs::read_to_string(bob().run_ok("config path").line()).unwrap();
    assert!(!left.contains(token) && !left.contains("signed_in_at"), "{left}");
    let again = bob().run_ok("logout -o json").expect_text(&["You were not signed in."]);
    assert_eq!(again.json(), json!({ "revoked": false, "revoked_sessions": 0, "moved_sessions": 0 }));
}

#[test]
fn what_was_created_with_the_token_goes_on_after_a_logout() {
    let server = TestServer::acme();
    let bob = || server.person("bob");
    let session = bob().run_ok("session create --workspace ws1 --ttl 1h").line();
    let next = bob().run_ok("token create --name laptop").line();
    bob().run_ok("logout").expect_text(&["its sessions go on with the next one", "(1 session)"]);
    for token in [&next, &session] {
        server.person("elsewhere").with("SECRETS_TOKEN", token).run_ok("whoami");
    }
}

#[test]
fn logout_of_a_token_that_ended_before_removes_it() {
    let server = TestServer::acme();
    let (bob, ann) = (server.person("bob"), server.person("ann"));
    ann.run_ok("user delete bob --yes");
    bob.run_ok("logout").expect_text(&["had expired, or was revoked before"]);
    assert!(!bob.run_ok("config list").stdout.contains("token"));
}

#[test]
fn a_token_that_cannot_be_ended_now_stays_where_it_is() {
    let mut server = TestServer::acme();
    server.stop();
    let bob = server.person("bob");
    let ended = bob.run("logout").expect_failure(6);
    ended.expect_text(&["the token is still valid, and still stored", "unavailable", "secrets config unset token"]);
    assert!(bob.run_ok("config list").stdout.contains("token"));
    bob.run("profile remove default --yes").expect_failure(6).expect_text(&["still valid"]);
    bob.run_ok("config unset token");
    bob.run_ok("profile remove default --yes");
    assert_eq!(listed(&bob), []);
}

#[test]
fn a_logout_elsewhere_ends_nothing() {
    let server = TestServer::acme();
    let bob = || server.person("bob");
    bob()
        .run("logout --endpoint http://127.0.0.1:1")
        .expect_failure(4)
        .expect_text(&["not signed in at", &server.endpoint]);
    bob().with("SECRETS_TOKEN", "sper_x").run_ok("logout").expect_text(&["revoked", "SECRETS_TOKEN"]);
}

#[test]
fn the_operators_token_and_a_session_leave_in_their_own_ways() {
    let server = TestServer::acme();
    let token = std::fs::read_to_string(server.directory.path().join("data/operator-token")).unwrap();
    let operator = server.person("operator-at-home");
    operator.run_with_stdin(token.as_bytes(), "login").expect_success("login");
    operator.run_ok("logout").expect_text(&["operator's token", "stays valid"]);
    operator.run("whoami").expect_failure(4);
    server.operator().run_ok("whoami");

    let session = server.person("bob").run_ok("session create --workspace ws1 --ttl 1h").line();
    let sandbox = server.person("sandbox");
    sandbox.run_with_stdin(session.as_bytes(), "login").expect_success("login");
    sandbox.run_ok("logout").expect_text(&["was revoked"]);
    server.person("sandbox").with("SECRETS_TOKEN", &session).run("whoami").expect_failure(4);
    assert_eq!(server.person("bob").run_ok("session list -o json").json(), json!([]));
}

#[test]
fn a_removed_profile_ends_with_its_token() {
    let (server, other) = (TestServer::acme(), TestServer::acme());
    let me = || alone(&server, "me");
    let token = token_of(&other, "bob");
    sign_in(&me(), "default", &server.endpoint, &token_of(&server, "ann"));
    sign_in(&me(), "lab", &other.endpoint, &token);
    me().run_ok("profile use lab");
    let question = format!("Remove profile lab, and end its token at {}? [y/N] ", other.endpoint);
    let (code, shown) = on_terminal(&me(), "profile remove lab", &[(&question, "n\r")]);
    assert!(code == 1 && shown.contains("Nothing was removed."), "{shown}");
    me().run("profile remove lab").expect_failure(2).expect_text(&["--yes"]);
    me().run_ok("whoami");
    me().run_ok("profile remove lab --yes").expect_text(&["Profile lab removed", "the token was revoked"]);
    other.person("bob").with("SECRETS_TOKEN", &token).run("whoami").expect_failure(4);
    // What is used when none is named is the default one again.
    assert!(me().run_ok("whoami").stdout.starts_with("user ann"));
    me().run("profile remove lab --yes").expect_failure(3);
}
