//! `cp` and `mv`: a secret in another scope, with its value.

use crate::support::{Person, TestServer, TestTerminal};

/// acme with the project web, whose admin ann is, too.
fn with_web(server: &TestServer) -> (Person<'_>, Person<'_>) {
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run_ok("project create web");
    (ann, bob)
}

/// Answers the question that a command asks.
fn answer(person: &Person<'_>, line: &str, answer: &str) -> (i32, String) {
    let mut screen = TestTerminal::start(&person.command(line));
    screen.wait_for("[y/N]");
    screen.type_keys(answer);
    let (code, shown) = screen.wait_for_exit();
    (code.unwrap(), shown)
}

#[test]
fn a_secret_is_copied_into_another_project_and_into_ones_own() {
    let server = TestServer::acme();
    let (ann, bob) = with_web(&server);
    ann.set("sk_test_1", "STRIPE_SECRET --project api --description payments --file ~/stripe");
    ann.run_ok("cp STRIPE_SECRET --from-project api --to-project web").expect_text(&[
        "STRIPE_SECRET copied from project api to project web: file ~/stripe (0600).",
        "Each is changed by itself from now on.",
    ]);
    assert_eq!(ann.run_ok("show STRIPE_SECRET --project web -o json").json()["description"], "payments");
    assert_eq!(ann.run_ok("resolve STRIPE_SECRET --project web --raw").stdout, "sk_test_1");
    bob.run_ok("cp STRIPE_SECRET --from-project api").expect_text(&["from project api to your own secrets"]);
    assert_eq!(bob.run_ok("resolve STRIPE_SECRET --raw").stdout, "sk_test_1");
    // What is there is not replaced, and what it says is where.
    ann.run("cp STRIPE_SECRET --from-project api --to-project web").expect_failure(1).expect_text(&[
        "error: `STRIPE_SECRET` in project web exists, and is not replaced; delete it first\n",
        "hint: `secrets rm STRIPE_SECRET --project web` deletes that one",
    ]);
    bob.run("mv STRIPE_SECRET --from-project api --to-workspace ws1").expect_failure(4);
    let copied = bob.run_ok("cp STRIPE_SECRET --to-workspace ws1 --yes -o json").json();
    assert_eq!(copied["secret"]["name"], "organizations/acme/workspaces/ws1/secrets/STRIPE_SECRET");
    assert!(copied.get("source").is_none() && !copied.to_string().contains("sk_test"), "{copied}");
}

#[test]
fn a_secret_is_moved_and_its_source_can_be_restored() {
    let server = TestServer::acme();
    let (ann, _bob) = with_web(&server);
    ann.set("sk_test_1", "STRIPE_SECRET --project api --group stripe");
    let moved = ann.run_ok("mv STRIPE_SECRET --from-project api --to-project web");
    moved.expect_text(&[
        "STRIPE_SECRET moved from project api to project web: variable.",
        "`secrets undelete STRIPE_SECRET --project api` restores it there until",
        "not moved: its group stripe",
    ]);
    ann.run("show STRIPE_SECRET --project api").expect_failure(3);
    assert_eq!(ann.run_ok("resolve STRIPE_SECRET --project web --raw").stdout, "sk_test_1");
    ann.run_ok("undelete STRIPE_SECRET --project api");
    ann.run_ok("rm STRIPE_SECRET --project web --yes");
    let moved = ann.run_ok("mv STRIPE_SECRET --from-project api --to-project web -o json").json();
    assert_eq!(moved["source"]["name"], "organizations/acme/projects/api/secrets/STRIPE_SECRET");
    assert!(!moved["source"]["purge_time"].is_null(), "{moved}");
}

#[test]
fn a_broader_scope_asks_and_names_who_will_get_it() {
    let server = TestServer::acme();
    let (ann, bob) = with_web(&server);
    let code = ann.run_ok("user invite carl").line();
    server.person("carl").run_ok(&format!("login --invite {code}"));
    bob.set("lin_bob_1", "LINEAR_API_KEY");
    bob.run("cp LINEAR_API_KEY --to-workspace ws1").expect_failure(2).expect_text(&["--yes"]);
    let (code, shown) = answer(&bob, "cp LINEAR_API_KEY --to-workspace ws1", "n\r");
    assert!(code == 1 && shown.contains("Nothing was copied."), "{shown}");
    assert!(
        shown.contains("Copy LINEAR_API_KEY from your own secrets to workspace ws1? Nobody else takes part there yet"),
        "{shown}"
    );
    bob.run_ok("member add ann --workspace ws1");
    let (code, shown) = answer(&bob, "mv LINEAR_API_KEY --to-workspace ws1", "y\r");
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("Move LINEAR_API_KEY from your own secrets to workspace ws1? Then ann receives it."),
        "{shown}"
    );
    ann.set("sk-1", "OPENAI_API_KEY");
    let (code, shown) = answer(&ann, "cp OPENAI_API_KEY --to-org", "y\r");
    assert!(code == 0 && shown.contains("to organization acme? Then bob and carl receive it."), "{shown}");
    // A program that resolves everything is one of them.
    ann.run_ok("service-account create ci");
    ann.run_ok("member add service:ci --role resolver");
    ann.set("x-value", "ANOTHER");
    let (_, shown) = answer(&ann, "cp ANOTHER --to-project api", "n\r");
    assert!(shown.contains("Then bob and service:ci receive it."), "{shown}");
    // What goes into a narrower scope is nobody's news.
    ann.run_ok("cp OPENAI_API_KEY --from-org --to-project api");
}

#[test]
fn whoever_lists_what_only_others_get_is_told_what_they_lack() {
    let server = TestServer::acme();
    let (ann, bob) = with_web(&server);
    bob.set("mine", "OF_WS1 --workspace ws1");
    ann.run_ok("project create batch");
    ann.set("value", "OF_WS1 --org --for-workspace ws1");
    for (line, text) in [
        ("cp OF_WS1 --from-workspace ws1", "you are not a member of workspace `ws1` (--from-workspace)"),
        (
            "cp OF_WS1 --from-org",
            "you may list `OF_WS1` of organization `acme`, but only whoever takes part in a project or workspace that it reaches may \
             receive it",
        ),
    ] {
        ann.run(line).expect_failure(4).expect_text(&[text]).reject_text("[y/N]");
    }
    ann.run("cp OF_WS1 --from-project none")
        .expect_failure(3)
        .expect_text(&["there is no project `none` (--from-project)"]);
    // And what was copied is found by where it was, too.
    ann.set("value", "SHARED --project batch");
    ann.run_ok("cp SHARED --from-project batch --to-project web");
    ann.run_ok("audit list --project batch --action CopySecret")
        .expect_text(&["projects/web/secrets/SHARED", "from project batch"]);
}

#[test]
fn whatever_refuses_it_does_so_before_somebody_is_asked() {
    let server = TestServer::acme();
    let (ann, bob) = with_web(&server);
    ann.set("sk_test_1", "STRIPE_SECRET --project api");
    ann.set("locked-1", "LOCKED_KEY --project api --lock");
    bob.set("mine", "MINE");
    for (line, code, text) in [
        ("cp MINE", 2, "the secret is in your own secrets already"),
        ("cp MINE --from-org --to-org", 2, "the secret is in organization acme already"),
        ("cp MINE --to-org", 4, "you may not"),
        ("cp MINE --to-project nope", 4, "nope"),
        ("cp NOPE --to-workspace ws1", 3, "there is no secret `NOPE` of user bob"),
        ("cp LOCKED_KEY --from-project api --to-workspace ws1", 1, "it is locked"),
        ("cp MINE --from-project api --from-org", 2, "cannot be used with"),
        ("cp linear-api-key --to-org", 1, "LINEAR_API_KEY"),
    ] {
        let ended = bob.run(line);
        ended.expect_failure(code).expect_text(&[text]).reject_text("[y/N]");
    }
    // Where it would be is said with the flag of where it comes from.
    let bob = bob.with("SECRETS_PROJECT", "api");
    bob.run("cp STRIPE_SECRET --to-workspace ws1")
        .expect_failure(3)
        .expect_text(&["project api has one: add --from-project api"]);
    bob.run_ok("cp STRIPE_SECRET --from-project api --to-workspace ws1 --dry-run")
        .expect_text(&["STRIPE_SECRET would be copied from project api to workspace ws1: variable."]);
    assert!(bob.run_ok("list --workspace ws1").stdout.is_empty());
}
