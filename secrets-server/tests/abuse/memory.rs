//! Memory that many connections took goes back when they have gone.
//!
//! `cargo test -p secrets-server --test abuse memory -- --nocapture` prints the figures of `secrets-server/README.md`.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::Pid;
use secrets_server::process::descriptors;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::support::process::{ServerProcess, serve};

const CONNECTIONS: u64 = 4_000;
/// Descriptors that the test itself needs.
const RESERVED: u64 = 200;
/// What every connection of HTTP/2 begins with, and settings that say nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// It only ends a test that would hang.
const MAX_CHECKS: usize = 6_000;
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The real program, since the allocator is its own.
#[tokio::test]
async fn memory_goes_back_after_a_peak() {
    let count = std::cmp::min(CONNECTIONS, descriptors::raise_limit().unwrap().saturating_sub(RESERVED));
    let directory = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(serve(directory.path(), &[]));
    // What the first connection sets up stays.
    drop(connections(server.address, 1).await);
    let start = resident(server.pid());
    for _ in 0..2 {
        let open = connections(server.address, count).await;
        until(|| open_descriptors(server.pid()) > count).await;
        let peak = resident(server.pid());
        drop(open);
        until(|| open_descriptors(server.pid()) < RESERVED).await;
        let most = start + (peak - start) / 4;
        let left = until_at_most(most, || resident(server.pid())).await;
        let mib = |bytes: u64| bytes / 1024 / 1024;
        println!(
            "{count} idle connections: {} MiB, {} of which stay",
            mib(peak - start),
            mib(left.saturating_sub(start))
        );
        assert!(
            peak > start && left <= most,
            "{} MiB at first, {} at the peak, {} after it",
            mib(start),
            mib(peak),
            mib(left)
        );
    }
}

async fn connections(to: SocketAddr, count: u64) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(PREFACE).await.unwrap();
        open.push(stream);
    }
    open
}

async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..MAX_CHECKS {
        if is_so() {
            return;
        }
        sleep(CHECK_INTERVAL).await;
    }
    panic!("it does not become so");
}

/// The first figure that is at most `most`, or the last one.
async fn until_at_most(most: u64, figure: impl Fn() -> u64) -> u64 {
    for _ in 0..MAX_CHECKS {
        if figure() <= most {
            break;
        }
        sleep(CHECK_INTERVAL).await;
    }
    figure()
}

/// The memory that a process has, in bytes.
fn resident(process: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

fn open_descriptors(process: Pid) -> u64 {
    std::fs::read_dir(format!("/proc/{}/fd", process.as_raw_nonzero())).unwrap().count() as u64
}
