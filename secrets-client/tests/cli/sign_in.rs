use std::os::unix::fs::PermissionsExt as _;

use crate::support::TestServer;

#[test]
fn an_invitation_becomes_a_token_that_only_its_owner_reads() {
    let server = TestServer::start();
    let created =
        server.operator().run_ok("org create acme --admin ann").expect_text(&["ann signs in", "secrets login"]);
    let code = created.line();
    assert!(code.starts_with("sinv_"));

    let ann = server.person("ann");
    let whoami = ann.run_ok(&format!("login --invite {code}")).reject_text(&code).stdout;
    assert!(whoami.starts_with("user ann, organization acme, admin, token expires "), "{whoami}");
    assert_eq!(ann.run_ok("whoami").stdout, whoami);
    let config = ann.run_ok("config path").line();
    assert!(config.ends_with(".config/secrets/config.toml"));
    assert_eq!(std::fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&config).unwrap().contains("token = \"sper_"));

    server.person("eve").run(&format!("login --invite {code}")).expect_failure(4).expect_text(&["a code works once"]);
}

#[test]
fn a_token_is_taken_from_stdin_and_checked_before_it_is_kept() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let token = ann.run_ok("token create --name laptop --ttl 30d").line();
    assert!(token.starts_with("sper_"));
    let laptop = server.person("laptop");
    laptop.run_with_stdin(format!("{token}\n").as_bytes(), "login").expect_success("login").reject_text(&token);
    assert_eq!(laptop.run_ok("whoami --output json").json()["principal"], "organizations/acme/users/ann");

    let other = server.person("other");
    other.run_with_stdin(b"sper_nonsense", "login").expect_failure(4).reject_text("nonsense");
    other.run("whoami").expect_failure(4).expect_text(&["not signed in", "secrets login"]);
}

#[test]
fn a_revoked_token_ends_at_once() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let token = ann.run_ok("token create --name old").line();
    let old = server.person("old").with("SECRETS_TOKEN", &token);
    old.run_ok("whoami");
    let id = ann.run_ok("token list").row_of("old");
    ann.run(&format!("token revoke {id}")).expect_failure(2).expect_text(&["--yes"]);
    old.run_ok("whoami");
    ann.run_ok(&format!("token revoke {id} --yes")).expect_text(&["this ended 0 sessions and 1 token"]);
    old.run("whoami").expect_failure(4);
    ann.run(&format!("token revoke {token} --yes")).expect_failure(2).reject_text(&token);
    ann.run("token revoke nope --yes").expect_failure(3).expect_text(&["no token `nope`", "secrets token list"]);
}

#[test]
fn the_configuration_is_read_and_changed() {
    let server = TestServer::start();
    let ann = server.person("ann");
    ann.run("config get organization").expect_failure(3);
    ann.run_ok("config set organization acme");
    ann.run_ok("config set endpoint http://127.0.0.1:1");
    assert_eq!(ann.run_ok("config get organization").line(), "acme");
    assert_eq!(ann.run_ok("config list").stdout, "endpoint = http://127.0.0.1:1\norganization = acme\n");
    ann.run_ok("config unset endpoint");
    assert_eq!(ann.run_ok("config list -o json").json(), serde_json::json!({ "organization": "acme" }));
    ann.run("config set token sper_canary").expect_failure(2).reject_text("canary");
    ann.run("config set organization Acme!").expect_failure(2);
}
