//! What is typed and pasted at a prompt for a value: nothing of it is lost, shown unasked, or left for the shell.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::tcgetattr;

use crate::support::{Person, TestServer, TestTerminal};

const HIDDEN: &str = "Value of KEY (hidden; Ctrl-R shows it): ";
const PASTE_BEGINS: &str = "\x1b[200~";
const PASTE_ENDS: &str = "\x1b[201~";

/// A key of 7 lines and 411 bytes, whose body would leave a file behind if a shell ran it.
fn key() -> String {
    let body = format!("touch ran #{}\n", "A".repeat(59)).repeat(4) + &format!("touch ran #{}\n", "A".repeat(45));
    format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}-----END OPENSSH PRIVATE KEY-----\n")
}

fn asked(person: &Person<'_>, line: &str) -> TestTerminal {
    let mut screen = TestTerminal::start(&person.command(line));
    screen.wait_for("\x1b[?2004h");
    screen.wait_for(HIDDEN);
    screen
}

/// An interactive shell on a terminal that does not mark what is pasted, in which a value is asked for.
fn asked_in_shell(person: &Person<'_>) -> TestTerminal {
    let mut bash = person.program(Path::new("bash"), &["--norc", "--noprofile", "--noediting", "-i"]);
    bash.env("PS1", "ready> ");
    let mut shell = TestTerminal::start(&bash);
    shell.wait_for("ready> ");
    shell.type_keys(&format!("{} set KEY\r", env!("CARGO_BIN_EXE_secrets")));
    shell.wait_for(HIDDEN);
    shell
}

/// Types as some terminals paste.
fn paste_in_pieces(screen: &mut TestTerminal, text: &str) {
    for piece in text.replace('\n', "\r").as_bytes().chunks(50) {
        screen.type_keys(std::str::from_utf8(piece).unwrap());
        sleep(Duration::from_millis(5));
    }
}

/// Ends the shell, in which nothing of a paste ran.
#[track_caller]
fn expect_nothing_ran(mut shell: TestTerminal, person: &Person<'_>) {
    shell.wait_for("ready> ");
    shell.type_keys("echo end $((1 + 1))\r");
    shell.wait_for("end 2\r\n");
    shell.type_keys("exit\r");
    let (_, shown) = shell.wait_for_exit();
    assert!(!shown.contains("not found") && !shown.contains("AAAA"), "{shown:?}");
    assert!(!person.home.join("ran").exists(), "{shown:?}");
}

#[test]
fn a_pasted_key_is_taken_whole_and_acknowledged() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let (key, mut screen) = (key(), asked(&bob, "set KEY --raw --file ~/key"));
    screen.type_keys(&format!("{PASTE_BEGINS}{}{PASTE_ENDS}", key.replace('\n', "\r")));
    screen.wait_for("(7 lines, 411 bytes)");
    screen.type_keys("\r");
    screen.wait_for("\x1b[?2004l");
    let (terminal, before) = (screen.terminal(), screen.before.clone());
    let (code, shown) = screen.wait_for_exit();
    assert!(code == Some(0) && !shown.contains("AAAA"), "{shown:?}");
    assert_eq!(format!("{:?}", tcgetattr(terminal).unwrap()), before);
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, key);
}

#[test]
fn a_pasted_line_waits_for_enter_and_loses_the_line_end_of_the_paste() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let mut screen = asked(&bob, "set KEY");
    screen.type_keys(&format!("{PASTE_BEGINS}lin_canary\r{PASTE_ENDS}"));
    sleep(Duration::from_millis(500));
    screen.type_keys("\r");
    let (code, shown) = screen.wait_for_exit();
    assert!(code == Some(0) && !shown.contains("canary") && !shown.contains("1 line"), "{shown:?}");
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, "lin_canary");

    let mut screen = asked(&bob, "set KEY");
    screen.type_keys(&format!("{PASTE_BEGINS}{{\r\t\"a\": 1\r}}\r{PASTE_ENDS}\r"));
    assert_eq!(screen.wait_for_exit().0, Some(0));
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, "{\n\t\"a\": 1\n}");
}

#[test]
fn a_key_that_is_pasted_in_pieces_is_taken_whole_and_nothing_of_it_runs() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    for (text, silence) in [(key(), 0), (key().trim_end().to_owned(), 200), (format!("friendlyName: a\n{}", key()), 0)]
    {
        let mut shell = asked_in_shell(&bob);
        paste_in_pieces(&mut shell, &text);
        if silence > 0 {
            sleep(Duration::from_millis(silence));
            shell.type_keys("\r");
        }
        shell.wait_for(" bytes)");
        expect_nothing_ran(shell, &bob);
        assert_eq!(bob.run_ok("resolve KEY --raw").stdout, text.trim_end());
    }
}

#[test]
fn a_key_that_stalls_is_read_to_its_end() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let (key, mut shell) = (key(), asked_in_shell(&bob));
    let (header, rest) = key.split_at(36);
    let (body, end) = rest.split_at(rest.find("-----END").unwrap());
    for part in [header, body] {
        paste_in_pieces(&mut shell, part);
        sleep(Duration::from_millis(700));
    }
    shell.wait_for("until its END line");
    paste_in_pieces(&mut shell, end);
    shell.wait_for("(7 lines, 411 bytes)");
    expect_nothing_ran(shell, &bob);
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, key.trim_end());

    let mut shell = asked_in_shell(&bob);
    paste_in_pieces(&mut shell, header);
    shell.wait_for("until its END line");
    shell.type_keys("\x04");
    shell.wait_for("the key was cut short: it has no END line");
    expect_nothing_ran(shell, &bob);
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, key.trim_end(), "nothing was stored");
}

#[test]
fn other_lines_that_are_pasted_in_pieces_are_refused_and_nothing_of_them_runs() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let commands = format!("touch ran #{}\n", "A".repeat(80)).repeat(40);
    let long = "A".repeat(70_000) + "\ntouch ran\ntouch ran\n";
    for (text, why) in [(&commands, "the value has several lines"), (&long, "must be at most 65,536 bytes")] {
        let mut shell = asked_in_shell(&bob);
        paste_in_pieces(&mut shell, text);
        shell.wait_for(why);
        expect_nothing_ran(shell, &bob);
        bob.run("show KEY").expect_failure(3);
    }
}

#[test]
fn a_paste_with_a_control_character_is_refused() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let mut screen = asked(&bob, "set KEY");
    screen.type_keys(&format!("{PASTE_BEGINS}lin\x1b[Acanary\rls\r{PASTE_ENDS}\r"));
    screen.wait_for("\x1b[?2004l");
    let (code, shown) = screen.wait_for_exit();
    assert!(code == Some(2) && shown.contains("what was pasted has a control character"), "{shown:?}");
    assert!(!shown.contains("canary"), "{shown:?}");
    bob.run("show KEY").expect_failure(3);
}

#[test]
fn a_code_has_one_line() {
    let server = TestServer::acme();
    let carol = server.person("carol");
    let mut screen = TestTerminal::start(&carol.command("login"));
    screen.wait_for("Invitation code or token (hidden; Ctrl-R shows it): ");
    screen.type_keys(&format!("{PASTE_BEGINS}sinv_canary\rls\r{PASTE_ENDS}\r"));
    let (code, shown) = screen.wait_for_exit();
    assert!(code == Some(2) && shown.contains("has one line") && !shown.contains("canary"), "{shown:?}");
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut screen = asked(&bob, "set KEY");
        screen.type_keys("lin");
        assert!(screen.is_raw());
        let (terminal, before) = (screen.terminal(), screen.before.clone());
        kill_process(Pid::from_raw(screen.pid().cast_signed()).unwrap(), signal).unwrap();
        screen.wait_for("\x1b[?2004l");
        assert_eq!(screen.wait_for_exit().0, None, "the signal ended it");
        assert_eq!(format!("{:?}", tcgetattr(terminal).unwrap()), before);
    }
    bob.run("show KEY").expect_failure(3);
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    for typed in ["lin\x03", "lin\r\x03", "\x1b[200~lin\rls\r\x1b[201~\x03", "\x1b[200~lin\rls\x03", "\x12lin\x03"] {
        let mut screen = asked(&bob, "set KEY");
        screen.type_keys(typed);
        screen.wait_for("\x1b[?2004l");
        let (terminal, before) = (screen.terminal(), screen.before.clone());
        let (code, shown) = screen.wait_for_exit();
        assert!(code == Some(130) && shown.contains("interrupted"), "{typed:?} {shown:?}");
        assert_eq!(format!("{:?}", tcgetattr(terminal).unwrap()), before);
    }
    bob.run("show KEY").expect_failure(3);
}

#[test]
fn what_was_typed_before_the_question_is_the_answer() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let mut slow = bob.program(Path::new("sh"), &["-c", "stty -echo; echo begun; sleep 0.5; exec \"$@\"", "sh"]);
    slow.args([env!("CARGO_BIN_EXE_secrets"), "set", "KEY"]);
    let mut screen = TestTerminal::start(&slow);
    screen.wait_for("begun");
    screen.type_keys("lin_ahead\r");
    assert_eq!(screen.wait_for_exit().0, Some(0));
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, "lin_ahead");
}

#[test]
fn a_value_is_shown_while_it_is_typed_and_hidden_again() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let mut screen = asked(&bob, "set KEY");
    screen.type_keys("lin");
    screen.type_keys("\x12");
    screen.wait_for("lin");
    screen.type_keys("_canary");
    screen.wait_for("lin_canary");
    screen.type_keys("\x12");
    screen.wait_for("\r\x1b[40C\x1b[J");
    screen.type_keys("_more\x12");
    screen.wait_for("lin_canary_more");
    screen.type_keys("\r");
    screen.wait_for("\x1b[J"); // it does not stay there
    let (code, shown) = screen.wait_for_exit();
    assert_eq!(code, Some(0), "{shown:?}");
    assert_eq!(bob.run_ok("resolve KEY --raw").stdout, "lin_canary_more");
}

#[test]
fn a_question_reaches_the_terminal_where_stderr_goes_elsewhere() {
    let server = TestServer::acme();
    let bob = server.person("bob");
    let mut program = bob.program(Path::new("sh"), &["-c", "exec \"$@\" 2> log", "sh"]);
    program.args([env!("CARGO_BIN_EXE_secrets"), "set", "KEY"]);
    let mut screen = TestTerminal::start(&program);
    screen.wait_for(HIDDEN);
    screen.type_keys("lin_canary\x12");
    screen.wait_for("lin_canary");
    screen.type_keys("\r");
    assert_eq!(screen.wait_for_exit().0, Some(0));
    let log = std::fs::read_to_string(bob.home.join("log")).unwrap();
    assert!(log.contains("KEY created") && !log.contains("canary") && !log.contains("Value of"), "{log}");
}
