use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// Waits until a program has ended. `None` when it still runs after `timeout`.
pub(crate) fn wait_with_timeout(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + timeout;
    loop {
        match child.try_wait().unwrap() {
            None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            status => return status,
        }
    }
}
