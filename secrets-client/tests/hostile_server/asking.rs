//! Commands that ask what is there, without a value: a malformed answer decides nothing.

use secrets_client::v1::watch_response::Event;
use secrets_client::v1::{self, ExplainResponse, ResolveResponse, WatchResponse};

use super::answers::{self, Malformed, answer};
use super::caller::{Caller, expect_harmless};
use crate::support::{HostileService, Reply};

/// The same set as an event of a watch, which has no values.
fn event(answer: ResolveResponse) -> WatchResponse {
    let watched = |secret: v1::ResolvedSecret| {
        let v1::ResolvedSecret { secret, secret_id, target, scope, version, .. } = secret;
        v1::WatchedSecret { secret, secret_id, target, scope, version, ..Default::default() }
    };
    let ResolveResponse { secrets, context, etag, revision, next_change_time, .. } = answer;
    let secrets = secrets.into_iter().map(watched).collect();
    WatchResponse { event: Some(Event::Set(v1::WatchedSet { secrets, context })), etag, revision, next_change_time }
}

/// What the event of an answer breaks for whoever waits for `A`, `B` and `C`; none where it breaks a rule of values, or of what
/// an event does not have.
fn rule_of_event(rule: &'static str) -> Option<&'static str> {
    match rule {
        rule if rule.contains("value") || rule.contains("environment_bytes") || rule.contains("not_modified") => None,
        "`B`: api only was not asked for" => None,
        rule if rule.ends_with("` is reserved") => Some("was not asked for"),
        rule => Some(rule),
    }
}

#[test]
fn a_malformed_event_ends_a_wait_and_its_rule_is_named() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = Caller::of(&service);
    let mut tried = 0;
    for Malformed { answer, rule } in answers::malformed() {
        let Some(rule) = rule_of_event(rule) else { continue };
        let event = event(answer);
        service.answer_with(move |_| Reply::stream(std::slice::from_ref(&event)));
        for line in ["wait A B C --timeout 30s", "-o json wait A B C --timeout 30s"] {
            let ended = caller.run(line);
            assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{rule}: {ended:?}");
            assert!(ended.stderr.contains(rule), "{rule}: {ended:?}");
            expect_harmless(&ended.stderr);
        }
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn a_change_before_the_set_ends_a_wait() {
    let whole = event(answer(vec![answers::variable("A")]));
    let change = v1::WatchedChange { removed: vec!["A".into()], ..Default::default() };
    for first in [Some(Event::Changed(change)), Some(Event::Heartbeat(v1::WatchHeartbeat {})), None] {
        let event = WatchResponse { event: first, ..whole.clone() };
        let service = HostileService::start(move |_| Reply::stream(std::slice::from_ref(&event)));
        let ended = Caller::of(&service).run("wait A --timeout 30s").expect_failure(1);
        assert!(ended.stderr.contains("a watch must begin with the whole set"), "{ended:?}");
    }
}

/// Every way in which an explanation for `A` can break a rule.
fn malformed_explanations() -> Vec<(ExplainResponse, &'static str)> {
    let row = |name: &str| v1::Explanation {
        secret_id: name.into(),
        winner: Some(v1::ExplainedSecret { secret: "organizations/acme/secrets/A".into(), ..Default::default() }),
        ..Default::default()
    };
    let whole = |names: &[&str]| ExplainResponse {
        explanations: names.iter().map(|name| row(name)).collect(),
        context: answer(Vec::new()).context,
        ..Default::default()
    };
    let context = |context: Option<v1::Context>| ExplainResponse { context, ..whole(&["A"]) };
    let many: Vec<String> = (0..4_001).map(|at| format!("A{at}")).collect();
    vec![
        (whole(&["A", "$(touch x)"]), "secret name: invalid character `$`"),
        (whole(&["A\nA"]), "secret name: invalid character U+000A"),
        (whole(&["\u{1b}[2J"]), "secret name: invalid character U+001B"),
        (whole(&[""]), "secret name: names must not be empty"),
        (whole(&["A", "B"]), "`B` was not asked for"),
        (whole(&["A", "A"]), "`A` must be there once"),
        (whole(&many.iter().map(String::as_str).collect::<Vec<_>>()), "at most 4000 secrets (got 4001)"),
        (context(None), "context must be set"),
        (context(Some(v1::Context { organization: "other".into(), ..Default::default() })), "context must be the one"),
        (context(Some(v1::Context { organization: "\u{1b}[2J".into(), ..Default::default() })), "context: invalid"),
    ]
}

#[test]
fn a_malformed_explanation_is_not_shown_and_its_rule_is_named() {
    let service = HostileService::start(|_| Reply::Message(Vec::new()));
    let caller = Caller::of(&service);
    for (answer, rule) in malformed_explanations() {
        service.answer_with(move |_| Reply::message(&answer));
        for line in ["explain A", "check A", "-o json explain A", "-o json check A"] {
            let ended = caller.run(line);
            assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{line}: {rule}: {ended:?}");
            assert!(ended.stderr.contains(rule), "{line}: {rule}: {ended:?}");
            expect_harmless(&ended.stderr);
        }
    }
}

#[test]
fn an_answer_that_breaks_no_rule_is_believed() {
    let service = HostileService::start(|_| Reply::stream(&[event(answer(vec![answers::variable("A")]))]));
    let caller = Caller::of(&service);
    caller.run("wait A --timeout 30s").expect_success("wait");
    let (mut explanation, _) = malformed_explanations().swap_remove(0);
    explanation.explanations.truncate(1);
    service.answer_with(move |_| Reply::message(&explanation));
    for line in ["explain A", "check A", "explain", "explain A --without-user"] {
        caller.run(line).expect_success(line);
    }
}
