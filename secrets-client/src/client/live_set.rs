//! A set that is kept up to date, for programs that run for longer than a set stays the same.
//!
//! A program goes on with the set that it has while the service is unavailable, and for good once it may not receive another
//! one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secrets_proto::v1;
use tokio::time::{Instant, sleep, timeout_at};

use super::Client;
use super::session_keepalive::{SessionKeepalive, SessionWarning};
use super::watch::{Watch, WatchEventKind};
use crate::error::ClientError;
use crate::retry::random_unit;
use crate::validation::{BrokenRule, MAX_SECRETS, ResolvedSecret, ResolvedSet};

/// Changes often come in groups: a set is resolved again once there was no change for this long.
const DEBOUNCE: Duration = Duration::from_secs(2);
/// The mean time between two attempts to resolve a set while the service is unavailable.
const RETRY_INTERVAL: Duration = Duration::from_secs(3);

/// The longest wait that the service may ask for.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);

/// A set, and each later one that replaces it: resolves, watches through every interruption, and renews the session.
#[derive(Debug)]
pub struct LiveSet {
    follower: Follower,
    session: SessionKeepalive,
}

/// What follows a set.
#[derive(Debug)]
struct Follower {
    client: Client,
    /// Its `if_none_match` is the etag of the set that the caller has.
    request: v1::ResolveRequest,
    /// None until the caller has been given, or refused, a first set.
    watch: Option<Watch>,
    splay: Duration,
    /// Whether another set than the caller's is delivered, as far as is known.
    is_outdated: bool,
    has_ended: bool,
}

/// An event of a [`LiveSet`].
#[derive(Debug)]
pub enum LiveEvent {
    /// Another set, which replaces the one that the caller has.
    Set(Box<ResolvedSet>),
    /// The service refuses the current set, and would refuse it again, or its answer breaks a rule. The caller keeps its own;
    /// there may be a later one.
    Refused(ClientError),
    /// The service refuses the watch: the caller keeps its set, and there is no further event.
    Ended(ClientError),
    /// The session that the client calls with is going to end.
    SessionEnds(SessionWarning),
}

/// The names that a context gets, kept up to date; their values stay with the service.
#[derive(Debug)]
pub struct LiveNames {
    watch: Watch,
    _session: SessionKeepalive,
    names: BTreeSet<String>,
}

impl Client {
    /// Keeps the set that `request` resolves up to date. A caller that has a set already names it by its etag, in the
    /// request's `if_none_match`; otherwise the first event is the current set. Needs a Tokio runtime.
    pub fn live_set(&self, request: v1::ResolveRequest) -> LiveSet {
        let follower = Follower {
            client: self.clone(),
            is_outdated: false,
            watch: (!request.if_none_match.is_empty()).then(|| self.watch(watch_request(&request))),
            request,
            splay: Duration::ZERO,
            has_ended: false,
        };
        LiveSet { follower, session: self.keep_session() }
    }

    /// Keeps the names that `request` watches up to date, without their values. Needs a Tokio runtime.
    pub fn live_names(&self, request: v1::WatchRequest) -> LiveNames {
        LiveNames { watch: self.watch(request), _session: self.keep_session(), names: BTreeSet::new() }
    }
}

impl LiveSet {
    /// Sets how long to wait at most, at random, before a changed set is resolved, so that many do not do so at the same time.
    #[must_use]
    pub fn splay(mut self, splay: Duration) -> Self {
        self.follower.splay = splay;
        self
    }

    /// Waits for the next event: until another set is delivered, there was no change for two seconds, and the set has been
    /// resolved, for however long the service is unavailable; or until the session is going to end. After
    /// [`LiveEvent::Ended`] there is no other set. Dropping the future loses no event.
    pub async fn next(&mut self) -> LiveEvent {
        tokio::select! {
            warning = self.session.warning() => LiveEvent::SessionEnds(warning),
            event = self.follower.next() => event,
        }
    }
}

impl Follower {
    async fn next(&mut self) -> LiveEvent {
        if self.has_ended {
            return std::future::pending().await;
        }
        loop {
            if let Some(watch) = &mut self.watch {
                if let Err(error) = settle(&mut self.is_outdated, watch).await {
                    self.has_ended = true;
                    return LiveEvent::Ended(error);
                }
                sleep(self.splay.mul_f64(random_unit())).await;
            }
            let resolved = self.resolve().await;
            self.is_outdated = false;
            if let Ok(set) = &resolved {
                self.request.if_none_match.clone_from(&set.etag);
            }
            if self.watch.is_none() {
                self.watch = Some(self.client.watch(watch_request(&self.request)));
            }
            match resolved {
                Ok(set) if set.not_modified => {} // it changed, and changed back
                Ok(set) => return LiveEvent::Set(Box::new(set)),
                Err(error) => return LiveEvent::Refused(error),
            }
        }
    }

    async fn resolve(&self) -> Result<ResolvedSet, ClientError> {
        loop {
            match self.client.resolve(self.request.clone()).await {
                Err(error) if error.is_unavailable() || matches!(error, ClientError::TimedOut { .. }) => {
                    let asked = error.retry_after().unwrap_or_default().min(MAX_RETRY_DELAY);
                    sleep(asked + RETRY_INTERVAL.mul_f64(0.5 + random_unit())).await;
                }
                answer => return answer,
            }
        }
    }
}

impl LiveNames {
    /// Returns the names that the context gets, as far as is known: none before the first event.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Waits for the next event, and brings the names up to date. While the service is unavailable, it waits. An error is
    /// final. Dropping the future loses no event.
    pub async fn next(&mut self) -> Result<(), ClientError> {
        let kind = self.watch.next().await?.kind;
        apply(&mut self.names, kind);
        // One event after the other could add names without end.
        match self.names.len() {
            number if number > MAX_SECRETS => Err(BrokenRule::TooMany { number }.into()),
            _ => Ok(()),
        }
    }
}

/// The request that watches what `request` resolves.
fn watch_request(request: &v1::ResolveRequest) -> v1::WatchRequest {
    v1::WatchRequest {
        context: request.context.clone(),
        secret_ids: request.secret_ids.clone(),
        required_secret_ids: request.required_secret_ids.clone(),
        if_none_match: request.if_none_match.clone(),
        ..Default::default()
    }
}

/// A source of events: a watch, or a test's own.
trait Events {
    /// Waits for the next event, and returns whether it changes what is delivered.
    fn next_changes_delivery(&mut self) -> impl Future<Output = Result<bool, ClientError>> + Send;
}

impl Events for Watch {
    async fn next_changes_delivery(&mut self) -> Result<bool, ClientError> {
        Ok(self.next().await?.delivery_changed)
    }
}

/// Waits until an event changes what is delivered, and no further one has done so for a while.
async fn settle(is_outdated: &mut bool, events: &mut impl Events) -> Result<(), ClientError> {
    while !*is_outdated {
        *is_outdated = events.next_changes_delivery().await?;
    }
    let mut settled = Instant::now() + DEBOUNCE;
    while let Ok(changed) = timeout_at(settled, events.next_changes_delivery()).await {
        if changed? {
            settled = Instant::now() + DEBOUNCE;
        }
    }
    Ok(())
}

/// Brings `names` up to date with an event.
fn apply(names: &mut BTreeSet<String>, event: WatchEventKind) {
    match event {
        WatchEventKind::Set(set) => *names = set.secrets.into_iter().map(|secret| secret.secret_id).collect(),
        WatchEventKind::Changed(change) => {
            names.extend(change.added.into_iter().map(|secret| secret.secret_id));
            names.retain(|name| !change.removed.contains(name));
        }
        WatchEventKind::Unchanged => {}
    }
}

/// Returns the names of the secrets that differ between two sets, ordered.
pub fn changed_names(before: &[ResolvedSecret], after: &[ResolvedSecret]) -> Vec<String> {
    let by_name = |set: &'_ [ResolvedSecret]| -> BTreeMap<_, usize> {
        set.iter().enumerate().map(|(at, secret)| (secret.secret_id().clone(), at)).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let is_same = |name| match (old.get(name), new.get(name)) {
        (Some(old), Some(new)) => {
            before.get(*old).zip(after.get(*new)).is_some_and(|(old, new)| old.delivers_the_same(new))
        }
        _ => false,
    };
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| !is_same(name)).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::{Question, wire_target};

    fn set(secrets: &[(&str, u32, &str)]) -> Vec<ResolvedSecret> {
        let secrets = secrets.iter().map(|(name, version, value)| v1::ResolvedSecret {
            secret: format!("organizations/acme/secrets/{name}"),
            secret_id: (*name).into(),
            version: *version,
            value: (*value).into(),
            scope: v1::ScopeKind::Organization.into(),
            target: Some(wire_target(&secrets_core::Target::EnvironmentVariable)),
            ..Default::default()
        });
        let answer = v1::ResolveResponse {
            secrets: secrets.collect(),
            etag: "e".into(),
            revision: "1.a".into(),
            context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
            ..Default::default()
        };
        ResolvedSet::check(answer, &Question::default()).unwrap().secrets
    }

    #[test]
    fn names_what_is_new_gone_or_different() {
        let before = set(&[("A", 1, "a"), ("B", 1, "b"), ("C", 1, "c"), ("D", 1, "d")]);
        let after = set(&[("A", 1, "a"), ("B", 2, "b2"), ("D", 1, "created anew"), ("E", 1, "e")]);
        assert_eq!(changed_names(&before, &after), ["B", "C", "D", "E"]);
        assert!(changed_names(&before, &before).is_empty());
    }

    /// Seconds from one event to the next, and whether it changes what is delivered: a description does not.
    struct Scripted(std::vec::IntoIter<(f64, bool)>);

    impl Scripted {
        fn new(events: Vec<(f64, bool)>) -> Self {
            Self(events.into_iter())
        }
    }

    impl Events for Scripted {
        async fn next_changes_delivery(&mut self) -> Result<bool, ClientError> {
            let Some((after, changes_delivery)) = self.0.next() else { return std::future::pending().await };
            sleep(Duration::from_secs_f64(after)).await;
            Ok(changes_delivery)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn settles_two_seconds_after_the_last_change() {
        let mut events = Scripted::new(vec![(5.0, false), (1.0, true), (1.5, true), (1.9, true), (1.0, false)]);
        let start = Instant::now();
        settle(&mut false, &mut events).await.unwrap();
        let took = start.elapsed().as_secs_f64();
        assert!((11.4..11.5).contains(&took), "{took}"); // 5 + 1 + 1.5 + 1.9 until the last change, and 2 without one
    }

    #[tokio::test(start_paused = true)]
    async fn remembers_a_change_when_the_wait_was_dropped() {
        let (mut is_outdated, mut events) = (false, Scripted::new(vec![(0.1, true)]));
        let wait = settle(&mut is_outdated, &mut events);
        assert!(tokio::time::timeout(Duration::from_secs(1), wait).await.is_err());
        assert!(is_outdated);
        settle(&mut is_outdated, &mut events).await.unwrap();
    }

    fn watched(names: &[&str]) -> Vec<v1::WatchedSecret> {
        names.iter().map(|name| v1::WatchedSecret { secret_id: (*name).into(), ..Default::default() }).collect()
    }

    #[test]
    fn knows_its_names_through_changes_and_interruptions() {
        let set =
            |names: &[&str]| WatchEventKind::Set(v1::WatchedSet { secrets: watched(names), ..Default::default() });
        let mut names = BTreeSet::new();
        apply(&mut names, set(&["A"]));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["A"]);
        let change = v1::WatchedChange { added: watched(&["B"]), removed: vec!["A".into()], ..Default::default() };
        apply(&mut names, WatchEventKind::Changed(change));
        apply(&mut names, WatchEventKind::Unchanged);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["B"]);
        // After an interruption the whole set comes anew.
        apply(&mut names, set(&["A", "C"]));
        assert_eq!(names.iter().collect::<Vec<_>>(), ["A", "C"]);
    }
}
