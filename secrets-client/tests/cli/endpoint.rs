//! Where a token goes: to the service that it was made at, and to nobody who is merely named.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};

use super::completion::candidates;
use crate::support::{Person, TestServer};

/// An address that would get a token, and takes down who connects.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    fn caught(&self) -> Option<TcpStream> {
        match self.0.accept() {
            Ok((client, _)) => Some(client),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                None
            }
        }
    }

    #[track_caller]
    fn expect_nobody(&self) {
        assert!(self.caught().is_none(), "it connected");
    }
}

/// ann, whose configuration alone says where the service is.
fn ann(server: &TestServer) -> Person<'_> {
    server.person("ann").with("SECRETS_ENDPOINT", "")
}

#[test]
fn a_stored_token_is_sent_to_no_other_endpoint() {
    let server = TestServer::acme();
    let trap = Trap::set();
    ann(&server).run_ok("whoami");
    let sentence = format!("not signed in at {}", trap.endpoint());
    let hint = format!("your token was made at {}, and is sent nowhere else", server.endpoint);
    for command in ["whoami", "list", "resolve", "explain A", "wait A", "token list", "run -- true"] {
        let typed = ann(&server).run(&format!("--endpoint {} {command}", trap.endpoint()));
        let variable = server.person("ann").with("SECRETS_ENDPOINT", &trap.endpoint()).run(command);
        for ended in [typed, variable] {
            ended.expect_failure(if command.starts_with("run") { 125 } else { 4 }).expect_text(&[&sentence, &hint]);
        }
        trap.expect_nobody();
    }
    // The port alone makes it another one, and so does the name.
    let port = server.endpoint.rsplit(':').next().unwrap();
    let named = format!("--endpoint http://localhost:{port}");
    ann(&server).run(&format!("whoami {named}")).expect_failure(4).expect_text(&["not signed in"]);
    ann(&server).run_ok(&format!("whoami --endpoint {}/", server.endpoint));
}

#[test]
fn another_address_in_the_configuration_gets_no_token_of_an_earlier_one() {
    let server = TestServer::acme();
    let trap = Trap::set();
    ann(&server).run_ok(&format!("config set endpoint {}", trap.endpoint()));
    ann(&server).run("whoami").expect_failure(4).expect_text(&["not signed in", &server.endpoint]);
    trap.expect_nobody();
    server.person("ann").run_ok("whoami");
    ann(&server).run_ok("config unset endpoint");
    ann(&server).run_ok(&format!("whoami --endpoint {}", server.endpoint));
}

#[test]
fn a_token_of_the_environment_goes_where_the_environment_or_a_flag_says() {
    let (server, other) = (TestServer::acme(), TestServer::acme());
    let token = other.person("bob").run_ok("token create").line();
    let there = server.person("ann").with("SECRETS_ENDPOINT", &other.endpoint).with("SECRETS_TOKEN", &token);
    there.run_ok("whoami").expect_text(&["user bob"]);
    let flag = ann(&server).with("SECRETS_TOKEN", &token);
    flag.run_ok(&format!("whoami --endpoint {}", other.endpoint)).expect_text(&["user bob"]);
}

#[test]
fn completion_sends_nothing_because_an_endpoint_was_typed() {
    let server = TestServer::acme();
    server.person("ann").set("v", "LINEAR_API_KEY");
    let trap = Trap::set();
    let typed = format!("secrets show --endpoint {} ", trap.endpoint());
    assert_eq!(candidates(&ann(&server), &typed), "");
    let token = server.person("ann").run_ok("token create").line();
    assert_eq!(candidates(&ann(&server).with("SECRETS_TOKEN", &token), &typed), "", "whoever's token it is");
    assert_eq!(candidates(&server.person("ann").with("SECRETS_ENDPOINT", &trap.endpoint()), "secrets show "), "");
    trap.expect_nobody();

    let offered = "LINEAR_API_KEY\n";
    assert_eq!(candidates(&ann(&server), "secrets show "), offered, "the configuration's");
    assert_eq!(candidates(&ann(&server), &format!("secrets show --endpoint {} ", server.endpoint)), offered);
    let environment = server.person("nobody").with("SECRETS_TOKEN", &token);
    assert_eq!(candidates(&environment, "secrets show "), offered, "the environment's, with its token");
}

#[test]
fn plain_text_leaves_this_machine_only_when_that_is_allowed() {
    let server = TestServer::acme();
    // Nobody has this name: where it is looked up, the command was about to connect.
    let exposed = "http://secrets.invalid:50051";
    let ann = || server.person("ann").with("SECRETS_TOKEN", "sper_canary").with("SECRETS_ENDPOINT", exposed);
    let ways = ["--insecure", "SECRETS_INSECURE=1", "`insecure = true`", "`insecure()`"];
    let refused = ann().run("whoami").expect_failure(1).expect_text(&ways).expect_text(&[exposed]);
    assert!(!refused.stderr.contains("hint: "), "no hint proposes it: {refused:?}");
    ann().run("run -- true").expect_failure(125).expect_text(&["--insecure"]);
    ann().run("doctor").expect_failure(1).expect_text(&["fail  endpoint", "--insecure", "use https://"]);

    let looked_up = |person: &Person<'_>, line: &str| {
        person.run(line).expect_failure(6).expect_text(&["is the name right?"]).reject_text("canary");
    };
    looked_up(&ann(), "whoami --insecure");
    looked_up(&ann().with("SECRETS_INSECURE", "1"), "whoami");
    for other in ["0", "true", ""] {
        ann().with("SECRETS_INSECURE", other).run("whoami").expect_failure(1).expect_text(&["SECRETS_INSECURE=1"]);
    }
    ann().run_ok("config set insecure true");
    looked_up(&ann(), "whoami");
    ann().run("doctor").expect_failure(6).expect_text(&["warn  endpoint"]);
    let another = ann().with("SECRETS_ENDPOINT", "http://other.invalid:50051");
    another.run("whoami").expect_failure(1).expect_text(&["--insecure"]);
    ann().run_ok("config unset insecure");
    ann().run("whoami").expect_failure(1);

    for here in ["http://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:1", "http://localhost:1"] {
        ann().with("SECRETS_ENDPOINT", here).run("whoami").expect_failure(6);
    }
}

#[test]
fn what_does_not_belong_into_an_address_is_named_and_a_password_is_not_shown() {
    let server = TestServer::acme();
    for (endpoint, part) in [
        ("https://bob:canary@secrets.invalid", "user name or password"),
        ("https://bob:can/canary@secrets.invalid", "user name or password"),
        ("https://secrets.invalid/canary", "path"),
        ("https://secrets.invalid?token=canary", "query"),
        ("https://secrets.invalid/#canary", "fragment"),
        (" https://secrets.invalid", "space"),
        ("https://secrets.invalid\n", "space"),
        ("https://secrets.invalid:canary", "port"),
        ("canary.invalid:443", "https://"),
    ] {
        let flag = server.person("ann").run_words(&["whoami", "--endpoint", endpoint]).expect_failure(2);
        flag.expect_text(&["--endpoint", part]).reject_text("canary");
        let variable = server.person("ann").with("SECRETS_ENDPOINT", endpoint).run("whoami").expect_failure(1);
        variable.expect_text(&["SECRETS_ENDPOINT", part]).reject_text("canary");
        let stored = server.person("ann").run_words(&["config", "set", "endpoint", endpoint]).expect_failure(2);
        stored.expect_text(&[part]).reject_text("canary");
    }
    let config = ann(&server).run_ok("config path").line();
    std::fs::write(config, "endpoint = \"https://bob:canary@secrets.invalid\"\n").unwrap();
    ann(&server).run("whoami").expect_failure(1).expect_text(&["line 1: `endpoint`", "password"]).reject_text("canary");
}

#[test]
fn a_part_of_a_proxys_password_is_neither_shown_nor_looked_up() {
    let server = TestServer::acme();
    let ann =
        || server.person("ann").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "https://secrets.invalid");
    for proxy in [
        "http://bob:canary",
        "http://bob:x/canary@proxy.invalid:3128",
        "http://bob:x#canary@proxy.invalid:3128",
        "http://bob:x?canary@proxy.invalid:3128",
        "http://bob:x@canary@proxy.invalid:3128",
    ] {
        let ended = ann().with("HTTPS_PROXY", proxy).run("whoami").expect_failure(1);
        ended.expect_text(&["HTTPS_PROXY", "`@ / # ? %` must be escaped"]).reject_text("canary");
    }
}
