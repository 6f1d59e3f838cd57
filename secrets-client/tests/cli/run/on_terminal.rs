//! A program on a terminal: it takes it for its own, and we give ours back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::output::peak_kib;
use super::{children, server, words_of};
use crate::support::Person;
use crate::support::TestTerminal;

/// `secrets run -- sh -c SCRIPT` on a terminal.
fn sh(person: &Person<'_>, script: &str) -> TestTerminal {
    TestTerminal::start(&person.command_words(&["run", "--", "sh", "-c", script]))
}

/// An interactive bash with job control, in which `run` is `secrets run --`.
fn shell(person: &Person<'_>) -> TestTerminal {
    let secrets = person.command("run");
    let mut command = Command::new("bash");
    command.args(["--norc", "--noprofile", "-i"]).current_dir(&person.home);
    for (name, value) in secrets.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("PS1", "ready> ").env("TERM", "dumb"); // or bash would surround what is shown with codes
    let mut screen = TestTerminal::start(&command);
    screen.wait_for("ready> ");
    screen.type_keys(&format!("run() {{ '{}' run -- \"$@\"; }}\r", secrets.get_program().to_str().unwrap()));
    screen.wait_for("ready> ");
    screen
}

#[test]
fn a_program_has_a_terminal_as_large_as_ours_and_is_masked() {
    let server = server();
    let script = "test -t 0 && test -t 1 && test -t 2 && stty size; printf '\\033[31m%s\\033[0m' $LINEAR_API_KEY; echo; \
                  echo $LINEAR_API_KEY > /dev/tty; exit 7";
    let (code, shown) = sh(&server.person("bob"), script).wait_for_exit();
    assert_eq!((code, shown.as_str()), (Some(7), "24 80\r\n\u{1b}[31m***\u{1b}[0m\r\n***\r\n"));
}

/// A prompt shows, and what is already 6 bytes of a value waits for the rest.
#[test]
fn a_value_that_comes_slowly_is_masked_and_a_prompt_is_shown() {
    let server = server();
    let bob = server.person("bob");
    bob.set("key_0123456789", "LONG");
    let script = "printf key_; read answer; for part in key_ 012 345 67; do printf $part; sleep 0.3; done; echo 89; \
                  printf key_01; sleep 0.3; exit 3";
    let mut screen = sh(&bob, script);
    screen.wait_for("key_");
    screen.type_keys("yes\r");
    let (code, shown) = screen.wait_for_exit();
    assert_eq!((code, shown.as_str()), (Some(3), "key_yes\r\nkey_***\r\n***"));
}

#[test]
fn what_is_no_terminal_stays_what_it_is() {
    let server = server();
    let mut screen = shell(&server.person("bob"));
    let script = "test -t 1 && ! test -t 2 && echo $LINEAR_API_KEY >&2; cat; echo done";
    screen.type_keys(&format!("echo piped | run sh -c '{script}' 2> errors; cat errors\r"));
    for text in ["\npiped\r\n", "done\r\n", "***\r\n", "ready> "] {
        screen.wait_for(text);
    }
    screen.type_keys("run sh -c 'test -t 0 && ! test -t 1 && echo pipe' | cat\r");
    screen.wait_for("\npipe\r\n");
    screen.type_keys("exit\r");
    assert_eq!(screen.wait_for_exit().0, Some(0));
}

#[test]
fn a_new_size_reaches_the_program() {
    let server = server();
    let mut screen =
        sh(&server.person("bob"), "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done");
    screen.wait_for("ready");
    screen.resize(33, 99);
    screen.wait_for("33 99");
    assert_eq!(screen.wait_for_exit().0, Some(0));
}

#[test]
fn the_terminal_is_raw_meanwhile_and_as_before_afterwards() {
    let server = server();
    let bob = server.person("bob");
    for (script, end, code) in [
        ("echo ready; read x; exit 3", "\r", 3),
        ("echo ready; exec sleep 60", "\x03", 130),
        ("echo ready; exec sleep 60", "\x1c", 131),
        ("echo ready; cat", "\x04", 0),
        ("stty raw -echo; echo ready; kill -KILL $$", "", 137),
    ] {
        let mut screen = sh(&bob, script);
        screen.wait_for("ready");
        if !end.is_empty() {
            assert!(screen.is_raw(), "{script}");
            screen.type_keys(end);
        }
        let (slave, before) = (screen.terminal(), screen.before.clone());
        assert_eq!(screen.wait_for_exit().0, Some(code), "{script}");
        assert_eq!(format!("{:?}", rustix::termios::tcgetattr(slave).unwrap()), before, "{script}");
    }
    let mut screen = sh(&bob, "echo ready; exec sleep 60");
    screen.wait_for("ready");
    let (slave, before) = (screen.terminal(), screen.before.clone());
    kill_process(Pid::from_raw(screen.pid().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    assert_eq!(screen.wait_for_exit().0, Some(143));
    assert_eq!(format!("{:?}", rustix::termios::tcgetattr(slave).unwrap()), before);
}

#[test]
fn two_programs_at_once_leave_the_terminal_as_it_was_and_have_lines_of_their_own() {
    let server = server();
    let bob = server.person("bob");
    // The first one ends before the second one, and after it.
    for (first, second) in [("sleep 2.5", "sleep 2"), ("sleep 4", ":")] {
        let script = format!(
            "\"$0\" run -- sh -c '{first}; echo first' </dev/tty & sleep 1; LINEAR_API_KEY=x \"$0\" run -- sh -c 'echo second; {second}'; \
             wait; echo over"
        );
        let program = env!("CARGO_BIN_EXE_secrets");
        let screen = TestTerminal::start(&bob.program(Path::new("sh"), &["-c", &script, program]));
        let (slave, before) = (screen.terminal(), screen.before.clone());
        let (code, shown) = screen.wait_for_exit();
        assert!(code == Some(0) && shown.ends_with("over\r\n"), "{shown}");
        for line in ["first\r\n", "second\r\n", "secrets: LINEAR_API_KEY replaced what the environment had\r\n"] {
            assert!(shown.contains(line), "{shown:?}");
        }
        assert_eq!(format!("{:?}", rustix::termios::tcgetattr(slave).unwrap()), before, "{first}");
    }
}

#[test]
fn a_program_that_can_not_be_started_leaves_the_terminal_alone() {
    let server = server();
    let mut screen = shell(&server.person("bob"));
    for (line, said) in [
        ("run /nonexistent/program", "error: `/nonexistent/program`: there is no such program"),
        ("echo code $?", "\ncode 127\r\n"),
        ("run /", "error: `/`: Permission denied"),
        ("echo code $?", "\ncode 126\r\n"),
    ] {
        screen.type_keys(&format!("{line}\r"));
        screen.wait_for(said);
        screen.wait_for("ready> ");
    }
}

#[test]
fn a_password_is_not_shown() {
    let server = server();
    let script = "stty -echo; printf 'Password: '; read answer; stty echo; echo; echo \"${#answer} letters\"";
    let mut screen = sh(&server.person("bob"), script);
    screen.wait_for("Password: ");
    screen.type_keys("hidden\r");
    screen.wait_for("6 letters");
    let (code, shown) = screen.wait_for_exit();
    assert!(code == Some(0) && !shown.contains("hidden"), "{shown}");
}

#[test]
fn a_program_stops_and_goes_on_as_a_job_of_the_shell() {
    let server = server();
    let mut screen = shell(&server.person("bob"));
    screen.type_keys("run sh -c 'echo started; read answer; echo got $answer'\r");
    screen.wait_for("\nstarted\r\n");
    screen.type_keys("\x1a");
    screen.wait_for("Stopped");
    screen.wait_for("ready> ");
    assert!(!screen.attributes().local_modes.is_empty(), "the shell edits lines again");
    screen.type_keys("echo in the she''ll; fg\r");
    screen.wait_for("in the shell\r\n");
    screen.wait_for("run -- "); // which job goes on
    screen.type_keys("line\r");
    screen.wait_for("got line");
    screen.wait_for("ready> ");
    screen.type_keys("run sh -c 'echo begun >&2; exec sleep 100' | cat\r");
    screen.wait_for("\nbegun\r\n");
    screen.type_keys("\x1a");
    screen.wait_for("Stopped");
    screen.wait_for("ready> ");
    screen.type_keys("fg\r");
    screen.wait_for("| cat");
    std::thread::sleep(Duration::from_millis(100));
    screen.type_keys("\x03");
    screen.wait_for("ready> ");
    screen.type_keys("echo code $?; exit\r");
    screen.wait_for("code 130");
}

/// Its last words may begin a value, and are shown all the same before the shell has the terminal again.
#[test]
fn what_a_program_wrote_is_shown_before_it_stops() {
    let server = server();
    let mut screen = shell(&server.person("bob"));
    screen.type_keys("run sh -c 'printf \"whole lin_b\"; kill -TSTP $$; echo again'\r");
    screen.wait_for("\nwhole lin_b");
    screen.wait_for("Stopped");
    screen.wait_for("ready> ");
    screen.type_keys("fg\r");
    screen.wait_for("again");
    screen.wait_for("ready> ");
    screen.type_keys("exit\r");
}

/// Unlike what the terminal sends to all of them.
#[test]
fn a_signal_from_outside_reaches_a_program_in_a_pipeline() {
    let server = server();
    let mut screen = shell(&server.person("bob"));
    for (signal, code) in [("INT", 130), ("QUIT", 131)] {
        screen.type_keys(&format!("run sh -c 'kill -{signal} $PPID; exec sleep 60' | cat\r"));
        screen.wait_for("ready> ");
        screen.type_keys("echo code ${PIPESTATUS[0]}\r");
        screen.wait_for(&format!("\ncode {code}\r\n"));
    }
    screen.type_keys("exit\r");
}

#[test]
fn a_value_of_short_lines_is_masked_as_a_whole() {
    let server = server();
    let bob = server.person("bob");
    bob.set("abc\ndef\nghi\njkl", "LINES");
    let (code, shown) = TestTerminal::start(&bob.command("run --only LINES -- printenv LINES")).wait_for_exit();
    assert_eq!(code, Some(0));
    assert!(shown.ends_with("***\r\n") && !shown.contains("def"), "{shown}");
}

#[test]
fn a_program_in_the_background_gets_the_keyboard_once_it_is_in_the_foreground() {
    let server = server();
    let mut screen = shell(&server.person("bob"));
    screen.type_keys("run sh -c 'read answer; echo got $answer' &\r");
    screen.wait_for("ready> ");
    screen.type_keys("wait -n; jobs\r"); // bash's wait returns when it stops
    screen.wait_for("Stopped");
    screen.type_keys("fg\r");
    screen.wait_for("run sh");
    std::thread::sleep(Duration::from_millis(300));
    screen.type_keys("late\r");
    screen.wait_for("got late");
    screen.wait_for("ready> ");
    screen.type_keys("exit\r");
}

#[test]
fn a_program_that_reads_a_pipe_gets_the_keyboard_when_it_asks() {
    let server = server();
    let mut screen = shell(&server.person("bob"));
    screen.type_keys("echo piped | run sh -c 'cat; printf \"Name: \"; read name < /dev/tty; echo hello $name'\r");
    screen.wait_for("\npiped\r\n");
    screen.wait_for("Name: ");
    std::thread::sleep(Duration::from_millis(100));
    screen.type_keys("bob\r");
    screen.wait_for("hello bob");
    screen.wait_for("ready> ");
    // Until then the keyboard is the pipeline's.
    screen.type_keys("{ echo ready''1; exec sleep 100; } | run sh -c 'read line; echo $line; exec sleep 100'\r");
    screen.wait_for("\nready1\r\n");
    screen.type_keys("\x03");
    screen.wait_for("ready> ");
    screen.type_keys("echo ${PIPESTATUS[*]}; exit\r");
    screen.wait_for("130 130");
}

#[test]
fn what_a_program_leaves_behind_on_the_terminal_does_not_hold_it_up() {
    let server = server();
    let (code, shown) = sh(&server.person("bob"), "(trap '' HUP; sleep 20) & echo begun; exit 5").wait_for_exit();
    assert_eq!((code, shown.as_str()), (Some(5), "begun\r\n"));
}

#[test]
fn no_value_is_in_the_arguments_of_what_runs_on_a_terminal() {
    let server = server();
    let mut screen = sh(&server.person("bob"), "echo ready; read x");
    screen.wait_for("ready");
    let monitor = children(screen.pid());
    let program = children(monitor[0]);
    for pid in [screen.pid(), monitor[0], program[0]] {
        assert!(words_of(pid).contains("echo ready") && !words_of(pid).contains("lin_bob"), "{}", words_of(pid));
    }
    screen.type_keys("\r");
    assert_eq!(screen.wait_for_exit().0, Some(0));
}

#[test]
fn much_output_on_a_terminal_does_not_grow_in_memory() {
    let server = server();
    let script = "for i in 1 2 3; do yes flood | head -c 5000000 & done; wait; echo over; read x";
    let mut screen = sh(&server.person("bob"), script);
    screen.wait_for("over");
    let peak = peak_kib(screen.pid());
    assert!(peak < 32 * 1024, "{peak} KiB");
    screen.type_keys("\r");
    assert_eq!(screen.wait_for_exit().0, Some(0));
}

#[test]
fn a_terminal_that_goes_away_takes_the_program_along() {
    let server = server();
    let mut screen = sh(&server.person("bob"), "echo ready; exec sleep 300");
    screen.wait_for("ready");
    let program = children(children(screen.pid())[0])[0];
    kill_process(Pid::from_raw(screen.pid().try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    screen.wait_for_exit();
    let begun = std::time::Instant::now();
    while words_of(program).contains("sleep") {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", words_of(program));
        std::thread::sleep(Duration::from_millis(20));
    }
}
