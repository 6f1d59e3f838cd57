use crate::support::TestServer;

#[test]
fn an_organization_secret_reaches_whom_it_is_for() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("shared", "OPENAI_API_KEY --org --description team");
    ann.run_ok("project create web");
    ann.set("dsn", "SENTRY_DSN --org --for-workspace ws1 --for-project web");
    let list = ann.run_ok("list --org");
    let heading: Vec<&str> = list.stdout.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading[..7], ["NAME", "TARGET", "SCOPE", "WORKSPACES/PROJECTS", "LOCKED", "DESCRIPTION", "CREATED"]);
    assert_eq!(list.row("SENTRY_DSN")[..4], ["SENTRY_DSN", "variable", "organization", "ws1, web"]);
    assert_eq!(list.row("OPENAI_API_KEY")[3], "all");

    bob.run_ok("resolve SENTRY_DSN --workspace ws1");
    bob.run("resolve SENTRY_DSN").expect_failure(5);
    ann.run_ok("edit SENTRY_DSN --org --remove-workspace ws1");
    bob.run("resolve SENTRY_DSN --workspace ws1").expect_failure(5);
    ann.run_ok("edit SENTRY_DSN --org --add-workspace ws1");
    bob.run_ok("resolve SENTRY_DSN --workspace ws1");
    ann.run("edit OPENAI_API_KEY --org --add-workspace ws1").expect_failure(2).expect_text(&["--for-workspace"]);
    bob.run_with_stdin(b"x", "set OPENAI_API_KEY --org").expect_failure(4);
}

#[test]
fn a_locked_secret_is_not_shadowed() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("ours", "SSL_INSPECTION_CA --org --lock");
    bob.set("mine", "SSL_INSPECTION_CA").expect_text(&["warning"]);
    assert_eq!(bob.run_ok("resolve SSL_INSPECTION_CA --raw").stdout, "ours");
    bob.run_ok("explain SSL_INSPECTION_CA").expect_text(&["organization", "user bob: locked above"]);
}

#[test]
fn a_workspace_shows_what_it_inherits_as_read_only() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("org", "A --org");
    ann.set("project", "B --project api");
    bob.set("own", "C --workspace ws1");
    bob.set("shadow", "A --workspace ws1");
    let list = bob.run_ok("list --workspace ws1 --inherited");
    assert!(list.row("B").contains(&"read-only".to_owned()), "{list:?}");
    assert!(!list.row("C").contains(&"read-only".to_owned()), "{list:?}");
    let json = bob.run_ok("list --workspace ws1 --inherited -o json").json();
    let shadowed: Vec<_> = json.as_array().unwrap().iter().filter(|secret| !secret["shadowed_by"].is_null()).collect();
    assert_eq!(shadowed.len(), 1);
    assert_eq!(shadowed[0]["name"], "organizations/acme/secrets/A");
    ann.run_ok("list --workspace ws1").reject_text("shadow");
}

#[test]
fn people_come_and_go() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    let members = ann.run_ok("member list --project api");
    assert_eq!(members.row("bob")[..3], ["bob", "member", "project api"]);
    ann.run_ok("member remove bob --project api --yes");
    ann.run("member remove bob --project api --yes").expect_failure(3);
    bob.run("resolve --project api").expect_failure(4);
    bob.run_ok("whoami");
    ann.run_ok("user delete bob --yes");
    bob.run("whoami").expect_failure(4);
    ann.run("member remove ann --yes").expect_failure(1);
}

#[test]
fn the_audit_log_says_who_received_a_secret() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("sk_canary", "STRIPE_SECRET --project api");
    bob.run_ok("resolve --project api");
    bob.run_with_stdin(b"x", "set STRIPE_SECRET --project api").expect_failure(4);
    let path = "organizations/acme/projects/api/secrets/STRIPE_SECRET";
    let events = ann.run_ok(&format!("audit list --secret {path}"));
    events.expect_text(&["bob", "Resolve", "STRIPE_SECRET v1"]).reject_text("sk_canary");
    for line in ["audit list STRIPE_SECRET --project api", "audit list --secret STRIPE_SECRET --project api"] {
        ann.run_ok(line).expect_text(&["bob", "Resolve", "STRIPE_SECRET v1"]);
    }
    ann.run("audit list --secret SENTRY_DSN").expect_failure(3).expect_text(&["no secret `SENTRY_DSN`"]);
    ann.run("audit list --org").expect_failure(2).expect_text(&["audit list NAME --org"]);
    ann.run_ok("audit list --denied").expect_text(&["bob", "UpdateSecret"]).reject_text("allowed");
    let resolved = ann.run_ok("audit list --action resolve --project api");
    resolved.expect_text(&["bob", "STRIPE_SECRET v1"]).reject_text("UpdateSecret");
    ann.run("audit list --action Resolved").expect_failure(2).expect_text(&["no such action"]);
    ann.run_ok("audit list --principal bob").expect_text(&["UpdateSecret", "denied"]);
    let json = ann.run_ok(&format!("audit list --secret {path} --principal bob --limit 1 -o json")).json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(json[0]["principal"], "organizations/acme/users/bob");
    bob.run("audit list").expect_failure(4);
}

#[test]
fn a_person_reads_who_received_their_own_secret_by_its_name() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    bob.set("lin_canary", "LINEAR_API_KEY");
    let session = bob.run_ok("session create --workspace ws1 --external-id sbx-7").line();
    server.person("sandbox").with("SECRETS_TOKEN", &session).run_ok("resolve");
    let events = bob.run_ok("audit list --secret LINEAR_API_KEY");
    events.expect_text(&["Resolve", "LINEAR_API_KEY v1", "UpdateSecret"]).reject_text("lin_canary");
    ann.run("audit list --secret LINEAR_API_KEY").expect_failure(3);
    ann.run("audit list --secret organizations/acme/users/bob/secrets/LINEAR_API_KEY").expect_failure(4);

    let id = bob.run_ok("session list -o json").json()[0]["name"].as_str().unwrap().to_owned();
    let id = id.rsplit('/').next().unwrap();
    let events = ann.run_ok(&format!("audit list --session {id}")).expect_text(&["Resolve"]).stdout;
    assert!(events.lines().skip(1).all(|line| line.contains("bob's session sbx-7")), "{events}");
    ann.run(&format!("audit list --session {session}")).expect_failure(2).reject_text(&session);
}

#[test]
fn a_list_of_events_says_that_there_are_more() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let older = "There are older events: --limit NUMBER shows more";
    ann.run_ok("audit list --limit 2").expect_text(&[older]);
    ann.run_ok("audit list --limit 1000").reject_text(older);
}

#[test]
fn the_next_step_is_named_where_it_is_unusual() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    // Not at the usual address: whoever is invited has to know which.
    let invited = ann.run_ok("user invite carl");
    assert!(invited.stderr.contains(&format!("secrets login --endpoint {}", server.endpoint)), "{invited:?}");
    // She is no member of bob's workspace.
    ann.run("explain --workspace ws1").expect_failure(4).expect_text(&["--without-user"]);
    ann.run_ok("explain --workspace ws1 --without-user");
}
