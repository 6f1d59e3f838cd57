//! A token in the desktop's keyring: the real program, a real bus, and a Secret Service that behaves well or does not.

mod fake_service;

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use self::fake_service::{Answer, FakeService, SessionBus};
use super::terminal::on_terminal;
use crate::support::{Person, ProgramOutput, TestServer};

const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

fn token_of(server: &TestServer, name: &str) -> String {
    server.person(name).run_ok("token create --name elsewhere").line()
}

/// Somebody on a desktop, who is not signed in.
fn on_desktop<'a>(server: &'a TestServer, service: &FakeService) -> Person<'a> {
    server.person("desk").with(BUS, &service.bus.address())
}

/// Somebody whose token is in the keyring, and the token.
fn signed_in<'a>(server: &'a TestServer, service: &FakeService) -> (Person<'a>, String) {
    let (me, token) = (on_desktop(server, service), token_of(server, "ann"));
    me.run_with_stdin(token.as_bytes(), "login --keyring").expect_success("login").reject_text(&token);
    (me, token)
}

fn config(person: &Person<'_>) -> String {
    std::fs::read_to_string(person.run_ok("config path").line()).unwrap()
}

/// An error that says that the keyring is the cause.
fn blames_keyring(ended: ProgramOutput, text: &str) -> ProgramOutput {
    ended.expect_failure(6).expect_text(&["keyring", text, "hint:"]).reject_text("not signed in")
}

#[test]
fn the_token_is_in_the_keyring_alone_until_the_logout() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let (me, token) = signed_in(&server, &service);
    assert_eq!(service.state().items.len(), 1);
    assert_eq!(service.state().items[0].value, token.as_bytes());
    assert_eq!(service.state().items[0].label, format!("secrets: token of profile default at {}", server.endpoint));
    assert!(config(&me).contains("keyring_item = ") && !config(&me).contains("token"), "{}", config(&me));
    assert!(me.run_ok("whoami").stdout.starts_with("user ann"));
    me.set("v", "OF_ANN");
    assert_eq!(me.run_ok("run --no-masking -- printenv OF_ANN").line(), "v");
    me.run_ok("doctor").expect_text(&["ok    keyring", "gives it"]).reject_text("with your token in it");
    assert_eq!(me.run_ok("config get token").line(), "••••••••");

    me.run_ok("logout").expect_text(&["the token was revoked"]);
    assert!(service.state().items.is_empty() && !config(&me).contains("keyring_item"));
    me.run("whoami").expect_failure(4).expect_text(&["not signed in"]);
    server.person("other").with("SECRETS_TOKEN", &token).run("whoami").expect_failure(4);
}

#[test]
fn a_renewed_token_stays_in_the_keyring_and_the_one_before_is_deleted() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let me = on_desktop(&server, &service);
    // A token that a code was redeemed for: that sign-in goes on without another code.
    let code = server.person("ann").run_ok("user invite carol").line();
    me.run_with_stdin(code.as_bytes(), "login --keyring --invite -").expect_success("login");
    let before = service.state().items[0].value.clone();
    me.run_ok("login --renew").expect_text(&["your desktop's keyring", "The token before has ended."]);
    assert_eq!(service.state().items.len(), 1);
    assert_ne!(service.state().items[0].value, before);
    assert!(!config(&me).contains("token") && me.run_ok("whoami").stdout.starts_with("user carol"));
    let before = String::from_utf8(before).unwrap();
    server.person("other").with("SECRETS_TOKEN", &before).run("whoami").expect_failure(4);
}

#[test]
fn each_profile_has_an_item_of_its_own_and_a_file_takes_its_place() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let (me, _) = signed_in(&server, &service);
    let bob = token_of(&server, "bob");
    me.run_with_stdin(bob.as_bytes(), "login --keyring --profile work").expect_success("login");
    assert!(me.run_ok("whoami").stdout.starts_with("user ann"));
    assert!(me.run_ok("whoami --profile work").stdout.starts_with("user bob"));
    me.run_with_stdin(token_of(&server, "bob").as_bytes(), "login --profile third").expect_success("login");
    let profiles = me.run_ok("profile list -o json").json();
    let locations: Vec<_> = profiles.as_array().unwrap().iter().map(|profile| &profile["token_location"]).collect();
    assert_eq!(locations, ["keyring", "file", "keyring"]);
    me.run_ok("profile list").expect_text(&["TOKEN", "keyring", "file"]);
    me.run_ok("profile remove third --yes");
    me.run_ok("profile remove work --yes").expect_text(&["the token was revoked"]);
    assert_eq!(service.state().items.len(), 1);
    // Without the flag, the token goes where it always went, and nothing is left behind.
    let again = token_of(&server, "ann");
    me.run_with_stdin(again.as_bytes(), "login").expect_success("login").expect_text(&["config.toml"]);
    assert!(service.state().items.is_empty() && config(&me).contains("token = "));
    me.run_ok("doctor").expect_text(&["with your token in it"]);
}

#[test]
fn an_outage_never_looks_as_if_nobody_were_signed_in() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let (me, token) = signed_in(&server, &service);
    let empty = SessionBus::start();
    for (address, text) in [
        ("unix:path=/nonexistent/bus".to_owned(), "can't be reached"),
        ("tcp:host=127.0.0.1,port=1".to_owned(), "must name a socket of this machine"),
        (String::new(), "there is no session bus"),
        (empty.address(), "no program provides `org.freedesktop.secrets`"),
    ] {
        let away = || server.person("desk").with(BUS, &address);
        blames_keyring(away().run("whoami"), text).reject_text(&token);
        away().run("run -- true").expect_failure(125).expect_text(&["keyring", text]);
        // What is known of the token stays, so that it can still be ended.
        blames_keyring(away().run("logout"), text);
        blames_keyring(away().run("login --renew"), text);
        let report = away().run("doctor").expect_failure(1).expect_text(&["fail  keyring", text, "ok    connection"]);
        report.reject_text("not signed in");
        away().run_ok("config list");
        // A token of the environment needs no keyring.
        assert!(away().with("SECRETS_TOKEN", &token).run_ok("whoami").stdout.starts_with("user ann"));
    }
    assert!(me.run_ok("whoami").stdout.starts_with("user ann"));
    service.state().items.clear();
    blames_keyring(me.run("whoami"), "not in the keyring any more");
    me.run_ok("config unset token");
    me.run("whoami").expect_failure(4).expect_text(&["not signed in"]);
}

#[test]
fn a_fallback_of_another_token_is_not_used_while_the_keyring_is_away() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let (me, _) = signed_in(&server, &service);
    me.set("v", "OF_ANN");
    std::fs::write(me.home.join("key"), "c0ffee00".repeat(8)).unwrap();
    std::fs::set_permissions(me.home.join("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let line = "run --fallback set --fallback-key-file key -- printenv OF_ANN";
    me.run_ok(line);
    service.state().is_locked = true;
    me.run(line).expect_failure(125).expect_text(&["the keyring is locked"]);
}

#[test]
fn a_locked_keyring_asks_on_a_terminal_alone() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let (me, _) = signed_in(&server, &service);
    for hides in [false, true] {
        service.state().hides_locked_items = hides;
        service.state().is_locked = true;
        service.state().calls.clear();
        blames_keyring(me.run("whoami"), "locked");
        let new = token_of(&server, "ann");
        blames_keyring(me.run_with_stdin(new.as_bytes(), "login --keyring --profile work"), "locked");
        assert!(!service.state().calls.iter().any(|call| call == "Unlock" || call == "Prompt"));

        service.state().dismisses_prompts = true;
        let (code, shown) = on_terminal(&me, "whoami", &[]);
        assert!(code == 6 && shown.contains("the keyring was not unlocked"), "{shown}");
        service.state().dismisses_prompts = false;
        let (code, shown) = on_terminal(&me, "whoami", &[]);
        assert!(code == 0 && shown.contains("asks for its password") && shown.contains("user ann"), "{shown}");
        assert!(me.run_ok("whoami").stdout.starts_with("user ann"), "it is unlocked");
    }
}

#[test]
fn nobody_waits_for_a_keyring_that_hangs() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let (me, _) = signed_in(&server, &service);
    for member in ["OpenSession", "SearchItems", "GetSecret"] {
        service.state().hostile = [(member, Answer::Nothing)].into();
        let begun = Instant::now();
        blames_keyring(me.run("whoami"), "did not answer within 2 s");
        assert!(begun.elapsed() < Duration::from_millis(3_500), "{member}: {:?}", begun.elapsed());
    }
    // A bus that accepts, and says nothing.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let begun = Instant::now();
    let silent = server.person("desk").with(BUS, &format!("unix:path={}", path.display()));
    blames_keyring(silent.run("whoami"), "did not answer within 2 s");
    assert!(begun.elapsed() < Duration::from_millis(3_500), "{:?}", begun.elapsed());
}

#[test]
fn an_answer_is_doubted_and_none_of_it_is_shown() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let (me, _) = signed_in(&server, &service);
    for (member, answer, text) in [
        ("OpenSession", Answer::AnotherType, "not valid"),
        ("OpenSession", Answer::Error, "refused: org.example.Error.Canary"),
        ("SearchItems", Answer::AnotherType, "not valid"),
        ("GetSecret", Answer::AnotherType, "not valid"),
        ("GetSecret", Answer::Error, "refused"),
        ("GetSecret", Answer::TooLarge, "too large"),
        ("GetSecret", Answer::Bytes(b""), "not a token"),
        ("GetSecret", Answer::Bytes(b"canary\nsper_canary"), "not a token"),
        ("GetSecret", Answer::Bytes(b"canary\xff\x1b[2J"), "not a token"),
    ] {
        service.state().hostile = [(member, answer)].into();
        blames_keyring(me.run("whoami"), text).reject_text("canary");
    }
    // It is the service that says what another token is worth.
    service.state().hostile = [("GetSecret", Answer::Bytes(b"sper_canary"))].into();
    me.run("whoami").expect_failure(4).reject_text("canary");
    service.state().hostile.clear();
    me.run_ok("whoami");
}

#[test]
fn a_code_is_not_used_up_for_a_keyring_that_takes_no_token() {
    let (server, service) = (TestServer::acme(), FakeService::start());
    let me = on_desktop(&server, &service);
    let code = server.person("ann").run_ok("user invite carol").line();
    let login = "login --keyring --invite -";
    for (member, answer) in [("OpenSession", Answer::Error), ("ReadAlias", Answer::Nothing)] {
        service.state().hostile = [(member, answer)].into();
        blames_keyring(me.run_with_stdin(code.as_bytes(), login), "keyring");
    }
    service.state().hostile.clear();
    me.run_with_stdin(code.as_bytes(), login).expect_success(login);
    assert!(me.run_ok("whoami").stdout.starts_with("user carol"));
    // One that can't be kept after all is revoked.
    let code = server.person("ann").run_ok("user invite dave").line();
    service.state().hostile = [("CreateItem", Answer::Error)].into();
    let other = server.person("other").with(BUS, &service.bus.address());
    let lost = other.run_with_stdin(code.as_bytes(), login).expect_failure(6);
    lost.expect_text(&["keyring refused", "the new token was revoked"]).reject_text("canary");
}
