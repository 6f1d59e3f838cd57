//! What the pages of a list of exposure say together: a secret may be on several of them.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::Timestamp;
use secrets_client::v1::{ExposureState, ListExposureResponse, ReceivedSecret};
use serde_json::{Value, json};

use crate::ui::error::{CliError, ExitCode};
use crate::ui::output::json;

/// A page may be empty although more follow: after so many the rest is left, however many the service promises. They have looked
/// through ten million events.
pub(super) const MAX_PAGES: usize = 1_000;
/// More than what is kept of the longest list takes.
const MAX_BYTES: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// More than any organization has in use; each takes memory beside what it says.
const MAX_SECRETS: usize = 100_000;
/// More than there are methods that deliver.
const MAX_ACTIONS: usize = 100;

/// What somebody received, by the secret's uid.
#[derive(Debug, Default)]
pub(super) struct Received {
    secrets: BTreeMap<String, ReceivedSecret>,
    /// How much of what came is kept.
    bytes: usize,
    pages: usize,
    pub(super) complete_since: Option<Timestamp>,
    pub(super) sessions_complete_since: Option<Timestamp>,
    /// There are more copies than the service looks at.
    pub(super) copies_incomplete: bool,
}

impl Received {
    pub(super) const fn pages(&self) -> usize {
        self.pages
    }

    /// Adds a page; returns the token of the next one. Refuses more than any service has to tell.
    pub(super) fn add(&mut self, page: ListExposureResponse) -> Result<String, CliError> {
        self.pages += 1;
        self.complete_since = later(self.complete_since, page.complete_since);
        self.sessions_complete_since = later(self.sessions_complete_since, page.sessions_complete_since);
        self.copies_incomplete |= page.copies_incomplete;
        for mut secret in page.secrets {
            // One entry after the other: a page can be as large as all may be together.
            if self.bytes > MAX_BYTES || self.secrets.len() > MAX_SECRETS {
                break;
            }
            secret.actions.truncate(MAX_ACTIONS);
            match self.secrets.get_mut(&secret.uid) {
                Some(known) => {
                    let before = known.encoded_len();
                    merge(known, secret);
                    self.bytes = (self.bytes + known.encoded_len()).saturating_sub(before);
                }
                None => {
                    self.bytes += secret.encoded_len();
                    self.secrets.insert(secret.uid.clone(), secret);
                }
            }
        }
        match self.bytes > MAX_BYTES || self.secrets.len() > MAX_SECRETS {
            true => Err(CliError::new(ExitCode::Failed, "the service's list is longer than any should be")),
            false => Ok(page.next_page_token),
        }
    }

    /// What is still in use, by scope and name; those without a name come last.
    pub(super) fn current(&self) -> impl Iterator<Item = &ReceivedSecret> {
        let mut current: Vec<_> = self.secrets.values().filter(|secret| is_current(secret)).collect();
        current.sort_by_key(|secret| (secret.secret.is_empty(), &secret.secret, &secret.uid));
        current.into_iter()
    }

    /// Of how many secrets this is left.
    pub(super) fn count(&self, state: ExposureState) -> usize {
        self.secrets.values().filter(|secret| secret.state() == state).count()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "secrets": self.current().map(json::received_secret).collect::<Vec<_>>(),
            "replaced": self.count(ExposureState::Replaced),
            "inactive": self.count(ExposureState::Inactive),
            "deleted": self.count(ExposureState::Deleted),
            "complete_since": json::time(self.complete_since.as_ref()),
            "sessions_complete_since": json::time(self.sessions_complete_since.as_ref()),
            "copies_incomplete": self.copies_incomplete,
        })
    }
}

/// Of two events, one on each of two pages, what is said about the value that the secret has counts; about others nothing is shown.
fn merge(known: &mut ReceivedSecret, other: ReceivedSecret) {
    match rank(known).cmp(&rank(&other)) {
        std::cmp::Ordering::Greater => {}
        std::cmp::Ordering::Less => *known = other,
        std::cmp::Ordering::Equal => {
            known.version = known.version.max(other.version);
            if other.copied_from.is_empty() {
                known.copied_from.clear();
            }
            known.first_time = earlier(known.first_time, other.first_time);
            known.last_time = later(known.last_time, other.last_time);
            known.count = known.count.saturating_add(other.count);
            let actions: BTreeSet<String> =
                std::mem::take(&mut known.actions).into_iter().chain(other.actions).collect();
            known.actions = actions.into_iter().take(MAX_ACTIONS).collect();
        }
    }
}

/// A state that this version does not know is shown: what has to be replaced must not be missing.
fn is_current(secret: &ReceivedSecret) -> bool {
    rank(secret) == 3
}

fn rank(secret: &ReceivedSecret) -> u8 {
    match secret.state() {
        ExposureState::Deleted => 0,
        ExposureState::Replaced => 1,
        ExposureState::Inactive => 2,
        ExposureState::Current | ExposureState::Unspecified => 3,
    }
}

fn later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().max_by_key(|time| (time.seconds, time.nanos))
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min_by_key(|time| (time.seconds, time.nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    fn secret(version: u32, state: i32, time: i64, action: &str) -> ReceivedSecret {
        ReceivedSecret {
            secret: "organizations/acme/secrets/A".into(),
            uid: "u".into(),
            version,
            state,
            first_time: at(time),
            last_time: at(time),
            count: 1,
            actions: vec![action.into()],
            copied_from: String::new(),
        }
    }

    fn page(secret: ReceivedSecret) -> ListExposureResponse {
        ListExposureResponse { secrets: vec![secret], next_page_token: "next".into(), ..Default::default() }
    }

    #[test]
    fn a_secret_of_several_pages_is_shown_once() {
        let mut received = Received::default();
        let (current, replaced) = (ExposureState::Current as i32, ExposureState::Replaced as i32);
        for page in [
            page(secret(2, replaced, 30, "b")),
            page(secret(3, current, 20, "b")),
            page(secret(1, replaced, 5, "b")),
            page(secret(3, current, 10, "a")),
        ] {
            assert_eq!(received.add(page).unwrap(), "next");
        }
        let shown: Vec<_> = received.current().cloned().collect();
        let merged = ReceivedSecret {
            first_time: at(10),
            last_time: at(20),
            count: 2,
            actions: vec!["a".into(), "b".into()],
            ..secret(3, current, 0, "")
        };
        assert_eq!(shown, [merged]);
        assert_eq!((received.count(ExposureState::Replaced), received.pages()), (0, 4));
    }

    #[test]
    fn what_a_newer_service_says_is_shown() {
        let mut received = Received::default();
        received.add(page(secret(1, 99, 0, "a"))).unwrap();
        assert_eq!(received.current().count(), 1);
    }

    #[test]
    fn a_list_that_grows_without_end_is_refused() {
        let mut received = Received::default();
        let mut pages = 0_u32;
        let grown = loop {
            pages += 1;
            // Another secret each time.
            let uid = format!("{pages}{}", "x".repeat(1_000));
            match received.add(page(ReceivedSecret { uid, ..secret(1, 1, 0, "a") })) {
                Ok(_) if pages < 10_000 => {}
                result => break result,
            }
        };
        assert!(grown.is_err() && pages < 2_000, "{pages}");
    }

    #[test]
    fn a_secret_has_no_more_actions_than_any_service_has() {
        let mut received = Received::default();
        for at in 0..1_000 {
            let mut page = page(secret(1, 1, 0, ""));
            page.secrets[0].actions = (0..1_000).map(|action| format!("{at}-{action}")).collect();
            received.add(page).unwrap();
        }
        let shown: Vec<_> = received.current().map(|secret| (secret.count, secret.actions.len())).collect();
        assert_eq!(shown, [(1_000, MAX_ACTIONS)]);
    }
}
