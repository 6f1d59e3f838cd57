use std::process::Stdio;

use crate::support::TestServer;

#[test]
fn a_command_fails_for_those_who_are_not_signed_in() {
    let server = TestServer::start();
    let nobody = server.person("nobody");
    for line in ["whoami", "list", "set A", "resolve", "org list", "session list --organization acme"] {
        nobody.run(line).expect_failure(4).expect_text(&["not signed in", "hint: "]);
    }
    nobody.run("run -- true").expect_failure(125);
}

#[test]
fn a_service_that_does_not_answer_has_a_code_of_its_own() {
    let server = TestServer::start();
    let nobody = server.person("nobody").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    nobody.run("whoami").expect_failure(6).expect_text(&["http://127.0.0.1:1", "SECRETS_ENDPOINT"]);
    nobody.run("run -- true").expect_failure(125);
}

#[test]
fn a_value_is_never_an_argument() {
    let server = TestServer::start();
    // Refused before anything is sent: the endpoint does not even exist.
    let ann = server.person("ann").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    for line in ["set LINEAR_API_KEY lin_123", "set LINEAR_API_KEY=lin_123", "edit LINEAR_API_KEY lin_123"] {
        ann.run(line)
            .expect_failure(2)
            .reject_text("lin_123")
            .expect_text(&["never an argument", "secrets set LINEAR_API_KEY"]);
    }
}

#[test]
fn a_mistyped_flag_is_distinguished_from_a_value_and_a_token_is_not_repeated() {
    let server = TestServer::start();
    let ann = server.person("ann").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    for line in ["set A --descripton canary", "edit A --descripton=canary"] {
        ann.run(line).expect_failure(2).reject_text("canary").expect_text(&["--description", "nothing was sent"]);
    }
    ann.run("login sper_canary")
        .expect_failure(2)
        .reject_text("canary")
        .expect_text(&["`secrets login` asks for an invitation's code or a token"]);
    ann.run("delete A").expect_failure(2).expect_text(&["secrets rm NAME"]);
}

#[test]
fn a_flag_that_resembles_nothing_gets_no_tip() {
    let server = TestServer::start();
    let ann = server.person("ann").with("SECRETS_TOKEN", "sper_x").with("SECRETS_ENDPOINT", "http://127.0.0.1:1");
    for line in ["explain --user bob", "resolve --user bob", "session list --user bob", "cp A --from-org --to-user"] {
        ann.run(line).expect_failure(2).expect_text(&["unexpected argument '--", "[OPTIONS]"]).reject_text("tip:");
    }
    ann.run("explain --projct api").expect_failure(2).expect_text(&["tip: a similar argument exists: '--project'"]);
    ann.run("list --org acme").expect_failure(2).expect_text(&["`--org` takes no value"]);
}

#[test]
fn wrong_usage_and_failure_have_different_codes() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    assert_eq!(ann.run("set").code, 2);
    assert_eq!(ann.run("set A --org --project api").code, 2);
    assert_eq!(ann.run("list --project No_Such").code, 2);
    ann.run("rm NOPE --yes").expect_failure(3);
    ann.run("show NOPE").expect_failure(3);
    ann.run("org delete acme --yes").expect_failure(4);
    ann.run("set A").expect_failure(1).expect_text(&["empty"]);
}

#[test]
fn what_other_tools_take_gets_a_tip() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.set("x-value", "A --org");
    for line in ["show --org acme", "explain --org acme", "get --org acme"] {
        let code = if line.starts_with("get") { 5 } else { 3 };
        ann.run(line).expect_failure(code).expect_text(&["`--org` takes no value", "`--organization acme`"]);
    }
    ann.run("list --org acme").expect_failure(2).expect_text(&["`--organization acme`"]);
    ann.run_words(&["run", "--", "printenv A"]).expect_failure(127).expect_text(&["leave out the quotes", "--shell"]);
    ann.run("set --org acme A").expect_failure(2).expect_text(&["`--organization acme`"]);
    ann.run("set A --org canary-1").expect_failure(2).reject_text("canary").expect_text(&["never an argument"]);
    ann.run("run -c ls").expect_failure(2).expect_text(&["--shell"]);
}

#[test]
fn a_scope_may_stand_before_the_command() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.set("x-value", "A -p api");
    assert_eq!(ann.run_ok("-p api list").stdout, ann.run_ok("list --project api").stdout);
    assert_eq!(server.person("bob").run_ok("-w ws1 run -- printenv A").stdout, "***\n");
    ann.run_ok("-p api member list").expect_text(&["bob"]);
    ann.run("-p api whoami").expect_failure(2);
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let mut child = ann.command("list --org").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && !String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{ended:?}");
}

#[test]
fn commands_that_ask_refuse_without_a_terminal() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    ann.set("x-value", "A");
    for line in
        ["rm A", "user delete bob", "project delete api", "workspace delete ws1", "member remove bob --project api"]
    {
        ann.run(line).expect_failure(2).expect_text(&["--yes"]);
    }
    ann.run_ok("show A");
    ann.run_ok("user show bob");
}
