use super::terminal::on_terminal;
use crate::support::TestServer;

#[test]
fn rm_takes_several_names_and_deletes_all_or_none() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    for name in ["A", "B", "C"] {
        bob.set("canary", name);
    }
    ann.set("canary", "B --org");
    bob.run("rm A NOPE B --yes").expect_failure(3).expect_text(&["NOPE", "nothing was deleted"]);
    bob.run("rm A b-c --yes").expect_failure(1);
    assert_eq!(bob.run_ok("list").stdout.lines().count(), 4);
    let dialogue = [
        ("A: Nothing else has this name", ""),
        ("B: The organization's B will be used instead", ""),
        ("Delete 2 secrets from your own secrets? [y/N] ", "y\r"),
        ("A deleted from your own secrets.", ""),
        ("B deleted from your own secrets.", ""),
    ];
    let (code, shown) = on_terminal(&bob, "rm A B A", &dialogue);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(shown.matches("[y/N]").count(), 1, "{shown}");
    assert_eq!(bob.run_ok("list").stdout.lines().count(), 2);
    // Of another one's secrets none goes.
    ann.set("canary", "S --project api");
    ann.set("canary", "T --project api");
    bob.run("rm S T --project api --yes").expect_failure(4).expect_text(&["nothing was deleted"]);
    let json = ann.run_ok("rm S T --project api --yes -o json").json();
    assert_eq!(
        (json[0]["secret"]["secret_id"].as_str(), json[1]["secret"]["secret_id"].as_str()),
        (Some("S"), Some("T"))
    );
    ann.set("canary", "S --project api");
    assert!(ann.run_ok("rm S --project api --yes -o json").json()["secret"].is_object());
    bob.run("rm A B --version 1").expect_failure(2).expect_text(&["one name"]);
}

#[test]
fn nobody_is_asked_about_what_is_not_there_or_not_theirs_to_delete() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    ann.set("1", "S --project api");
    ann.set("2", "S --project api");
    ann.run_ok("service-account create ci");
    for (line, code) in [
        ("rm S --project api", 4),
        ("rm S --project api --purge", 4),
        ("rm S --project api --version 1", 4),
        ("rm NOPE --version 1", 3),
    ] {
        bob.run(line).expect_failure(code).reject_text("Delete").reject_text("Destroy");
    }
    bob.run("service-account delete ci")
        .expect_failure(4)
        .expect_text(&["you may not manage service accounts of organization `acme`"]);
    ann.run_ok("service-account show ci");
    ann.run_ok("show S --project api");
}
