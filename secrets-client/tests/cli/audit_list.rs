//! `audit list`: what is left out unless it is asked for, and what a pager gets of it.

use super::completion::candidates;
use crate::support::{Person, TestServer, TestTerminal};

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

/// Ann's terminal on a log of more lines than it has, with a pager of hers.
fn terminal(ann: Person<'_>, pager: &str, line: &str) -> TestTerminal {
    TestTerminal::start(&ann.with("SECRETS_PAGER", pager).command(line))
}

/// A server in whose log are more events than a terminal has lines.
fn server() -> TestServer {
    let server = TestServer::acme();
    let bob = server.person("bob");
    for _ in 0..30 {
        bob.run_ok("project list");
    }
    server
}

#[test]
fn a_log_that_is_longer_than_the_screen_goes_through_a_pager() {
    let server = server();
    let ann = server.person("ann");
    let home = ann.home.clone();
    let mut screen =
        terminal(ann, "cat > paged; echo LESS=$LESS TOKEN=$SECRETS_TOKEN; echo read", "audit list --limit 28");
    screen.wait_for("LESS=FRX TOKEN=\r\nread\r\n");
    let (code, shown) = screen.wait_for_exit();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("ListProjects") && shown.contains("There are older events"), "{shown}");
    let paged = std::fs::read_to_string(home.join("paged")).unwrap();
    assert!(paged.starts_with("\u{1b}[1mTIME") && paged.contains("ListProjects"), "{paged}");
    assert!(paged.lines().count() >= 29, "{paged}");
}

#[test]
fn a_short_log_and_what_is_to_be_printed_goes_through_none() {
    let server = server();
    for (pager, line) in [
        ("echo PAGED", "audit list --limit 5"),
        ("echo PAGED", "audit list --limit 28 --no-pager"),
        ("echo PAGED", "list"),
        ("cat", "audit list --limit 28"),
        ("", "audit list --limit 28"),
    ] {
        let (code, shown) = terminal(server.person("ann"), pager, line).wait_for_exit();
        assert!(code == Some(0) && !shown.contains("PAGED"), "{line}: {shown}");
        assert!(line == "list" || shown.contains("ListProjects"), "{line}: {shown}");
    }
    let piped = server.person("ann").with("SECRETS_PAGER", "echo PAGED").run_ok("audit list --limit 28");
    piped.expect_text(&["ListProjects"]).reject_text("PAGED").reject_text("\u{1b}");
}

#[test]
fn without_a_pager_the_log_is_printed_and_one_that_is_left_early_is_no_error() {
    let server = server();
    let (code, shown) = terminal(server.person("ann"), "/nonexistent/pager", "audit list --limit 28").wait_for_exit();
    assert_eq!((code, shown.matches("ListProjects").count() >= 20), (Some(0), true), "{shown}");
    let ann = server.person("ann");
    std::os::unix::fs::symlink("/usr/bin/setsid", ann.home.join("setsid")).unwrap();
    let path = ann.home.display().to_string();
    let ann = ann.with("PATH", &path);
    let (code, shown) = TestTerminal::start(&ann.command("audit list --limit 28")).wait_for_exit();
    assert_eq!((code, shown.matches("ListProjects").count() >= 20), (Some(0), true), "{shown}");
    for early in ["head -n 1", "true", "exit 3"] {
        let (code, shown) = terminal(server.person("ann"), early, "audit list --limit 1000 -o json").wait_for_exit();
        assert!(code == Some(0) && shown.lines().count() < 4, "{early}: {shown}");
    }
}

#[test]
fn in_less_an_interrupt_means_less_and_a_q_leaves_it() {
    let server = server();
    let mut screen = TestTerminal::start(&server.person("ann").command("audit list --limit 28"));
    let (terminal, before) = (screen.terminal(), screen.before.clone());
    screen.wait_for("TIME");
    screen.wait_for("\n:");
    screen.type_keys("\u{3}");
    screen.wait_for("\u{7}"); // the bell: there is nothing to interrupt
    // It may drop a key that comes while it draws the screen anew.
    for _ in 0..3 {
        screen.type_keys("G");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    screen.wait_for("(END)");
    screen.type_keys("q");
    screen.wait_for("There are older events");
    let (code, shown) = screen.wait_for_exit();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("ESC["), "{shown}");
    assert_eq!(format!("{:?}", rustix::termios::tcgetattr(&terminal).unwrap()), before);
}
