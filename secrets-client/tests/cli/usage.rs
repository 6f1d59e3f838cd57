use std::process::Stdio;

use super::world::World;

#[test]
fn nobody_who_is_not_signed_in_gets_further() {
    let world = World::start();
    let nobody = world.person("nobody");
    for line in ["whoami", "list", "set A", "resolve", "org list", "session list --organization acme"] {
        nobody.types(line).fails(4).shows(&["not signed in", "hint: "]);
    }
    nobody.types("run -- true").fails(125);
}

#[test]
fn a_service_that_does_not_answer_has_a_code_of_its_own() {
    let world = World::start();
    let nobody = world.person("nobody").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    nobody.types("whoami").fails(6).shows(&["http://127.0.0.1:1", "SECRETS_ENDPOINT"]);
    nobody.types("run -- true").fails(125);
}

#[test]
fn a_value_is_never_an_argument() {
    let world = World::start();
    // Refused before anything is sent: the endpoint does not even exist.
    let ann = world.person("ann").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    for line in ["set LINEAR_API_KEY lin_123", "set LINEAR_API_KEY=lin_123", "edit LINEAR_API_KEY lin_123"] {
        ann.types(line).fails(2).hides("lin_123").shows(&["never an argument", "secrets set LINEAR_API_KEY"]);
    }
}

#[test]
fn a_mistyped_flag_is_told_from_a_value_and_a_token_is_not_repeated() {
    let world = World::start();
    let ann = world.person("ann").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    for line in ["set A --descripton canary", "edit A --descripton=canary"] {
        ann.types(line).fails(2).hides("canary").shows(&["--description", "nothing was sent"]);
    }
    ann.types("login sper_canary").fails(2).hides("canary").shows(&["secrets login --invite CODE"]);
    ann.types("delete A").fails(2).shows(&["secrets rm NAME"]);
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let world = World::acme();
    let ann = world.person("ann");
    assert_eq!(ann.types("set").code, 2);
    assert_eq!(ann.types("set A --org --project api").code, 2);
    assert_eq!(ann.types("list --project No_Such").code, 2);
    ann.types("rm NOPE --yes").fails(3);
    ann.types("show NOPE").fails(3);
    ann.types("org delete acme --yes").fails(4);
    ann.types("set A").fails(1).shows(&["empty"]);
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let world = World::acme();
    let ann = world.person("ann");
    let mut child = ann.command("list --org").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && !String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{ended:?}");
}

#[test]
fn what_asks_refuses_without_a_terminal() {
    let world = World::acme();
    let ann = world.person("ann");
    ann.sets("x-value", "A");
    for line in
        ["rm A", "user delete bob", "project delete api", "workspace delete ws1", "member remove bob --project api"]
    {
        ann.types(line).fails(2).shows(&["--yes"]);
    }
    ann.does("show A");
    ann.does("user show bob");
}
