use std::os::unix::fs::PermissionsExt as _;

use super::world::World;

#[test]
fn an_invitation_becomes_a_token_that_only_its_owner_reads() {
    let world = World::start();
    let created = world.operator().does("org create acme --admin ann").shows(&["ann signs in", "secrets login"]);
    let code = created.line();
    assert!(code.starts_with("sinv_"));

    let ann = world.person("ann");
    let whoami = ann.does(&format!("login --invite {code}")).hides(&code).stdout;
    assert!(whoami.starts_with("user ann, organization acme, admin, token expires "), "{whoami}");
    assert_eq!(ann.does("whoami").stdout, whoami);
    let config = ann.does("config path").line();
    assert!(config.ends_with(".config/secrets/config.toml"));
    assert_eq!(std::fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&config).unwrap().contains("token = \"sper_"));

    world.person("eve").types(&format!("login --invite {code}")).fails(4).shows(&["a code serves once"]);
}

#[test]
fn a_token_is_taken_from_stdin_and_checked_before_it_is_kept() {
    let world = World::acme();
    let ann = world.person("ann");
    let token = ann.does("token create --name laptop --ttl 30d").line();
    assert!(token.starts_with("sper_"));
    let laptop = world.person("laptop");
    laptop.pipes(format!("{token}\n").as_bytes(), "login").succeeds("login").hides(&token);
    assert_eq!(laptop.does("whoami --output json").json()["principal"], "organizations/acme/users/ann");

    let other = world.person("other");
    other.pipes(b"sper_nonsense", "login").fails(4).hides("nonsense");
    other.types("whoami").fails(4).shows(&["not signed in", "secrets login"]);
}

#[test]
fn a_revoked_token_ends_at_once() {
    let world = World::acme();
    let ann = world.person("ann");
    let token = ann.does("token create --name old").line();
    let old = world.person("old").with("SECRETS_TOKEN", &token);
    old.does("whoami");
    let id = ann.does("token list").row_of("old");
    ann.does(&format!("token revoke {id}"));
    old.types("whoami").fails(4);
    ann.types(&format!("token revoke {token} --yes")).fails(2).hides(&token);
}

#[test]
fn the_configuration_is_read_and_changed() {
    let world = World::start();
    let ann = world.person("ann");
    ann.types("config get organization").fails(3);
    ann.does("config set organization acme");
    ann.does("config set endpoint http://127.0.0.1:1");
    assert_eq!(ann.does("config get organization").line(), "acme");
    assert_eq!(ann.does("config list").stdout, "endpoint = http://127.0.0.1:1\norganization = acme\n");
    ann.does("config unset endpoint");
    assert_eq!(ann.does("config list -o json").json(), serde_json::json!({ "organization": "acme" }));
    ann.types("config set token sper_canary").fails(2).hides("canary");
    ann.types("config set organization Acme!").fails(2);
}
