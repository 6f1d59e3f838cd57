//! The events of a watch, which name secrets and hold no value.

use std::collections::BTreeSet;

use secrets_core::{ContextName, NamePolicy, SecretId};
use secrets_proto::v1;
use secrets_proto::v1::watch_response::Event;

use super::broken_rule::BrokenRule;
use super::metadata::{self, Checked};
use super::question::Question;
use super::{MAX_SECRETS, text};

/// Checks an event, and takes out of it what this version does not know.
pub(crate) fn check_event(event: &mut v1::WatchResponse, question: &Question) -> Result<(), BrokenRule> {
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

struct EventCheck<'a> {
    question: &'a Question,
    context: Option<&'a ContextName>,
    seen: BTreeSet<SecretId>,
}

impl<'a> EventCheck<'a> {
    const fn new(question: &'a Question, context: Option<&'a ContextName>) -> Self {
        Self { question, context, seen: BTreeSet::new() }
    }

    fn secrets(&mut self, secrets: &mut Vec<v1::WatchedSecret>) -> Result<(), BrokenRule> {
        bound(secrets.len())?;
        let mut unknown = BTreeSet::new();
        for secret in secrets.iter() {
            text::time("expire_time", secret.expire_time.as_ref())?;
            match metadata::check(secret.into(), self.question, self.context)? {
                Checked::Known(metadata) => self.claim(metadata.name.secret_id)?,
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
            self.claim(SecretId::parse(name, NamePolicy::Relaxed)?)?;
        }
        Ok(())
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
    use secrets_core::Target;

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

    fn event(event: Event) -> v1::WatchResponse {
        v1::WatchResponse { event: Some(event), etag: "e".into(), revision: "1.a".into(), ..Default::default() }
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
        for mut event in [
            set(vec![secret("A"), secret("B")]),
            changed(&["A"], &["B"], &["C"]),
            event(Event::Heartbeat(v1::WatchHeartbeat {})),
        ] {
            let sent = event.clone();
            check_event(&mut event, &Question::default()).unwrap();
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
            (changed(&["A"], &["A"], &[]), Question::default(), "`A` must be there once"),
            (changed(&[], &[], &["\u{1b}[2J"]), Question::default(), "secret name: invalid character U+001B"),
            (v1::WatchResponse { etag: String::new(), ..set(vec![]) }, Question::default(), "etag must be"),
        ] {
            let error = check_event(&mut event, &question).unwrap_err().to_string();
            assert!(error.contains(rule), "{rule}: {error}");
        }
    }

    #[test]
    fn takes_out_what_it_does_not_know() {
        let unknown = v1::WatchedSecret { target: Some(v1::Target { kind: None }), ..secret("A") };
        let mut event = set(vec![unknown, secret("B")]);
        check_event(&mut event, &Question::default()).unwrap();
        assert_eq!(event, set(vec![secret("B")]));
    }
}
