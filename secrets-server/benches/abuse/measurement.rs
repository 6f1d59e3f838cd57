//! What one attack of one round did to the calm caller and the servers.

use std::fmt;
use std::fs;

use crate::calm::Calls;
use crate::support::server::Server;
use crate::{MAX_FAILURES_PER_MILLION, Result};

pub(crate) struct Measurement {
    /// Beside the attacker that goes against the dropping port.
    pub(crate) control: Calls,
    pub(crate) attacked: Calls,
    pub(crate) before: Taken,
    /// At the end of the attack; the peak is that of the whole attack.
    pub(crate) during: Taken,
    pub(crate) after: Taken,
}

impl Measurement {
    /// The calm caller's 99th percentile, as a multiple of the control's.
    pub(crate) fn ratio(&self) -> f64 {
        self.attacked.p99.as_secs_f64() / self.control.p99.as_secs_f64()
    }

    /// How much memory the attack took at its peak.
    pub(crate) fn growth_mib(&self) -> u64 {
        self.during.peak_kib.saturating_sub(self.before.memory_kib) / 1024
    }

    /// How much of it is kept.
    pub(crate) fn kept_mib(&self) -> u64 {
        self.after.memory_kib.saturating_sub(self.before.memory_kib) / 1024
    }

    /// How many descriptors the attack held at its end.
    pub(crate) fn held_descriptors(&self) -> usize {
        self.during.descriptors.saturating_sub(self.before.descriptors)
    }

    /// How many of them are kept. The pool of a database may have a few more connections than before.
    pub(crate) fn kept_descriptors(&self) -> usize {
        self.after.descriptors.saturating_sub(self.before.descriptors)
    }

    pub(crate) fn too_many_failures(&self) -> bool {
        self.attacked.failed * 1_000_000 > self.attacked.made * MAX_FAILURES_PER_MILLION
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (control, attacked) = (self.control, self.attacked);
        write!(
            f,
            "p50 {:.1?} → {:.1?}, p99 {:.1?} → {:.1?}",
            control.median, attacked.median, control.p99, attacked.p99
        )?;
        write!(f, " (× {:.2}), {} of {} failed", self.ratio(), attacked.failed, attacked.made)?;
        write!(f, ", +{} MiB, {} kept", self.growth_mib(), self.kept_mib())?;
        write!(f, ", {} descriptors, {} kept", self.held_descriptors(), self.kept_descriptors())
    }
}

/// What servers have in all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    memory_kib: u64,
    /// The most memory since [`Taken::forget_peaks`].
    peak_kib: u64,
    descriptors: usize,
}

impl Taken {
    /// # Errors
    /// When a server has ended.
    pub(crate) fn by(servers: &[Server]) -> Result<Self> {
        servers.iter().try_fold(Self::default(), |sum, server| {
            let one = Self::by_process(server.process.id())?;
            Ok(Self {
                memory_kib: sum.memory_kib + one.memory_kib,
                peak_kib: sum.peak_kib + one.peak_kib,
                descriptors: sum.descriptors + one.descriptors,
            })
        })
    }

    /// proc(5): writing 5 sets the peak to what there is now.
    pub(crate) fn forget_peaks(servers: &[Server]) -> Result<()> {
        for server in servers {
            fs::write(format!("/proc/{}/clear_refs", server.process.id()), "5")?;
        }
        Ok(())
    }

    fn by_process(id: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let kib = |field: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("a server has ended")?;
            Ok(line.trim_matches(|c: char| !c.is_ascii_digit()).parse()?)
        };
        let descriptors = fs::read_dir(format!("/proc/{id}/fd"))?.count();
        Ok(Self { memory_kib: kib("VmRSS")?, peak_kib: kib("VmHWM")?, descriptors })
    }
}
