use crate::support::TestServer;

const MASK: &str = "••••••••";

#[test]
fn a_warning_comes_after_what_was_done_and_once() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("team", "LINEAR_API_KEY --org");
    bob.set("own", "LINEAR_API_KEY").expect_text(&["warning: ", "the organization's LINEAR_API_KEY"]);
    bob.set("own2", "LINEAR_API_KEY");
    bob.run_ok("rm LINEAR_API_KEY --yes");
    let pem = b"-----BEGIN PRIVATE KEY-----\r\nAAAA\r\n-----END PRIVATE KEY-----";
    for ended in [
        bob.run_ok("undelete LINEAR_API_KEY"),
        bob.set("own3", "LINEAR_API_KEY"),
        bob.run_ok("edit LINEAR_API_KEY --description x"),
        bob.run_ok("rollback LINEAR_API_KEY --to 1"),
        bob.run_with_stdin(pem, "set KEY --file ~/.ssh/key").expect_success("set"),
    ] {
        let lines: Vec<&str> = ended.stderr.lines().collect();
        let [done, warnings @ ..] = lines.as_slice() else { panic!("{ended:?}") };
        assert!(done.starts_with("LINEAR_API_KEY ") || done.starts_with("KEY created"), "{ended:?}");
        assert!(warnings.iter().all(|line| line.starts_with("warning: ") && line.contains("KEY")), "{ended:?}");
        assert!((1..warnings.len()).all(|at| !warnings[..at].contains(&warnings[at])), "{ended:?}");
    }
}

#[test]
fn a_secret_is_made_changed_and_never_shown() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_canary_1\n", "LINEAR_API_KEY")
        .expect_text(&["created"])
        .reject_text("canary")
        .reject_text("Running programs keep the old value");
    bob.set("lin_canary_2", "LINEAR_API_KEY")
        .expect_text(&["version 2", "Running programs keep the old value"])
        .reject_text("canary");
    let list = bob.run_ok("list").reject_text("canary").expect_text(&[MASK]);
    assert_eq!(list.row("LINEAR_API_KEY")[..3], ["LINEAR_API_KEY", "variable", "user bob"]);
    bob.run_ok("show LINEAR_API_KEY")
        .reject_text("canary")
        .expect_text(&[MASK, "organizations/acme/users/bob/secrets/LINEAR_API_KEY"]);
    assert_eq!(bob.run_ok("resolve LINEAR_API_KEY --raw").stdout, "lin_canary_2");
    let json = bob.run_ok("list --output json").reject_text("canary").json();
    assert_eq!((&json[0]["secret_id"], &json[0]["current_version"]), (&"LINEAR_API_KEY".into(), &2.into()));
}

#[test]
fn one_newline_is_taken_from_stdin_unless_it_is_raw() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let value = || bob.run_ok("resolve A --raw").stdout;
    bob.set("two\n\n", "A");
    assert_eq!(value(), "two\n");
    bob.set("one\n", "A --raw").expect_text(&["warning"]);
    assert_eq!(value(), "one\n");
    std::fs::write(bob.home.join("key"), "from a file\n").unwrap();
    bob.run_ok("set A --value-file key");
    assert_eq!(value(), "from a file");
}

#[test]
fn a_file_has_the_bytes_that_were_given() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let value = || bob.run_ok("resolve KEY --raw").stdout;
    bob.set("one\n", "KEY --file ~/.ssh/deploy");
    assert_eq!(value(), "one\n");
    bob.set("two\r\n", "KEY");
    assert_eq!(value(), "two\r\n");
    bob.run_with_stdin(b"three\n\n", "edit KEY").expect_success("edit");
    assert_eq!(value(), "three\n\n");
    bob.run_with_stdin(b"four\n", "edit KEY --env --raw").expect_success("edit");
    bob.set("five\n", "KEY");
    assert_eq!(value(), "five");
}

#[test]
fn a_key_that_programs_refuse_is_warned_of() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n";
    bob.set(key, "KEY --file ~/.ssh/deploy").reject_text("warning: KEY: its");
    bob.set(key.trim_end(), "KEY").expect_text(&["warning: KEY: its last line does not end"]);
    bob.set(&key.replace('\n', "\r\n"), "KEY").expect_text(&["warning: KEY: its lines end as on Windows"]);
}

#[test]
fn where_a_file_comes_from_is_not_taken_for_where_it_goes() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    std::fs::write(bob.home.join("key.pem"), "lin_canary\n").unwrap();
    bob.run_with_stdin(b"x", "set KEY --file key.pem")
        .expect_failure(2)
        .expect_text(&["`key.pem` is a file here", "did you mean `--value-file key.pem`?"])
        .reject_text("canary");
    assert!(bob.run_ok("list").stdout.is_empty());
}

#[test]
fn a_path_that_is_taken_on_this_machine_is_said_at_once_after_the_success() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let server = TestServer::acme();
    let bob = server.person("bob");
    let key = bob.home.join("key.pem");
    let write = |mode: u32| {
        std::fs::write(&key, "lin_canary\n").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write(0o600);
    let warning = "warning: KEY: `secrets run` can't write `~/key.pem` on this machine: there is a file already, which";
    let said = bob.set("lin_1\n", "KEY --file ~/key.pem").reject_text("canary").reject_text("lin_1");
    let lines: Vec<&str> = said.stderr.lines().collect();
    assert!(lines[0].starts_with("KEY created"), "{said:?}");
    assert!(lines.len() == 2 && lines[1].starts_with(&format!("{warning} has other content")), "{said:?}");
    // Also where the path was stored before, and the value alone is new.
    bob.set("lin_2\n", "KEY").expect_text(&[warning]);
    bob.set("lin_canary\n", "KEY").reject_text("warning");
    write(0o644);
    bob.set("lin_canary\n", "KEY").expect_text(&[warning, "allows more (mode 0644) than is asked for (0600)"]);
    symlink("key.pem", bob.home.join("link")).unwrap();
    bob.set("lin_canary\n", "LINK --file ~/link").expect_text(&["there is a symbolic link of this name"]);
    let huge = std::fs::File::create(bob.home.join("huge")).unwrap();
    huge.set_len(1 << 42).unwrap();
    bob.set("lin_canary\n", "HUGE --file ~/huge").expect_text(&["HUGE: ", "other content"]);
    bob.set("lin_canary\n", "KEY --file ~/other.pem").reject_text("warning");
    // Where the target alone changes, the bytes are the service's.
    write(0o600);
    bob.run_ok("edit KEY --file ~/key.pem").expect_text(&[
        "warning: KEY: there is a file at `~/key.pem` on this machine already; `secrets run` takes it as it is if it has the value's \
         very bytes, and fails if not",
    ]);
    write(0o644);
    bob.run_ok("edit KEY --description d").reject_text("warning");
    bob.run_ok("edit KEY --file ~/key.pem --mode 0400").expect_text(&[warning, "allows more (mode 0644)"]);
    bob.run_with_stdin(b"lin_2\n", "edit KEY --value-file -").expect_text(&[warning, "has other content"]);
    bob.run_ok("edit KEY --file ~/other.pem --mode 0600").reject_text("warning");
    // What a run has put there is in nobody's way.
    bob.run_ok("rm HUGE --yes");
    bob.run_ok("rm LINK --yes");
    let words = ["run", "--", "sh", "-c", "echo ready; exec sleep 300"];
    let running = crate::support::RunningCommand::start(bob.command_words(&words));
    assert_eq!(running.next_line(), "ready");
    assert!(bob.home.join("other.pem").exists());
    bob.set("lin_3\n", "KEY").reject_text("warning");
}

#[test]
fn an_expiry_in_the_past_is_refused() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.run_with_stdin(b"x", "set A --expires 2001-01-31").expect_failure(2).expect_text(&["must be a time to come"]);
    bob.set("x", "A");
    bob.run("edit A --expires 2001-01-31T00:00:00Z").expect_failure(2).expect_text(&["must be a time to come"]);
}

#[test]
fn a_value_is_written_where_a_flag_says() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let home = bob.home.display().to_string();
    bob.set("token", "GH_REGISTRY --registry ghcr.io --username bob");
    bob.set("key", &format!("DEPLOY_KEY --file {home}/.ssh/deploy_key --mode 0400"));
    bob.set("seed", "SEED --api-only");
    let list = bob.run_ok("list");
    assert_eq!(list.row("GH_REGISTRY")[1], "registry ghcr.io (bob)");
    assert_eq!(list.row("DEPLOY_KEY")[1], "file ~/.ssh/deploy_key (0400)");
    assert_eq!(list.row("SEED")[1], "api only");
    bob.run_with_stdin(b"x", "set KEY2 --file relative/path").expect_failure(1).expect_text(&["must start with"]);
    bob.run_with_stdin(b"x", "set KEY3 --registry not a host").expect_failure(2);
}

#[test]
fn an_invalid_name_suggests_a_valid_one() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.run_with_stdin(b"x", "set linear-api-key").expect_failure(1).expect_text(&["LINEAR_API_KEY"]);
    bob.run_with_stdin(b"x", "set linear_api_key").expect_failure(1).expect_text(&["LINEAR_API_KEY"]);
    bob.run_with_stdin(b"x", "set PATH").expect_failure(1).expect_text(&["reserved"]);
}

#[test]
fn an_edit_keeps_the_value_unless_there_is_a_new_one() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_1", "A");
    bob.run_ok("edit A --description personal").expect_text(&["stays as it was"]);
    bob.run_with_stdin(b"", "edit A").expect_success("edit").expect_text(&["is unchanged"]);
    bob.run_with_stdin(b"\n", "edit A").expect_success("edit").expect_text(&["is unchanged"]);
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "lin_1");
    bob.run_with_stdin(b"lin_2\n", "edit A")
        .expect_success("edit")
        .expect_text(&["version 2", "Running programs keep the old value"]);
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "lin_2");
    let secret = bob.run_ok("show A -o json").json();
    assert_eq!((&secret["description"], &secret["current_version"]), (&"personal".into(), &2.into()));
    bob.run_ok("edit A --label team=web --label tier=1");
    bob.run_ok("edit A --remove-label tier --group linear");
    let secret = bob.run_ok("show A -o json").json();
    assert_eq!((&secret["labels"], &secret["group"]), (&serde_json::json!({ "team": "web" }), &"linear".into()));
    bob.run_with_stdin(b"", "edit NOPE").expect_failure(3);
}

#[test]
fn a_value_that_is_given_again_is_unchanged() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("one", "A");
    let set = |value: &str, command: &str| bob.run_with_stdin(value.as_bytes(), command).expect_success(command);
    set("one", "set A").expect_text(&["A is unchanged: it has this value, in version 1."]);
    set("one", "edit A").expect_text(&["A is unchanged: it has this value, in version 1."]);
    set("one", "set A --env --description mine")
        .expect_text(&["A changed: description. The value stays as it was: it has this one, in version 1."]);
    assert_eq!(set("one", "set A -o json").json()["value_unchanged"], true);
    bob.run_ok("rollback A --to 1").expect_text(&["A is unchanged: version 1 is the current one."]);
    set("two", "set A").expect_text(&["now version 2"]);
    set("one", "set A").expect_text(&["now version 3"]);
    bob.run_ok("rollback A --to 1").expect_text(&["version 3, the current one, has what version 1 has."]);
    assert_eq!(bob.run_ok("rollback A --to 2 -o json").json()["value_unchanged"], false);
    // Another target is another version.
    set("two", "set A --api-only").expect_text(&["now version 5: api only"]);
    // An administrator who takes no part in a project changes its secrets, and learns nothing of them.
    let ann = server.person("ann");
    ann.run_ok("project create web");
    ann.set("a value", "B --project web");
    ann.run_with_stdin(b"a value", "set B --project web").expect_success("set").expect_text(&["B is unchanged"]);
    ann.run_ok("member remove ann --project web --yes");
    ann.run_with_stdin(b"a value", "set B --project web").expect_success("set").expect_text(&["now version 2"]);
}

#[test]
fn old_versions_come_back_and_can_be_destroyed() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("one", "A");
    bob.set("two", "A");
    bob.run_ok("rollback A --to 1").expect_text(&["as in version 1", "version 3"]);
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "one");
    let history = bob.run_ok("history A").expect_text(&["current, from version 1"]);
    assert_eq!(history.stdout.lines().count(), 4);
    bob.run("rm A --version 3 --yes").expect_failure(1);
    bob.run_ok("rm A --version 2 --yes");
    bob.run("rollback A --to 2").expect_failure(3);
}

#[test]
fn a_delete_says_what_wins_next_and_can_be_undone() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("team", "A --org");
    bob.set("own", "A");
    bob.set("own", "B");
    bob.run_ok("rm A --yes").expect_text(&["The organization's A will be used instead", "secrets undelete A"]);
    bob.run_ok("rm B --yes").expect_text(&["Nothing else has this name, so whoever gets B now will get none"]);
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "team");
    bob.run("resolve B --raw").expect_failure(5);
    assert!(bob.run_ok("list").stdout.is_empty());
    bob.run_ok("list --deleted").expect_text(&["A ", "B ", "DELETED UNTIL"]);
    bob.run_ok("undelete A");
    bob.run("undelete A").expect_failure(3).expect_text(&["there, and not deleted"]);
    assert_eq!(bob.run_ok("resolve A --raw").stdout, "own");
    bob.run_ok("rm A --purge --yes");
    bob.run("undelete A").expect_failure(3).expect_text(&["`secrets list --deleted` shows what can be undeleted"]);
}

#[test]
fn a_secret_that_is_elsewhere_is_said_to_be_there() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("lin_1", "TEAM_KEY --org");
    bob.set("lin_2", "LINEAR_API_KEY");
    for line in
        ["show TEAM_KEY", "edit TEAM_KEY --lock", "rm TEAM_KEY --yes", "history TEAM_KEY", "rollback TEAM_KEY --to 1"]
    {
        bob.run(line)
            .expect_failure(3)
            .expect_text(&["you have none of your own; the organization has one: add --org"]);
    }
    bob.run("show LINEAR_API_KEY --org").expect_failure(3).expect_text(&["you have one of your own: leave out --org"]);
    bob.run_ok("config set project api");
    ann.set("sk_1", "STRIPE_SECRET --project api");
    let elsewhere = "you have none of your own; project api has one: add --project api";
    bob.run("show STRIPE_SECRET").expect_failure(3).expect_text(&[elsewhere]);
    bob.run("show STRIPE_SECRET --org").expect_failure(3).expect_text(&["project api has one: --project api"]);
    bob.run("rm STRIPE_SECRET --version 1 --yes").expect_failure(3).expect_text(&[elsewhere]);
    bob.run("show LINEAR_API_KYE").expect_failure(3).expect_text(&["did you mean LINEAR_API_KEY?"]);
    // Of another person's nothing is said.
    ann.run("show LINEAR_API_KEY").expect_failure(3).reject_text("hint");
}
