//! Recovery codes: shown on a terminal alone, and a way back for their person.

use std::process::Stdio;

use super::terminal::on_terminal;
use crate::support::{Person, ProgramOutput, TestServer, TestTerminal};

const CREATE: &str = "login --recovery-codes";

/// The recovery codes that a terminal shows.
fn codes(shown: &str) -> Vec<String> {
    shown.split_whitespace().filter(|word| word.starts_with("srec_")).map(str::to_owned).collect()
}

fn new_codes(person: &Person<'_>) -> Vec<String> {
    let (code, shown) = TestTerminal::start(&person.command(CREATE)).wait_for_exit();
    assert_eq!(code, Some(0), "{shown}");
    codes(&shown)
}

fn whoami(person: &Person<'_>) -> serde_json::Value {
    person.run_ok("whoami -o json").json()
}

#[test]
fn an_invitation_shows_recovery_codes_on_a_terminal_and_nowhere_else() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let code = ann.run_ok("user invite carol").line();
    let carol = server.person("carol");
    let (exit, shown) = on_terminal(&carol, "login", &[("(hidden): ", &format!("{code}\r"))]);
    assert!(exit == 0 && shown.contains("shown only this once"), "{shown}");
    assert_eq!(codes(&shown).len(), 8, "{shown}");
    assert!(shown.contains("user carol, organization acme") && shown.contains("8 recovery codes made "), "{shown}");
    let me = whoami(&carol);
    assert_eq!((&me["recovery_codes"]["remaining"], &me["recovery_codes"]["creator"]), (&8.into(), &me["credential"]));
    assert!(carol.run_ok("whoami").stdout.contains(", 8 recovery codes made "));
    // They are kept nowhere.
    let config = std::fs::read_to_string(carol.run_ok("config path").line()).unwrap();
    assert!(config.contains("sper_") && !config.contains("srec_"));

    let code = ann.run_ok("user invite dave").line();
    let dave = server.person("dave");
    dave.run_with_stdin(code.as_bytes(), "login").expect_success("login").reject_text("srec_");
    assert!(whoami(&dave)["recovery_codes"].is_null());
}

#[test]
fn recovery_codes_go_to_no_pipe_and_no_file() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let before = new_codes(&bob);
    let said = ["shown on a terminal alone", "without a pipe or a redirection"];
    for line in [CREATE, "login --recovery-codes -o json"] {
        bob.run(line).expect_failure(2).expect_text(&said).reject_text("srec_");
    }
    let file = std::fs::File::create(bob.home.join("codes")).unwrap();
    let into_file =
        bob.command(CREATE).stdout(file).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    ProgramOutput::from(into_file).expect_failure(2).expect_text(&said);
    assert_eq!(std::fs::metadata(bob.home.join("codes")).unwrap().len(), 0);
    assert_eq!(whoami(&bob)["recovery_codes"]["remaining"], 8, "those from before have not ended");

    let (exit, shown) = TestTerminal::start(&bob.command(CREATE)).wait_for_exit();
    assert!(exit == Some(0) && shown.contains("The 8 recovery codes from before end with it."), "{shown}");
    let late = server.person("late");
    late.run_with_stdin(before[0].as_bytes(), "login").expect_failure(4).expect_text(&["use another recovery code"]);
    late.run_with_stdin(codes(&shown)[0].as_bytes(), "login").expect_success("login");
}

#[test]
fn whoever_lost_their_token_comes_back_with_a_recovery_code() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    bob.set("lin_1", "LINEAR_API_KEY");
    let codes = new_codes(&bob);
    let laptop = server.person("laptop");
    let back = laptop.run_with_stdin(codes[0].as_bytes(), "login --recovery").expect_success("login");
    let back = back.expect_text(&["this ended 0 sessions and 1 token", "you have 7 recovery codes left"]);
    assert!(back.reject_text(&codes[0]).stdout.starts_with("user bob, organization acme"));
    bob.run("whoami").expect_failure(4).expect_text(&["the token was revoked at"]);
    // What is theirs is theirs, and they are told for a while.
    let resolved = laptop.run_ok("resolve LINEAR_API_KEY --raw");
    assert_eq!(resolved.stdout, "lin_1");
    assert!(resolved.stderr.contains("warning: one of your recovery codes was used at 20"), "{resolved:?}");
    let listed = laptop.run_ok("token list -o json");
    assert_eq!(listed.json()[0]["origin"], "RECOVERY");
    assert!(listed.stderr.contains("was used at"), "{listed:?}");

    let other = server.person("other");
    let kept = other.run_with_stdin(codes[1].as_bytes(), "login --keep-others").expect_success("login");
    kept.reject_text("this ended").expect_text(&["you have 6 recovery codes left"]);
    assert!(laptop.run_ok("whoami").stderr.contains("was used at"), "also where one is signed in");
    // Others are not told of it.
    assert!(!server.person("ann").run_ok("whoami").stderr.contains("recovery"));
}

#[test]
fn a_recovery_code_is_asked_for_hidden_and_taken_for_nothing_else() {
    let server = TestServer::acme();
    let (ann, bob) = (server.person("ann"), server.person("bob"));
    let codes = new_codes(&bob);
    let laptop = server.person("laptop");
    let dialogue = [("Recovery code (hidden): ", format!("{}\r", codes[0]))];
    let dialogue = dialogue.each_ref().map(|(question, answer)| (*question, answer.as_str()));
    let (exit, shown) = on_terminal(&laptop, "login --recovery", &dialogue);
    assert!(exit == 0 && !shown.contains("srec_"), "{shown}");

    let invitation = ann.run_ok("user invite carol").line();
    let late = server.person("late");
    let wrong: [(&str, &str, &str); 4] = [
        (&invitation, "login --recovery", "this is not a recovery code: those begin with `srec_`"),
        ("sper_canary", "login --recovery", "this is not a recovery code"),
        (&invitation, "login --keep-others", "--keep-others is for a recovery code"),
        (&codes[1], "login --invite -", "not an invitation code"),
    ];
    for (entered, line, said) in wrong {
        let refused = late.run_with_stdin(entered.as_bytes(), line).expect_failure(2);
        refused.expect_text(&[said]).reject_text(entered);
    }
    late.with("SECRETS_TOKEN", &codes[1]).run("whoami").expect_failure(4).expect_text(&["this is a code, not a token"]);
    // None of this has used one up.
    server.person("carol").run_with_stdin(invitation.as_bytes(), "login").expect_success("login");
    assert_eq!(whoami(&laptop)["recovery_codes"]["remaining"], 7);
}

#[test]
fn a_token_that_did_not_enter_a_code_shows_none() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let own = bob.run_ok("token create").line();
    let other = server.person("other").with("SECRETS_TOKEN", &own);
    let (exit, shown) = TestTerminal::start(&other.command(CREATE)).wait_for_exit();
    assert!(exit == Some(1) && shown.contains("within ten minutes of entering"), "{exit:?} {shown}");
    let operator = server.operator();
    let (exit, shown) = TestTerminal::start(&operator.command(CREATE)).wait_for_exit();
    assert!(exit == Some(4) && !shown.contains("srec_"), "{exit:?} {shown}");
}

#[test]
fn a_sign_in_goes_on_with_a_recovery_code() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let code = ann.run_ok("user invite carl").line();
    let carl = server.person("carl");
    carl.run_ok(&format!("login --invite {code} --ttl 30d"));
    carl.set("lin_1", "LINEAR_API_KEY");
    let codes = new_codes(&carl);
    carl.run_with_stdin(codes[0].as_bytes(), "login --renew").expect_success("login --renew");
    assert!(!whoami(&carl)["sign_in_end_time"].is_null());
    assert_eq!(carl.run_ok("resolve LINEAR_API_KEY --raw").stdout, "lin_1", "an invitation would have ended it");
}
