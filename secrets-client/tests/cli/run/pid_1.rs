//! As the first process of a container.

use std::process::{Command, Stdio};

use super::server;
use crate::support::ProgramOutput;
use crate::support::TestTerminal;

/// `program` as PID 1 of a namespace of its own, with its own `/proc`; none where that is not allowed.
fn as_pid_1(program: &Command) -> Option<Command> {
    let flags: &[&str] = if rustix::process::getuid().is_root() {
        &["--pid", "--fork", "--mount-proc"]
    } else {
        &["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    };
    let allowed = Command::new("unshare").args(flags).arg("true").stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(flags).arg(program.get_program()).args(program.get_args());
    command.current_dir(program.get_current_dir().unwrap()).stdin(Stdio::null());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

#[test]
fn orphans_are_reaped_and_signals_passed_on() {
    let server = server();
    // The program orphans one that ends soon, waits until nothing is left of it, and asks PID 1 to stop.
    let script = "trap 'echo stopping; exit 9' TERM
        sh -c 'sleep 0.1 & echo $! > orphan'
        while [ -e /proc/$(cat orphan) ]; do sleep 0.05; done
        echo reaped $LINEAR_API_KEY
        kill -TERM 1
        while :; do sleep 0.05; done";
    let program = server.person("bob").command_words(&["run", "--", "sh", "-c", script]);
    let Some(mut command) = as_pid_1(&program) else {
        eprintln!("no namespace of processes is to be had here: not tested");
        return;
    };
    let ended = ProgramOutput::from(command.output().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (9, "reaped ***\nstopping\n"), "{ended:?}");
}

#[test]
fn a_program_has_its_terminal_and_its_keys() {
    let server = server();
    let script = "trap 'echo caught; exit 9' INT; test -t 0 && test -t 1 && echo has $LINEAR_API_KEY
        while :; do sleep 0.05; done";
    let program = server.person("bob").command_words(&["run", "--", "sh", "-c", script]);
    let Some(command) = as_pid_1(&program) else {
        eprintln!("no namespace of processes is to be had here: not tested");
        return;
    };
    let mut screen = TestTerminal::start(&command);
    screen.wait_for("has ***");
    screen.type_keys("\x03");
    screen.wait_for("caught");
    assert_eq!(screen.wait_for_exit().0, Some(9));
}
