//! `audit list`: what is left out unless it is asked for.

use super::completion::candidates;
use crate::support::TestServer;

#[test]
fn listings_by_completion_are_left_out_unless_asked_for() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    bob.run_ok("list --project api");
    let before = ann.run_ok("audit list --action ListSecrets").reject_text("completion").stdout.lines().count();
    bob.set("canary", "LINEAR_API_KEY");
    for line in ["secrets show L", "secrets edit --project api S", "secrets run --project api --only L"] {
        candidates(&bob, line);
    }
    // He may not list it: that is to be read.
    ann.run_ok("project create web");
    candidates(&bob, "secrets show --project web S");

    let events = ann.run_ok("audit list --action ListSecrets");
    assert_eq!(events.stdout.lines().count(), before + 1, "{events:?}");
    events.expect_text(&[
        "projects/web",
        "denied",
        "2 listings by completion are left out: --completion shows them too.",
    ]);
    let all = ann.run_ok("audit list --action ListSecrets --completion").reject_text("left out");
    assert_eq!(all.stdout.lines().filter(|line| line.ends_with("by completion")).count(), 2, "{all:?}");
    ann.run_ok("audit list --action Explain").expect_text(&["No events.", "1 listing by completion is left out"]);
    let json = ann.run_ok("audit list --action Explain --completion -o json").json();
    assert_eq!((json[0]["purpose"].as_str(), &json[1]), (Some("COMPLETION"), &serde_json::Value::Null));
    ann.run_ok("audit list --action UpdateSecret").reject_text("left out");
}

#[test]
fn what_is_asked_wrongly_is_told_in_flags() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    for (line, said) in [
        ("audit list --action UpdateSecrets", "did you mean UpdateSecret?"),
        ("audit list --action transfer", "did you mean TransferWorkspace?"),
        ("audit list --platform --project api", "--project"),
        (
            "audit list --secret organizations/acme/secrets/A --organization globex",
            "`organizations/acme/secrets/A` is not in organization globex",
        ),
    ] {
        ann.run(line).expect_failure(2).expect_text(&[said]).reject_text("secretsapi");
    }
    ann.run("audit list --since 1h --until 2h")
        .expect_failure(1)
        .expect_text(&["--until must not be before `--since`"]);
}
