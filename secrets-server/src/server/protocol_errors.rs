//! Who breaks the rules of HTTP/2 again and again: their connections are closed, and the next ones wait before anything is read from
//! them. Without it, whoever connects anew after each would cost as much as can be sent.

use std::collections::HashMap;
use std::error::Error;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::call::peer::site;

/// How many connections of an address may break them within a second.
const MAX_ERRORS: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);
/// For how long the next ones of an address with more wait.
const REMEMBERED: Duration = Duration::from_secs(10);
/// How long each of them waits at least, and how much longer at most: spread, so that they do not come together.
const MIN_WAIT: Duration = Duration::from_secs(1);
const SPREAD: Duration = Duration::from_secs(2);
/// How many addresses are remembered. Whoever has more of them at hand is not held up by this.
const MAX_SITES: usize = 4096;

/// The errors of each address.
#[derive(Debug, Default)]
pub(super) struct ProtocolErrors {
    by_site: Mutex<HashMap<IpAddr, Errors>>,
    /// Counts what has waited.
    waits: AtomicU32,
}

#[derive(Clone, Copy, Debug)]
struct Errors {
    since: Instant,
    count: u32,
    /// Until when connections wait.
    wait_until: Option<Instant>,
}

impl ProtocolErrors {
    /// Counts how a connection from `address` ended.
    pub(super) fn note(&self, address: IpAddr, ended: &(dyn Error + 'static)) {
        if breaks_rules(ended) {
            self.count(address);
        }
    }

    fn count(&self, address: IpAddr) {
        let (now, mut by_site) = (Instant::now(), self.by_site());
        if by_site.len() >= MAX_SITES {
            by_site.retain(|_, errors| errors.is_recent(now));
            if by_site.len() >= MAX_SITES {
                return;
            }
        }
        let errors = by_site.entry(site(address)).or_insert(Errors { since: now, count: 0, wait_until: None });
        if now >= errors.since + WINDOW {
            (errors.since, errors.count) = (now, 0);
        }
        errors.count += 1;
        if errors.count > MAX_ERRORS {
            errors.wait_until = Some(now + REMEMBERED);
        }
    }

    /// How long a new connection from `address` waits, if it does.
    pub(super) fn wait(&self, address: IpAddr) -> Option<Duration> {
        let until = self.by_site().get(&site(address))?.wait_until?;
        (Instant::now() < until).then(|| {
            // By the golden ratio, so that any number of them in a row are spread evenly (Weyl's sequence).
            let part = self.waits.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9);
            MIN_WAIT + SPREAD.mul_f64(f64::from(part) / f64::from(u32::MAX))
        })
    }

    fn by_site(&self) -> MutexGuard<'_, HashMap<IpAddr, Errors>> {
        self.by_site.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Errors {
    fn is_recent(&self, now: Instant) -> bool {
        now < self.since + WINDOW || self.wait_until.is_some_and(|until| now < until)
    }
}

/// Whether it was the other end that broke a rule, as this end found; not a connection that was cut.
fn breaks_rules(ended: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(ended), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<h2::Error>())
        .any(h2::Error::is_library)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const OFFENDER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[tokio::test(start_paused = true)]
    async fn whoever_breaks_rules_often_waits_for_a_while() {
        let errors = ProtocolErrors::default();
        for _ in 0..MAX_ERRORS {
            errors.count(OFFENDER);
        }
        assert_eq!(errors.wait(OFFENDER), None);
        tokio::time::advance(WINDOW).await;
        for _ in 0..=MAX_ERRORS {
            errors.count(OFFENDER);
        }
        for _ in 0..100 {
            let wait = errors.wait(OFFENDER).unwrap();
            assert!((MIN_WAIT..=MIN_WAIT + SPREAD).contains(&wait), "{wait:?}");
        }
        assert_eq!(errors.wait(OTHER), None);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(errors.wait(OFFENDER), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let errors = ProtocolErrors::default();
        for n in 0..3 * MAX_SITES as u32 {
            errors.count(IpAddr::from(n.to_be_bytes()));
        }
        assert!(errors.by_site().len() <= MAX_SITES);
        tokio::time::advance(WINDOW).await;
        errors.count(OFFENDER);
        assert_eq!(errors.by_site().len(), 1);
    }

    #[test]
    fn a_connection_that_was_cut_breaks_no_rule() {
        assert!(!breaks_rules(&io::Error::from(io::ErrorKind::ConnectionReset)));
        // As a reason to end a stream, it has no initiator.
        assert!(!breaks_rules(&h2::Error::from(h2::Reason::ENHANCE_YOUR_CALM)));
    }
}
