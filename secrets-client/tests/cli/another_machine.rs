//! `login --another-machine`, on a terminal: the first machine shows a code and waits for the second.

use crate::support::{Person, TestServer, TestTerminal};

/// The first machine, which waits, and the code that it shows.
fn waiting(person: &Person<'_>) -> (TestTerminal, String) {
    let mut screen = TestTerminal::start(&person.command("login --another-machine"));
    screen.wait_for("asks for this code. It works once, until ");
    screen.wait_for("Waiting; Ctrl-C ends the code.");
    let code = screen.wait_for_word("slgn_");
    (screen, code)
}

#[test]
fn the_first_machine_waits_and_shows_which_one_came() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_1", "LINEAR_API_KEY");
    let (mut screen, code) = waiting(&bob);
    let desktop = server.person("desktop");
    let signed_in = desktop.run_with_stdin(code.as_bytes(), "login --name desktop").expect_success("login");
    assert!(signed_in.reject_text(&code).stdout.starts_with("user bob, "));
    screen.wait_for("desktop at 127.0.0.1 has signed in as you. If that was not you, `secrets token revoke ");
    assert_eq!(screen.wait_for_exit().0, Some(0));
    // It is the same person, with what they have.
    assert_eq!(desktop.run_ok("resolve LINEAR_API_KEY --raw").stdout, "lin_1");
    let list = bob.run_ok("token list -o json").json();
    assert_eq!((&list[0]["origin"], &list[0]["address"]), (&"ANOTHER_MACHINE".into(), &"127.0.0.1".into()));
    assert_eq!(list[0]["creator"], list[1]["name"]);
    // The first one ends it, with or without its identifier.
    let id = bob.run_ok("token list").row_of("desktop");
    bob.run_ok(&format!("token revoke {id} --yes"));
    desktop.run("whoami").expect_failure(4).expect_text(&["was revoked at"]);

    let once = server.person("late").run_with_stdin(code.as_bytes(), "login").expect_failure(4);
    once.expect_text(&["a code works once", "secrets login --another-machine"]).reject_text(&code);
}

#[test]
fn ctrl_c_ends_the_code() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let (mut screen, code) = waiting(&bob);
    screen.type_keys("\x03");
    screen.wait_for("interrupted; the code has ended");
    assert_eq!(screen.wait_for_exit().0, Some(130));
    server.person("late").run_with_stdin(code.as_bytes(), "login").expect_failure(4).expect_text(&["revoked at"]);
}

#[test]
fn a_wait_ends_when_the_code_ends_with_its_token() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let (mut screen, code) = waiting(&bob);
    bob.run_ok("logout");
    screen.wait_for("the token was revoked at");
    assert_eq!(screen.wait_for_exit().0, Some(4));
    server.person("late").run_with_stdin(code.as_bytes(), "login").expect_failure(4).reject_text(&code);
}

#[test]
fn only_a_person_at_a_terminal_with_a_token_that_signed_in_gets_a_code() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.run("login --another-machine").expect_failure(2).expect_text(&["on a terminal alone"]).reject_text("slgn_");
    let own = bob.run_ok("token create --name own").line();
    let other = server.person("other").with("SECRETS_TOKEN", &own);
    let (code, shown) = TestTerminal::start(&other.command("login --another-machine")).wait_for_exit();
    assert!(code == Some(1) && shown.contains("a token that signed in itself"), "{code:?} {shown}");
    let session = bob.run_ok("session create").line();
    let sandbox = server.person("sandbox").with("SECRETS_TOKEN", &session);
    let (code, shown) = TestTerminal::start(&sandbox.command("login --another-machine")).wait_for_exit();
    assert!(code == Some(4) && !shown.contains("slgn_"), "{code:?} {shown}");
}
