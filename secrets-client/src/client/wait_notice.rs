//! Notice of a call that takes long, for a person who waits.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

/// Whom to notify of a call that takes long, and after how long.
pub(super) struct WaitNotice {
    after: Duration,
    notify: Box<dyn Fn(&str) + Send + Sync>,
}

impl WaitNotice {
    pub(super) fn new(after: Duration, notify: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { after, notify: Box::new(notify) }
    }

    /// Awaits `call`, and gives notice of `endpoint` when that takes long.
    pub(super) async fn during<F: Future>(&self, endpoint: &str, call: F) -> F::Output {
        let mut call = pin!(call);
        if let Ok(answered) = timeout(self.after, call.as_mut()).await {
            return answered;
        }
        (self.notify)(endpoint);
        call.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_long_is_noticed_once_and_a_quick_one_never() {
        let noticed = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&noticed);
        let notice = WaitNotice::new(Duration::from_secs(3), move |endpoint| {
            assert_eq!(endpoint, "http://e");
            counted.fetch_add(1, Ordering::Relaxed);
        });
        for (seconds, expected) in [(0, 0), (2, 0), (4, 1), (30, 2)] {
            let call = async { tokio::time::sleep(Duration::from_secs(seconds)).await };
            notice.during("http://e", call).await;
            assert_eq!(noticed.load(Ordering::Relaxed), expected, "{seconds} s");
        }
    }
}
