//! Which signals this process ignores because whoever started it wants so, as `nohup` does.

use rustix::process::Signal;

/// The ignored signals, read before any of them is handled.
pub(crate) struct IgnoredSignals(u64);

impl IgnoredSignals {
    pub(crate) fn read() -> Self {
        Self(mask(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()))
    }

    pub(crate) fn contains(&self, signal: Signal) -> bool {
        self.0 & (1 << (signal.as_raw() - 1)) != 0
    }
}

/// The mask of ignored signals, bit n-1 for signal n, from `/proc/self/status`.
fn mask(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_mask_of_ignored_signals() {
        let ignored = IgnoredSignals(mask("Name:\tsecrets\nSigIgn:\t0000000000001001\nSigCgt:\tff\n"));
        assert!(ignored.contains(Signal::HUP) && ignored.contains(Signal::PIPE) && !ignored.contains(Signal::INT));
        assert_eq!(mask(""), 0);
    }
}
