//! What shells do with the processes that they start together: whom a terminal's keys reach, who stops, and who continues
//! them.

use std::fs::File;

use rustix::process::{
    Pid, Signal, getpgid, getpgrp, getpid, getppid, getsid, kill_current_process_group, kill_process,
};

/// Whether a terminal or a shell sends this signal to stop what it runs.
pub(crate) fn stops_jobs(signal: i32) -> bool {
    [Signal::TSTP, Signal::TTIN, Signal::TTOU].iter().any(|stopping| stopping.as_raw() == signal)
}

/// Whether what our terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z, a new size) reaches every process of our group by itself.
pub(crate) fn terminal_reaches_our_group() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|foreground| foreground == getpgrp())
}

/// Stops this process until somebody continues it. Returns whether somebody would, and it did.
pub(crate) fn stop_this_process() -> bool {
    has_job_control() && kill_process(getpid(), Signal::STOP).is_ok()
}

/// The same with all that our shell started together with us.
pub(crate) fn stop_our_group() -> bool {
    has_job_control() && kill_current_process_group(Signal::STOP).is_ok()
}

/// Whether somebody is there to continue us: a shell with job control, which is the parent of one in our process group,
/// in another group of the same session. The kernel calls a group without such a parent orphaned.
pub(crate) fn has_job_control() -> bool {
    let (group, Ok(session)) = (getpgrp(), getsid(None)) else { return false };
    let mut parent = getppid();
    while let Some(pid) = parent {
        if getsid(Some(pid)) != Ok(session) {
            return false;
        }
        if getpgid(Some(pid)) != Ok(group) {
            return true;
        }
        parent = parent_of(pid);
    }
    false
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    Pid::from_raw(parent.trim().parse().ok()?)
}
