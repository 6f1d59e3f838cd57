//! Watch: what Resolve would deliver, and each time that it changes. Never a value.
//!
//! An open watch waits for a change of what it depends on ([`crate::changes`]), for the time at which its answer or its
//! caller's credential changes by itself, and now and then without any reason. Then it looks again, as a call would: who
//! calls, whether they still may, and what there is. So it ends when the right ends, with the failure a call would have.
//! Between two looks it costs no more than its memory.

mod event;
mod observation;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use secrets_core::{ContextName, Filter, SecretId};
use secrets_proto::Method;
use tokio::time::{Instant, sleep_until, timeout};

use self::observation::Observation;
use crate::auth::{Authenticator, RequestCredentials};
use crate::call::Call;
use crate::changes::{MOST_PER_CREDENTIAL, Subscription, WatchPermit};
use crate::error::{Error, Reason};
use crate::process::shutdown::Signal;
use crate::service::Service;
use crate::store::revision;

pub use self::event::{Happened, WatchEvent, Watched};

/// After this long without an event comes one that says nothing; documented in the proto.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What follows an event within this time is told with the next.
const CALM: Duration = Duration::from_millis(100);
/// How often it is looked without a reason: for what no history counts.
const LOOK_ANYWAY: Duration = Duration::from_secs(60);
/// How soon it is looked again for a time that the clock has not reached yet.
const SOONEST: Duration = Duration::from_millis(100);
/// A database that takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What Watch is asked.
pub struct WatchQuestion {
    /// For whom; none: the session's own context.
    pub context: Option<ContextName>,
    /// What narrows it, but for what narrows the session.
    pub filter: Filter,
    /// The etag of an earlier answer; empty: none.
    pub if_none_match: String,
}

/// Who watches: the credential is looked up again at every look.
pub struct Watcher {
    /// Who looks the credential up.
    pub authenticator: Arc<Authenticator>,
    /// The credential as it was presented.
    pub presented: RequestCredentials,
    pub method: Method,
    /// The server's request to stop, which ends the watch.
    pub stop: Signal,
}

/// An open watch.
pub struct Watch {
    service: Arc<Service>,
    watcher: Watcher,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
    question: WatchQuestion,
    look: Observation,
    subscription: Subscription,
    /// What was told of, by name.
    told: BTreeMap<SecretId, Watched>,
    first: Option<WatchEvent>,
    looked: Instant,
    spoke: Instant,
    ended: bool,
    _seat: WatchPermit,
}

impl Service {
    /// Opens a watch for a caller who may resolve the context.
    pub async fn watch(
        self: &Arc<Self>,
        call: &Call,
        watcher: Watcher,
        question: WatchQuestion,
    ) -> Result<Watch, Error> {
        let mut look = self.look(call, &question).await?;
        let seat = self.changes.seat(call.caller.credential).ok_or_else(too_many)?;
        // What changed between the look and the subscription would be told to nobody.
        let subscription = loop {
            let subscription = self.changes.subscribe(look.organization, look.scopes.iter().copied());
            let now = revision::current(self.store.reader(), look.organization).await?;
            if now == Some(look.revision) {
                break subscription;
            }
            look = self.look(call, &question).await?;
        };
        let told = look.take_secrets();
        let first = if look.etag == question.if_none_match { look.heartbeat() } else { look.set(&told) };
        let stopped = Box::pin(watcher.stop.requested());
        let now = Instant::now();
        Ok(Watch {
            service: Arc::clone(self),
            watcher,
            stopped,
            question,
            look,
            subscription,
            told,
            first: Some(first),
            looked: now,
            spoke: now,
            ended: false,
            _seat: seat,
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
        self.spoke = Instant::now();
        Some(event)
    }

    async fn following(&mut self) -> Result<WatchEvent, Error> {
        loop {
            let due = self.due();
            let wake = due.min(self.spoke + HEARTBEAT);
            let is_told = tokio::select! {
                biased;
                () = &mut self.stopped => return Err(stopping()),
                () = self.subscription.changed() => true,
                () = sleep_until(wake) => false,
            };
            if is_told {
                let calm = self.looked + CALM;
                tokio::select! {
                    biased;
                    () = &mut self.stopped => return Err(stopping()),
                    () = sleep_until(calm) => {}
                }
            }
            if is_told || Instant::now() >= due {
                // Boxed, since it is large and a watch waits most of the time.
                if let Some(event) = Box::pin(self.look_again()).await? {
                    return Ok(event);
                }
            }
            if self.spoke.elapsed() >= HEARTBEAT {
                return Ok(self.look.heartbeat());
            }
        }
    }

    /// When it looks without being told of a change.
    fn due(&self) -> Instant {
        let now = self.service.clock.now();
        let by_time = self.look.changes_by_itself().map(|time| time.saturating_since(now).max(SOONEST));
        let anyway = self.looked + LOOK_ANYWAY;
        by_time.map_or(anyway, |left| anyway.min(Instant::now() + left))
    }

    /// Looks again, and says what is different.
    async fn look_again(&mut self) -> Result<Option<WatchEvent>, Error> {
        let service = Arc::clone(&self.service);
        let _turn = service.changes.turn().await;
        let looked = timeout(PATIENCE, async {
            let call = self.watcher.authenticator.authenticate(&self.watcher.presented, self.watcher.method).await?;
            service.look(&call, &self.question).await
        });
        let mut look = looked.await.unwrap_or_else(|_| {
            Err(Error::new(Reason::StorageUnavailable, "the database does not answer; watch again"))
        })?;
        self.looked = Instant::now();
        if look.scopes != self.look.scopes {
            // The same names are another place now, whose changes nobody has told of yet.
            self.subscription = service.changes.subscribe(look.organization, look.scopes.iter().copied());
            self.subscription.tell();
        }
        let secrets = look.take_secrets();
        let event = look.changed(&self.look, &self.told, &secrets);
        self.told = secrets;
        self.look = look;
        Ok(event)
    }
}

fn stopping() -> Error {
    Error::new(Reason::ShuttingDown, "the server is stopping; watch again")
}

fn too_many() -> Error {
    let text =
        format!("a credential has at most {MOST_PER_CREDENTIAL} watches at a time, and the server has a limit too");
    Error::new(Reason::LimitExceeded, text).with("limit", "watches")
}
