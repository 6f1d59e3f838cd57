//! `audit exposure`: what has to be replaced when somebody else may have it.

use crate::support::TestServer;

#[test]
fn an_admin_reads_what_somebody_received_that_is_still_current() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("sk_canary", "STRIPE_SECRET --project api");
    ann.set("dsn_canary", "SENTRY_DSN --org");
    bob.set("lin_canary", "LINEAR_API_KEY");
    let nothing = ann.run_ok("audit exposure --principal bob");
    assert_eq!(nothing.stdout, "");
    assert!(nothing.stderr.starts_with("Nothing that bob received is still current.\n"), "{nothing:?}");

    bob.run_ok("resolve --project api");
    bob.run_ok("get STRIPE_SECRET --project api");
    let table = ann.run_ok("audit exposure --principal bob");
    let heading: Vec<&str> = table.stdout.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["NAME", "SCOPE", "VERSION", "FIRST", "RECEIVED", "LAST", "RECEIVED", "TIMES", "BY"]);
    assert_eq!(table.row("STRIPE_SECRET")[..3], ["STRIPE_SECRET", "project api", "1"]);
    assert_eq!(table.row("STRIPE_SECRET")[5..], ["2", "Resolve"]);
    // Shared ones by name, bob's own by its identifier.
    table
        .expect_text(&["SENTRY_DSN", "somebody's own", "secrets set NAME"])
        .reject_text("LINEAR_API_KEY")
        .reject_text("canary");

    ann.set("sk_canary_2", "STRIPE_SECRET --project api");
    ann.run_ok("edit SENTRY_DSN --org --disable");
    let left = "Not shown: 1 secret with another version since, 1 secret disabled or expired.";
    let table = ann.run_ok("audit exposure --principal bob").expect_text(&[left]);
    table.reject_text("STRIPE_SECRET").reject_text("SENTRY_DSN");
    let json = ann.run_ok("audit exposure --principal bob -o json").json();
    assert!(json["replaced"] == 1 && json["inactive"] == 1 && json["deleted"] == 0, "{json:#}");
    assert_eq!(json["secrets"].as_array().unwrap().len(), 1, "{json:#}");
    assert!(json["secrets"][0]["secret"].is_null() && json["is_complete"] == true, "{json:#}");
    // Where it is delivered to is not its value.
    ann.run_ok("rollback STRIPE_SECRET --to 1 --project api");
    ann.run_ok("edit STRIPE_SECRET --project api --file /etc/stripe");
    assert_eq!(ann.run_ok("audit exposure --principal bob").row("STRIPE_SECRET")[2], "1");
}

#[test]
fn a_session_is_asked_for_by_its_identifier() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("sk_canary", "STRIPE_SECRET --project api");
    let session = bob.run_ok("session create --project api").line();
    let id = bob.run_ok("session list -o json").json()[0]["name"].as_str().unwrap().to_owned();
    let id = id.rsplit('/').next().unwrap().to_owned();
    ann.run_ok(&format!("audit exposure --session {id}")).expect_text(&["Nothing that session", "is still current"]);
    server.person("sandbox").with("SECRETS_TOKEN", &session).run_ok("resolve");
    let table = ann.run_ok(&format!("audit exposure --session {}", &id[..8]));
    table.expect_text(&["STRIPE_SECRET", &format!("secrets session revoke {id}")]);
    // What his session received, bob has received.
    assert_eq!(ann.run_ok("audit exposure --principal bob").row("STRIPE_SECRET")[2], "1");
    let events = ann.run_ok("audit list --action ListExposure").stdout;
    assert_eq!(events.lines().skip(1).filter(|line| line.contains("ann")).count(), 3, "{events}");
    ann.run(&format!("audit exposure --session {session}")).expect_failure(2).reject_text(&session);
}

#[test]
fn a_secret_that_was_moved_since_is_named_where_it_is() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("sk_canary", "STRIPE_SECRET --project api");
    bob.run_ok("resolve --project api");
    ann.run_ok("mv STRIPE_SECRET --from-project api --to-org --yes");
    let table = ann.run_ok("audit exposure --principal bob");
    assert_eq!(table.row("STRIPE_SECRET")[..3], ["STRIPE_SECRET", "organization", "1"]);
    table.expect_text(&["Resolve, as a copy", "Not shown: 1 secret deleted."]);
}

#[test]
fn whoever_is_not_there_is_not_nobody() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.run("audit exposure --principal bbo").expect_failure(3).expect_text(&["no user `bbo`", "did you mean `bob`?"]);
    ann.run("audit exposure --principal service:nobody").expect_failure(3).expect_text(&["no service account"]);
    ann.run("audit exposure --session 7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11")
        .expect_failure(3)
        .expect_text(&["there is no session"]);
    ann.run("audit exposure").expect_failure(2).expect_text(&["--principal", "--session"]);
    ann.run("audit exposure --principal bob --session 7c2a").expect_failure(2).expect_text(&["cannot be used with"]);
    bob.run("audit exposure --principal bob").expect_failure(4).expect_text(&["you may not read the audit events"]);
    ann.run_ok("user delete bob --yes");
    ann.run_ok("audit exposure --principal bob").expect_text(&["Nothing that bob received"]);
}
