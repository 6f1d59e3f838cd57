//! The child process: its environment, the signals that reach it, and how it ends.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::exit::{Exit, Failure};

/// What is passed on to the child.
const FORWARDED: [Signal; 6] = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP, Signal::USR1, Signal::USR2];

/// Runs `command` with `variables` and without those that are `stripped`, to its end.
pub(super) async fn run(
    command: &[OsString],
    variables: Vec<(OsString, OsString)>,
    stripped: &[&str],
) -> Result<u8, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::usage("which program?"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    for name in stripped {
        command.env_remove(name);
    }
    command.envs(variables);

    // Before the child is there, so that no signal falls between.
    let mut signals = listen().map_err(|error| Failure::new(Exit::NotStarted, format!("signals: {error}")))?;
    let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
    drop(command); // and with it this copy of the values
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    loop {
        tokio::select! {
            ended = child.wait() => {
                let status = ended.map_err(|error| Failure::new(Exit::NotStarted, format!("wait: {error}")))?;
                return Ok(code(status));
            }
            Some(signal) = signals.recv() => {
                if let Some(pid) = pid && !reaches_child_by_itself(signal) {
                    let _ = kill_process(pid, signal);
                }
            }
        }
    }
}

/// Receives the forwarded signals, but for those that whoever started us wants ignored (`nohup`): the child ignores
/// them as well, which a handler here would undo.
fn listen() -> std::io::Result<mpsc::UnboundedReceiver<Signal>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let ignored = ignored_signals(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
    for forwarded in FORWARDED {
        let number = forwarded.as_raw();
        if ignored & (1 << (number - 1)) != 0 {
            continue;
        }
        let mut stream = signal(SignalKind::from_raw(number))?;
        let sender = sender.clone();
        tokio::spawn(async move { while stream.recv().await.is_some() && sender.send(forwarded).is_ok() {} });
    }
    Ok(receiver)
}

/// The mask of ignored signals, bit n-1 for signal n, from `/proc/self/status`.
fn ignored_signals(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// A terminal sends Ctrl-C and Ctrl-\ to every process in its foreground, the child among them: once is enough.
fn reaches_child_by_itself(signal: Signal) -> bool {
    if signal != Signal::INT && signal != Signal::QUIT {
        return false;
    }
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|foreground| foreground == getpgrp())
}

/// The child's own code, or 128 and the signal that ended it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}

fn not_started(program: &OsString, error: &std::io::Error) -> Failure {
    let exit = match error.kind() {
        std::io::ErrorKind::NotFound => Exit::NoSuchProgram,
        _ => Exit::NotExecutable,
    };
    Failure::new(exit, format!("`{}`: {error}", program.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str) -> Result<u8, Failure> {
        run(&["sh".into(), "-c".into(), script.into()], vec![("CHILD_TEST".into(), "injected".into())], &["HOME"]).await
    }

    #[tokio::test]
    async fn passes_codes_and_signals_through() {
        assert_eq!(sh("exit 0").await.unwrap(), 0);
        assert_eq!(sh("exit 42").await.unwrap(), 42);
        assert_eq!(sh("kill -KILL $$").await.unwrap(), 137);
        assert_eq!(sh("kill -TERM $$").await.unwrap(), 143);
    }

    #[tokio::test]
    async fn injects_variables_and_strips_others() {
        assert_eq!(sh("test \"$CHILD_TEST\" = injected").await.unwrap(), 0);
        assert_eq!(sh("test -z \"${HOME+set}\"").await.unwrap(), 0);
        assert_eq!(sh("test -n \"$PATH\"").await.unwrap(), 0);
    }

    #[tokio::test]
    async fn tells_missing_from_not_executable() {
        let missing = run(&["/nonexistent/program".into()], vec![], &[]).await.unwrap_err();
        assert_eq!(missing.exit, Exit::NoSuchProgram);
        let folder = run(&["/".into()], vec![], &[]).await.unwrap_err();
        assert_eq!(folder.exit, Exit::NotExecutable);
    }

    #[test]
    fn reads_the_mask_of_ignored_signals() {
        let mask = ignored_signals("Name:\tsecrets\nSigIgn:\t0000000000001001\nSigCgt:\tff\n");
        assert_eq!(mask, (1 << (Signal::HUP.as_raw() - 1)) | (1 << 12));
        assert_eq!(ignored_signals(""), 0);
    }
}
