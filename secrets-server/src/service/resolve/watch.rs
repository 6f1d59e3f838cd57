//! Watch: what Resolve would deliver, and each time that it changes. Never a value.
//!
//! An open watch waits for a change of what it depends on ([`crate::changes`]), for the time at which its answer or its
//! caller's credential changes by itself, and now and then without any reason. Then it looks again, as a call would: who
//! calls, whether they still may, and what there is. So it ends when the right ends, with the failure a call would have, and
//! a refusal is in the audit log as that of a call is.
//! Between two looks it costs no more than its memory.

mod event;
mod observation;
mod weight;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use secrets_core::{ContextName, Filter, SecretId};
use tokio::time::{Instant, sleep_until, timeout};

use self::observation::Observation;
use self::weight::weight;
use crate::admission::Slot;
use crate::auth::{Authenticated, Authenticator};
use crate::changes::Subscription;
use crate::error::{Error, Reason};
use crate::process::shutdown::Shutdown;
use crate::service::Service;
use crate::service::open_call::{OpenCall, StreamedCall, Unrecorded};
use crate::store::revision;

pub use self::event::{Happened, WatchEvent, Watched};

/// After this long without an event comes one that says nothing; documented in the proto.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// What follows an event within this time comes with the next.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// How often a watch refreshes without a notification: for what no history counts.
const REFRESH_INTERVAL: Duration = Duration::from_secs(60);
/// How soon a watch refreshes for a time that the clock has not reached yet.
const MIN_REFRESH_DELAY: Duration = Duration::from_millis(100);
/// The name of the limit of watches.
const LIMIT: &str = "watches";
/// A database that takes longer does not answer.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(20);

/// What Watch is asked.
pub struct WatchQuestion {
    /// For whom; none: the session's own context.
    pub context: Option<ContextName>,
    /// What narrows it, but for what narrows the session.
    pub filter: Filter,
    /// The etag of an earlier answer; empty: none.
    pub if_none_match: String,
}

/// Who watches: the credential is looked up again at every refresh.
pub struct Watcher {
    /// Who looks the credential up.
    pub authenticator: Arc<Authenticator>,
    /// The request that opened the watch.
    pub authenticated: Authenticated,
    /// The server's request to stop, which ends the watch.
    pub stop: Shutdown,
}

/// An open watch.
pub struct Watch {
    service: Arc<Service>,
    watcher: Watcher,
    opened: StreamedCall,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
    question: WatchQuestion,
    observed: Observation,
    subscription: Subscription,
    /// What the client was notified of, by name.
    notified: BTreeMap<SecretId, Watched>,
    first: Option<WatchEvent>,
    /// When it was refreshed last.
    refreshed: Instant,
    /// When the last event was sent.
    sent: Instant,
    ended: bool,
    /// It gives way when others have less of what is left.
    slot: Slot,
}

impl Service {
    /// Opens a watch for a caller who may resolve the context.
    pub async fn watch(
        self: &Arc<Self>,
        call: &mut OpenCall,
        watcher: Watcher,
        question: WatchQuestion,
    ) -> Result<Watch, Error> {
        let taken = self.watches.take(&watcher.authenticated.consumer(), weight(&question, &BTreeMap::new()));
        let mut slot = taken.map_err(|refused| refused.error(LIMIT))?;
        let mut observed = self.observe(call, &question).await?;
        // Of what changed between the observation and the subscription nobody would be notified.
        let subscription = loop {
            let subscription = self.changes.subscribe(observed.organization, observed.scopes.iter().copied());
            let now = revision::current(self.store.reader(), observed.organization).await?;
            if now == Some(observed.revision) {
                break subscription;
            }
            observed = self.observe(call, &question).await?;
        };
        let notified = observed.take_secrets();
        slot.resize(weight(&question, &notified)).map_err(|refused| refused.error(LIMIT))?;
        let first =
            if observed.etag == question.if_none_match { observed.heartbeat() } else { observed.set(&notified) };
        let stopped = Box::pin(watcher.stop.requested.clone().cancelled_owned());
        let now = Instant::now();
        Ok(Watch {
            service: Arc::clone(self),
            watcher,
            opened: StreamedCall::new(call),
            stopped,
            question,
            observed,
            subscription,
            notified,
            first: Some(first),
            refreshed: now,
            sent: now,
            ended: false,
            slot,
        })
    }
}

impl Watch {
    /// The next event; after a failure there is none.
    pub async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        if self.ended {
            return None;
        }
        let event = match self.first.take() {
            Some(first) => Ok(first),
            None => self.following().await,
        };
        self.ended = event.is_err();
        self.sent = Instant::now();
        Some(event)
    }

    async fn following(&mut self) -> Result<WatchEvent, Error> {
        loop {
            let due = self.due();
            let wake = due.min(self.sent + HEARTBEAT_INTERVAL);
            let is_notified = tokio::select! {
                biased;
                () = &mut self.stopped => return Err(stopping()),
                refused = self.slot.evicted() => return Err(refused.error(LIMIT)),
                () = self.subscription.changed() => true,
                () = sleep_until(wake) => false,
            };
            if is_notified {
                let settled = self.refreshed + DEBOUNCE;
                tokio::select! {
                    biased;
                    () = &mut self.stopped => return Err(stopping()),
                    () = sleep_until(settled) => {}
                }
            }
            if is_notified || Instant::now() >= due {
                // Boxed, since it is large and a watch waits most of the time.
                if let Some(event) = Box::pin(self.refresh()).await? {
                    return Ok(event);
                }
            }
            if self.sent.elapsed() >= HEARTBEAT_INTERVAL {
                return Ok(self.observed.heartbeat());
            }
        }
    }

    /// When it refreshes without a notification.
    fn due(&self) -> Instant {
        let now = self.service.clock.now();
        let by_time = self.observed.changes_by_itself().map(|time| time.saturating_since(now).max(MIN_REFRESH_DELAY));
        let anyway = self.refreshed + REFRESH_INTERVAL;
        by_time.map_or(anyway, |left| anyway.min(Instant::now() + left))
    }

    /// Observes the context again, and returns what is different.
    async fn refresh(&mut self) -> Result<Option<WatchEvent>, Error> {
        let service = Arc::clone(&self.service);
        let _permit = service.changes.refresh_permit().await;
        let observed = timeout(REFRESH_TIMEOUT, async {
            let call = self.watcher.authenticator.open_call_again(&self.watcher.authenticated).await?;
            service.observe(&mut Unrecorded(call), &self.question).await
        });
        let mut observed = match observed.await {
            Ok(Ok(observed)) => observed,
            Ok(Err(error)) => return Err(self.opened.refused(&service, error).await),
            Err(_) => return Err(Error::new(Reason::StorageUnavailable, "the database does not answer; watch again")),
        };
        self.refreshed = Instant::now();
        if observed.scopes != self.observed.scopes {
            // The same names stand for other scopes now, of whose changes nobody has notified this watch.
            self.subscription = service.changes.subscribe(observed.organization, observed.scopes.iter().copied());
            self.subscription.notify();
        }
        let secrets = observed.take_secrets();
        self.slot.resize(weight(&self.question, &secrets)).map_err(|refused| refused.error(LIMIT))?;
        let event = observed.changed(&self.observed, &self.notified, &secrets);
        self.notified = secrets;
        self.observed = observed;
        Ok(event)
    }
}

fn stopping() -> Error {
    Error::new(Reason::ShuttingDown, "the server is stopping; watch again")
}
