//! Another set, each time that something else is delivered: what `run --watch` and `materialize --watch` sit on.
//!
//! Whoever uses it goes on with what it has while the service is away, and for good when the right to more has ended.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use secrets_client::{ClientError, Resolved, ResolvedSecret, Watch, v1};
use tokio::time::{Instant, sleep, timeout_at};

use super::App;
use super::kept_session::SessionKeepalive;
use crate::args::scope::ContextArgs;
use crate::ui::error::{CliError, ExitCode};

/// Changes seldom come alone: nothing happens until there was none for this long.
const CALM: Duration = Duration::from_secs(2);
/// Between two attempts to get a set from a service that is away.
const AGAIN: Duration = Duration::from_secs(3);

/// The changes of what a context gets.
pub(crate) struct Changes<'a> {
    app: &'a App,
    context: &'a ContextArgs,
    only: &'a [String],
    /// Identifies the set that the caller has.
    etag: String,
    /// None until the service has been asked once.
    open: Option<Open>,
    /// At most this long, at random, passes before another set is asked for.
    splay: Duration,
    has_ended: bool,
}

struct Open {
    request: v1::ResolveRequest,
    watch: Watch,
    _session: SessionKeepalive,
}

/// What comes of a change.
pub(crate) enum News {
    /// Another set.
    Set(Box<Resolved>),
    /// The set of this time can't be had, and asking again would not help. The next one may do.
    Refused(CliError),
    /// There will be no more news.
    Ended(CliError),
}

impl<'a> Changes<'a> {
    /// The changes of a set that was received with the same arguments; `etag` identifies it.
    pub(crate) fn since(
        etag: &str,
        app: &'a App,
        context: &'a ContextArgs,
        only: &'a [String],
        splay: Option<Duration>,
    ) -> Self {
        let splay = splay.unwrap_or_default();
        Self { app, context, only, etag: etag.to_owned(), open: None, splay, has_ended: false }
    }

    /// The next news: when something else would be delivered, it has been calm since, and the new set is there.
    pub(crate) async fn next(&mut self) -> News {
        if self.has_ended {
            return std::future::pending().await;
        }
        loop {
            if let Err(failure) = self.calm_after_change().await {
                self.has_ended = true;
                return News::Ended(failure);
            }
            sleep(self.splay.mul_f64(random_unit())).await;
            match self.resolve().await {
                Ok(set) if set.not_modified => {} // changed, and changed back
                Ok(set) => {
                    self.etag.clone_from(&set.etag);
                    return News::Set(Box::new(set));
                }
                Err(failure) => return News::Refused(failure),
            }
        }
    }

    async fn calm_after_change(&mut self) -> Result<(), CliError> {
        let watch = &mut self.open().await?.watch;
        calm_after(async || Ok(watch.next().await?.delivery_changed)).await
    }

    /// The set as it is now, however long the service is away.
    async fn resolve(&mut self) -> Result<Resolved, CliError> {
        let (app, if_none_match) = (self.app, self.etag.clone());
        let request = v1::ResolveRequest { if_none_match, ..self.open().await?.request.clone() };
        loop {
            match app.client()?.resolve(request.clone()).await {
                Err(error) if is_away(&error) => pause().await,
                answer => return Ok(answer?),
            }
        }
    }

    /// The open watch. Which context is meant may be for the service to say, which may be away.
    async fn open(&mut self) -> Result<&mut Open, CliError> {
        while self.open.is_none() {
            let context = match self.app.context(self.context).await {
                Err(failure) if failure.exit == ExitCode::Unavailable => {
                    pause().await;
                    continue;
                }
                context => context?,
            };
            let request = v1::ResolveRequest {
                context,
                secret_ids: self.only.to_vec(),
                required_secret_ids: self.only.to_vec(),
                ..Default::default()
            };
            let watch = self.app.client()?.watch(v1::WatchRequest {
                context: request.context.clone(),
                secret_ids: request.secret_ids.clone(),
                required_secret_ids: request.required_secret_ids.clone(),
                if_none_match: self.etag.clone(),
                ..Default::default()
            });
            self.open = Some(Open { request, watch, _session: self.app.keep_session()? });
        }
        self.open.as_mut().ok_or_else(|| CliError::new(ExitCode::Failed, "there is no watch"))
    }
}

/// Returns once an event says that something else is delivered, and no other has said so for a while.
async fn calm_after(mut delivers_another: impl AsyncFnMut() -> Result<bool, CliError>) -> Result<(), CliError> {
    while !delivers_another().await? {}
    let mut calm = Instant::now() + CALM;
    while let Ok(another) = timeout_at(calm, delivers_another()).await {
        if another? {
            calm = Instant::now() + CALM;
        }
    }
    Ok(())
}

async fn pause() {
    sleep(AGAIN.mul_f64(0.5 + random_unit())).await;
}

fn is_away(error: &ClientError) -> bool {
    error.is_unavailable() || matches!(error, ClientError::TimedOut { .. })
}

/// The names of what is not the same in two sets, ordered.
pub(crate) fn changed_names(before: &[ResolvedSecret], after: &[ResolvedSecret]) -> Vec<String> {
    let by_name = |set: &[ResolvedSecret]| -> BTreeMap<String, String> {
        let identity = |secret: &ResolvedSecret| {
            format!("{} {} {:?} {:?}", secret.resource, secret.version, secret.redaction, secret.target)
        };
        set.iter().map(|secret| (secret.secret_id.clone(), identity(secret))).collect()
    };
    let same_value = |name: &str| {
        let value = |set: &'_ [ResolvedSecret]| {
            set.iter().find(|secret| secret.secret_id == name).map(|secret| secret.expose().to_vec())
        };
        value(before).map(zeroize::Zeroizing::new) == value(after).map(zeroize::Zeroizing::new)
    };
    let (old, new) = (by_name(before), by_name(after));
    let mut names: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| old.get(name) != new.get(name) || !same_value(name));
    names
}

/// A number from 0 to 1, for what many do and should not do at the same time.
fn random_unit() -> f64 {
    // Each has keys of its own, drawn at random.
    f64::from(u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, version: u32, value: &str) -> ResolvedSecret {
        v1::ResolvedSecret { secret_id: name.into(), version, value: value.into(), ..Default::default() }.into()
    }

    #[test]
    fn names_what_is_new_gone_or_another() {
        let before = [secret("A", 1, "a"), secret("B", 1, "b"), secret("C", 1, "c"), secret("D", 1, "d")];
        let after = [secret("A", 1, "a"), secret("B", 2, "b2"), secret("D", 1, "made anew"), secret("E", 1, "e")];
        assert_eq!(changed_names(&before, &after), ["B", "C", "D", "E"]);
        assert!(changed_names(&before, &before).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn settles_for_two_seconds_after_the_last_change() {
        // Seconds from one event to the next, and whether it changes what is delivered: a description does not.
        let mut events = [(5.0, false), (1.0, true), (1.5, true), (1.9, true), (1.0, false)].into_iter();
        let begun = Instant::now();
        let next = async || match events.next() {
            Some((after, delivers_another)) => {
                sleep(Duration::from_secs_f64(after)).await;
                Ok(delivers_another)
            }
            None => std::future::pending().await,
        };
        calm_after(next).await.unwrap();
        let took = begun.elapsed().as_secs_f64();
        assert!((11.4..11.5).contains(&took), "{took}"); // 5 + 1 + 1.5 + 1.9 until the last change, and 2 of calm
    }

    #[test]
    fn draws_from_the_whole_of_the_splay() {
        let drawn: Vec<f64> = (0..64).map(|_| random_unit()).collect();
        assert!(drawn.iter().all(|unit| (0.0..=1.0).contains(unit)));
        assert!(drawn.iter().any(|unit| *unit < 0.5) && drawn.iter().any(|unit| *unit >= 0.5));
    }
}
