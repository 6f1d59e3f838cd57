use serde_json::json;

use crate::support::TestServer;

#[test]
fn diff_names_what_differs_and_says_nothing_of_values() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run_ok("project create web");
    ann.run_ok("member add bob --project web");
    for (value, line) in [
        ("canary-1", "SAME --project api"),
        ("canary-2", "SAME --project web"),
        ("canary-3", "OTHER --project api --description main"),
        ("canary-3", "OTHER --project web --file ~/other"),
        ("canary-4", "ONLY_API --project api"),
        ("canary-5", "ONLY_WEB --project web"),
    ] {
        ann.set(value, line);
    }
    let compared = bob.run_ok("diff --project api -p web").reject_text("canary").reject_text("SAME");
    for line in [
        "ONLY_API  only in project api",
        "ONLY_WEB  only in project web",
        "OTHER     description: main (project api), none (project web)",
        "OTHER     target: variable (project api), file ~/other (0600) (project web)",
    ] {
        assert!(compared.stdout.contains(line), "{line}: {compared:?}");
    }
    compared.expect_text(&["Values are not compared."]);
    let json = bob.run_ok("diff -p api -p web -o json").reject_text("canary").json();
    assert_eq!(json["first"], "project api");
    assert_eq!(
        json["differences"][0],
        json!({ "secret_id": "ONLY_API", "field": "secret", "first": "there", "second": null })
    );
    ann.run_ok("rm ONLY_WEB OTHER -p web --yes");
    ann.run_ok("rm ONLY_API OTHER -p api --yes");
    bob.run_ok("-p api -p web diff").expect_text(&["have the same names"]);
    bob.run("diff").expect_failure(2).expect_text(&["two scopes are compared, and none is named"]);
    bob.run("diff -p nope -p api").expect_failure(4);
}

#[test]
fn diff_compares_what_contexts_get() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("canary-1", "SENTRY_DSN --org");
    ann.set("canary-2", "SENTRY_DSN --project api");
    bob.set("canary-3", "DATABASE_URL --workspace ws1");
    let compared = bob.run_ok("diff --inherited --org -w ws1").reject_text("canary");
    for text in
        ["from: organization (what organization acme gets), project api (what workspace ws1 gets)", "only in what"]
    {
        assert!(compared.stdout.contains(text), "{compared:?}");
    }
    // Beside one, it is your own.
    bob.run_ok("diff -w ws1").expect_text(&["DATABASE_URL  only in workspace ws1"]);
}
