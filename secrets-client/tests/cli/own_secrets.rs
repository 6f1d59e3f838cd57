use super::world::World;

const MASK: &str = "••••••••";

#[test]
fn a_secret_is_made_changed_and_never_shown() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("lin_canary_1\n", "LINEAR_API_KEY").shows(&["created"]).hides("canary").hides("running keep");
    bob.sets("lin_canary_2", "LINEAR_API_KEY").shows(&["version 2", "running keep"]).hides("canary");
    let list = bob.does("list").hides("canary").shows(&[MASK]);
    assert_eq!(list.row("LINEAR_API_KEY")[..3], ["LINEAR_API_KEY", "variable", "user bob"]);
    bob.does("show LINEAR_API_KEY")
        .hides("canary")
        .shows(&[MASK, "organizations/acme/users/bob/secrets/LINEAR_API_KEY"]);
    assert_eq!(bob.does("resolve LINEAR_API_KEY --raw").stdout, "lin_canary_2");
    let json = bob.does("list --output json").hides("canary").json();
    assert_eq!((&json[0]["secret_id"], &json[0]["current_version"]), (&"LINEAR_API_KEY".into(), &2.into()));
}

#[test]
fn one_newline_is_taken_from_stdin_unless_it_is_raw() {
    let world = World::acme();
    let bob = world.person("bob");
    let value = || bob.does("resolve A --raw").stdout;
    bob.sets("two\n\n", "A");
    assert_eq!(value(), "two\n");
    bob.sets("one\n", "A --raw").shows(&["warning"]);
    assert_eq!(value(), "one\n");
    std::fs::write(bob.home.join("key"), "from a file\n").unwrap();
    bob.does("set A --value-file key");
    assert_eq!(value(), "from a file");
}

#[test]
fn a_value_lands_where_a_flag_says() {
    let world = World::acme();
    let bob = world.person("bob");
    let home = bob.home.display().to_string();
    bob.sets("token", "GH_REGISTRY --registry ghcr.io --username bob");
    bob.sets("key", &format!("DEPLOY_KEY --file {home}/.ssh/deploy_key --mode 0400"));
    bob.sets("seed", "SEED --api-only");
    let list = bob.does("list");
    assert_eq!(list.row("GH_REGISTRY")[1], "registry ghcr.io (bob)");
    assert_eq!(list.row("DEPLOY_KEY")[1], "file ~/.ssh/deploy_key (0400)");
    assert_eq!(list.row("SEED")[1], "api only");
    bob.pipes(b"x", "set KEY2 --file relative/path").fails(1).shows(&["path"]);
    bob.pipes(b"x", "set KEY3 --registry not a host").fails(2);
}

#[test]
fn names_that_do_not_pass_say_what_would() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.pipes(b"x", "set linear-api-key").fails(1).shows(&["LINEAR_API_KEY"]);
    bob.pipes(b"x", "set linear_api_key").fails(1).shows(&["LINEAR_API_KEY"]);
    bob.pipes(b"x", "set PATH").fails(1).shows(&["reserved"]);
}

#[test]
fn an_edit_keeps_the_value_unless_there_is_a_new_one() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("lin_1", "A");
    bob.does("edit A --description personal").shows(&["stays as it was"]);
    bob.pipes(b"", "edit A").succeeds("edit").shows(&["as it was"]);
    bob.pipes(b"\n", "edit A").succeeds("edit").shows(&["as it was"]);
    assert_eq!(bob.does("resolve A --raw").stdout, "lin_1");
    bob.pipes(b"lin_2\n", "edit A").succeeds("edit").shows(&["version 2", "running keep"]);
    assert_eq!(bob.does("resolve A --raw").stdout, "lin_2");
    let secret = bob.does("show A -o json").json();
    assert_eq!((&secret["description"], &secret["current_version"]), (&"personal".into(), &2.into()));
    bob.does("edit A --label team=web --label tier=1");
    bob.does("edit A --remove-label tier --group linear");
    let secret = bob.does("show A -o json").json();
    assert_eq!((&secret["labels"], &secret["group"]), (&serde_json::json!({ "team": "web" }), &"linear".into()));
    bob.pipes(b"", "edit NOPE").fails(3);
}

#[test]
fn old_versions_come_back_and_can_be_destroyed() {
    let world = World::acme();
    let bob = world.person("bob");
    bob.sets("one", "A");
    bob.sets("two", "A");
    bob.does("rollback A --to 1").shows(&["as in version 1", "version 3"]);
    assert_eq!(bob.does("resolve A --raw").stdout, "one");
    let history = bob.does("history A").shows(&["current, from version 1"]);
    assert_eq!(history.stdout.lines().count(), 4);
    bob.types("rm A --version 3 --yes").fails(1);
    bob.does("rm A --version 2 --yes");
    bob.types("rollback A --to 2").fails(3);
}

#[test]
fn a_delete_says_what_wins_next_and_can_be_undone() {
    let world = World::acme();
    let (ann, bob) = (world.person("ann"), world.person("bob"));
    ann.sets("team", "A --org");
    bob.sets("own", "A");
    bob.sets("own", "B");
    bob.does("rm A --yes").shows(&["the organization's A will be used instead", "secrets undelete A"]);
    bob.does("rm B --yes").shows(&["no other B will be used instead"]);
    assert_eq!(bob.does("resolve A --raw").stdout, "team");
    bob.types("resolve B --raw").fails(5);
    assert!(bob.does("list").stdout.is_empty());
    bob.does("list --deleted").shows(&["A ", "B ", "DELETED UNTIL"]);
    bob.does("undelete A");
    assert_eq!(bob.does("resolve A --raw").stdout, "own");
    bob.does("rm A --purge --yes");
    bob.types("undelete A").fails(3);
}
