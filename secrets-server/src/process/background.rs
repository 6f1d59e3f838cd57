//! Threads of low priority. What works long there lets whatever else runs go ahead: the operating system takes the processor from
//! it as soon as a short call needs one, where a thread of the runtime would first come to its next wait.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tracing::Instrument as _;

/// About a tenth of what a thread of the usual priority gets: what holds a lock still gets on beside a busy one.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

static JOBS: LazyLock<Option<Sender<Job>>> = LazyLock::new(start);

/// What runs on one thread until it ends, and the runtime that drives what it waits for.
struct Job {
    runtime: Handle,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// How many threads there are: half as many as processors, and at least one.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2)
}

/// Runs `work` on one of the threads; dropping the future drops the work where it waits. None if the work panicked.
pub async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    let until_dropped = async move {
        let mut sender: oneshot::Sender<T> = sender;
        let result = tokio::select! {
            biased;
            () = sender.closed() => return,
            result = work => result,
        };
        let _ = sender.send(result);
    };
    let job = Job { runtime: Handle::current(), work: Box::pin(until_dropped.in_current_span()) };
    let rejected = match &*JOBS {
        Some(jobs) => jobs.send(job).err().map(|unsent| unsent.0),
        None => Some(job),
    };
    if let Some(job) = rejected {
        job.runtime.spawn(job.work);
    }
    receiver.await.ok()
}

/// None if the operating system starts no thread.
fn start() -> Option<Sender<Job>> {
    let (sender, jobs) = channel();
    let jobs = Arc::new(Mutex::new(jobs));
    let mut started = None;
    for _ in 0..threads() {
        let jobs = Arc::clone(&jobs);
        let thread = std::thread::Builder::new().name("background".into()).spawn(move || work(&jobs));
        match thread {
            Ok(_) => started = Some(sender.clone()),
            Err(error) => tracing::warn!(%error, "cannot start a thread of low priority"),
        }
    }
    started
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    // Elsewhere the priority is that of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::warn!(%error, "cannot lower the priority of a thread");
    }
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { runtime, work }) = job else { return };
        // Whoever waits for it finds that the sender is gone.
        let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn runs_what_waits_for_the_runtime_on_a_thread_of_low_priority() {
        let ran = run(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            tokio::spawn(async {}).await.unwrap();
            (std::thread::current().name().map(str::to_owned), rustix::process::getpriority_process(None).unwrap())
        });
        let (name, nice) = ran.await.unwrap();
        assert_eq!(name.as_deref(), Some("background"));
        #[cfg(target_os = "linux")]
        assert_eq!(nice, rustix::process::getpriority_process(None).unwrap() + NICE);
    }

    #[tokio::test]
    async fn a_panic_ends_its_own_work_alone() {
        for _ in 0..2 * threads() {
            assert_eq!(run(async { assert!(std::hint::black_box(false)) }).await, None);
        }
        assert_eq!(run(async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_dropped() {
        let (held, dropped) = oneshot::channel::<()>();
        let waiting = run(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
        assert!(dropped.await.is_err());
    }
}
