//! The machine that the numbers were measured on.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;

/// How many small durable writes are timed.
const SYNC_COUNT: usize = 200;

/// Prints processors, kernel and what a durable write to `directory`'s disk takes: no commit is faster.
pub(crate) fn describe(directory: &Path) -> Result<()> {
    let processors = std::thread::available_parallelism()?;
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    println!("{processors} × {}, Linux {}", model.trim_start_matches([':', '\t', ' ']), kernel.trim());
    println!("write + fdatasync of 4 KiB in {}: median {:?}", directory.display(), sync_time(directory)?);
    Ok(())
}

fn sync_time(directory: &Path) -> Result<Duration> {
    let mut file = fs::File::create(directory.join("sync"))?;
    let mut times = Vec::with_capacity(SYNC_COUNT);
    for _ in 0..SYNC_COUNT {
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(SYNC_COUNT / 2).copied().unwrap_or_default())
}
