//! The events of a watch, which name secrets and hold no value.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::{ContextName, Destination, NamePolicy, SecretId, Target};
use secrets_proto::v1;
use secrets_proto::v1::watch_response::Event;

use super::broken_rule::BrokenRule;
use super::metadata::{self, Checked};
use super::question::Question;
use super::{MAX_SECRETS, text};

/// Checks an event, of a stream its first or a later one, and takes out of it what this version does not know.
pub(crate) fn check_event(
    event: &mut v1::WatchResponse,
    question: &Question,
    is_first: bool,
) -> Result<(), BrokenRule> {
    check_order(event.event.as_ref(), question, is_first)?;
    text::token("etag", &event.etag)?;
    text::token("revision", &event.revision)?;
    text::time("next_change_time", event.next_change_time.as_ref())?;
    match &mut event.event {
        Some(Event::Set(set)) => {
            let context = question.context(set.context.as_ref())?;
            EventCheck::new(question, Some(&context)).secrets(&mut set.secrets)
        }
        Some(Event::Changed(change)) => {
            let mut check = EventCheck::new(question, None);
            check.secrets(&mut change.added)?;
            check.secrets(&mut change.updated)?;
            check.names(&change.removed)
        }
        Some(Event::Heartbeat(_)) | None => Ok(()),
    }
}

/// A change of a set that the caller does not have is none that a caller could apply.
fn check_order(event: Option<&Event>, question: &Question, is_first: bool) -> Result<(), BrokenRule> {
    let is_in_order = match event {
        Some(Event::Set(_)) => is_first,
        Some(Event::Heartbeat(_)) => !is_first || question.has_etag,
        Some(Event::Changed(_)) | None => !is_first,
    };
    if is_in_order { Ok(()) } else { Err(BrokenRule::EventOrder) }
}

struct EventCheck<'a> {
    question: &'a Question,
    /// That of a whole set. A change comes without: a workspace that was transferred gets the secrets of another user.
    context: Option<&'a ContextName>,
    seen: BTreeSet<SecretId>,
    destinations: BTreeMap<Destination, SecretId>,
}

impl<'a> EventCheck<'a> {
    const fn new(question: &'a Question, context: Option<&'a ContextName>) -> Self {
        Self { question, context, seen: BTreeSet::new(), destinations: BTreeMap::new() }
    }

    fn secrets(&mut self, secrets: &mut Vec<v1::WatchedSecret>) -> Result<(), BrokenRule> {
        bound(secrets.len())?;
        let mut unknown = BTreeSet::new();
        for secret in secrets.iter() {
            text::time("expire_time", secret.expire_time.as_ref())?;
            match metadata::check(secret.into(), self.question, self.context)? {
                Checked::Known(metadata) => {
                    self.claim_destination(&metadata.name.secret_id, &metadata.target)?;
                    self.claim(metadata.name.secret_id)?;
                }
                Checked::LeftOut(left_out) => {
                    unknown.insert(left_out.secret_id.to_string());
                    self.claim(left_out.secret_id)?;
                }
            }
        }
        secrets.retain(|secret| !unknown.contains(&secret.secret_id));
        Ok(())
    }

    fn names(&mut self, names: &[String]) -> Result<(), BrokenRule> {
        bound(names.len())?;
        for name in names {
            let name = SecretId::parse(name, NamePolicy::Relaxed)?;
            if !self.question.permits(&name) {
                return Err(BrokenRule::NotRequested { name });
            }
            self.claim(name)?;
        }
        Ok(())
    }

    fn claim_destination(&mut self, name: &SecretId, target: &Target) -> Result<(), BrokenRule> {
        let Some(destination) = target.destination(name) else { return Ok(()) };
        match self.destinations.insert(destination, name.clone()) {
            Some(other) if other != *name => Err(BrokenRule::SameDestination { other, name: name.clone() }),
            _ => Ok(()),
        }
    }

    fn claim(&mut self, name: SecretId) -> Result<(), BrokenRule> {
        if self.seen.insert(name.clone()) { Ok(()) } else { Err(BrokenRule::Repeated { name }) }
    }
}

fn bound(number: usize) -> Result<(), BrokenRule> {
    if number > MAX_SECRETS { Err(BrokenRule::TooMany { number }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use secrets_core::FileMode;

    use super::*;
    use crate::validation::wire_target;

    fn secret(name: &str) -> v1::WatchedSecret {
        v1::WatchedSecret {
            secret: format!("organizations/acme/secrets/{name}"),
            secret_id: name.into(),
            target: Some(wire_target(&Target::EnvironmentVariable)),
            scope: v1::ScopeKind::Organization.into(),
            version: 1,
            ..Default::default()
        }
    }

    fn file(name: &str) -> v1::WatchedSecret {
        let target = Target::File { path: "/run/a".parse().unwrap(), mode: FileMode::default() };
        v1::WatchedSecret { target: Some(wire_target(&target)), ..secret(name) }
    }

    fn event(event: Event) -> v1::WatchResponse {
        v1::WatchResponse { event: Some(event), etag: "e".into(), revision: "1.a".into(), ..Default::default() }
    }

    fn heartbeat() -> v1::WatchResponse {
        event(Event::Heartbeat(v1::WatchHeartbeat {}))
    }

    fn set(secrets: Vec<v1::WatchedSecret>) -> v1::WatchResponse {
        let context = Some(v1::Context { organization: "acme".into(), ..Default::default() });
        event(Event::Set(v1::WatchedSet { secrets, context }))
    }

    fn changed(added: &[&str], updated: &[&str], removed: &[&str]) -> v1::WatchResponse {
        let secrets = |names: &[&str]| names.iter().map(|name| secret(name)).collect();
        event(Event::Changed(v1::WatchedChange {
            added: secrets(added),
            updated: secrets(updated),
            removed: removed.iter().map(|name| (*name).to_owned()).collect(),
            delivery_changed: true,
        }))
    }

    #[test]
    fn accepts_what_the_service_sends() {
        let known = Question::from(&v1::WatchRequest { if_none_match: "e".into(), ..Default::default() });
        for (mut event, question, is_first) in [
            (set(vec![secret("A"), secret("B")]), Question::default(), true),
            (heartbeat(), known, true),
            (changed(&["A"], &["B"], &["C"]), Question::default(), false),
            (heartbeat(), Question::default(), false),
            (v1::WatchResponse { event: None, ..heartbeat() }, Question::default(), false),
        ] {
            let sent = event.clone();
            check_event(&mut event, &question, is_first).unwrap();
            assert_eq!(event, sent);
        }
    }

    #[test]
    fn refuses_an_event_that_breaks_a_rule() {
        let asked = Question::from(&v1::WatchRequest { secret_ids: vec!["A".into()], ..Default::default() });
        for (mut event, question, rule) in [
            (set(vec![secret("A"), secret("A")]), Question::default(), "`A` must be there once"),
            (set(vec![secret("PATH")]), Question::default(), "`PATH` is reserved"),
            (set(vec![secret("B")]), asked.clone(), "`B` was not asked for"),
            (set(vec![file("A"), file("B")]), Question::default(), "`A` and `B` must not have the same target"),
            (changed(&["A"], &["A"], &[]), Question::default(), "`A` must be there once"),
            (changed(&[], &[], &["B"]), asked.clone(), "`B` was not asked for"),
            (changed(&[], &[], &["\u{1b}[2J"]), Question::default(), "secret name: invalid character U+001B"),
            (v1::WatchResponse { etag: String::new(), ..set(vec![]) }, Question::default(), "etag must be"),
        ] {
            let is_first = matches!(event.event, Some(Event::Set(_)));
            let error = check_event(&mut event, &question, is_first).unwrap_err().to_string();
            assert!(error.contains(rule), "{rule}: {error}");
        }
    }

    #[test]
    fn refuses_an_event_out_of_order() {
        for (mut event, is_first) in [
            (set(vec![]), false),
            (changed(&["A"], &[], &[]), true),
            (heartbeat(), true),
            (v1::WatchResponse { event: None, ..heartbeat() }, true),
        ] {
            assert_eq!(check_event(&mut event, &Question::default(), is_first), Err(BrokenRule::EventOrder));
        }
    }

    #[test]
    fn takes_out_what_it_does_not_know() {
        let unknown = v1::WatchedSecret { target: Some(v1::Target { kind: None }), ..secret("A") };
        let mut event = set(vec![unknown, secret("B")]);
        check_event(&mut event, &Question::default(), true).unwrap();
        assert_eq!(event, set(vec![secret("B")]));
    }
}
