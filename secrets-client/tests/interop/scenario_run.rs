//! The scenario through the Rust library.

use std::time::Duration;

use secrets_client::v1::watch_response::Event;
use secrets_client::{Client, ClientError, Credential, Watch, WatchEvent, WatchEventKind, v1};
use secrets_core::Target;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::expectation;
use super::kept_values::{KeptValues, at};
use super::methods::Method;
use super::scenario::{Scenario, Step};
use crate::support::TlsServer;

/// Longer than an event may take to arrive.
const EVENT_TIMEOUT: Duration = Duration::from_secs(40);

/// A run of the scenario.
pub(crate) struct ScenarioRun {
    endpoint: String,
    authority: Vec<u8>,
    kept: KeptValues,
}

impl ScenarioRun {
    pub(crate) fn new(server: &TlsServer) -> Self {
        let mut kept = KeptValues::default();
        kept.keep("organization", "rust");
        kept.keep("operator", std::fs::read_to_string(server.operator_token()).unwrap().trim());
        Self { endpoint: server.endpoint(), authority: std::fs::read(server.authority()).unwrap(), kept }
    }

    /// Runs every step. The first failure ends the run; its text begins with the number of the step, from 1.
    pub(crate) async fn run(&mut self, scenario: &Scenario) -> Result<(), String> {
        for (position, step) in scenario.steps.iter().enumerate() {
            self.step(step).await.map_err(|why| format!("{} {}: {why}", position + 1, step.name))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let expected = step.expect.as_ref().map(|expected| self.kept.fill_object(expected));
        let end = Instant::now() + Duration::from_secs(step.within_seconds);
        let outcome = loop {
            let outcome = self.send(step).await;
            match expectation::check(expected.as_ref(), &outcome) {
                Ok(()) => break outcome,
                Err(why) if Instant::now() >= end => return Err(why),
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        };
        for (name, path) in &step.keep {
            let kept = at(&outcome["response"], path).and_then(Value::as_str);
            self.kept.keep(name, kept.ok_or_else(|| format!("no text at `{path}` in {outcome}"))?);
        }
        Ok(())
    }

    async fn send(&mut self, step: &Step) -> Value {
        let client = self.client(step.actor.as_deref());
        let answer = match (&step.call, &step.resolve, &step.watch) {
            (Some(call), None, None) => {
                let method = Method::named(call);
                let request = method.request(&self.kept.fill(&step.request));
                method.call(&client, &request).await.map(|response| json!({ "response": response }))
            }
            (None, Some(request), None) => {
                let request = Method::named("ResolveService/Resolve").request(&self.kept.fill(request));
                let resolved = client.resolve(request.transcode_to().unwrap()).await;
                resolved.map(|set| json!({ "environment": environment(&set.secrets) }))
            }
            (None, None, Some(request)) => {
                let request = Method::named("ResolveService/Watch").request(&self.kept.fill(request));
                let watch = client.watch(request.transcode_to().unwrap());
                self.watch(watch, step).await.map(|events| json!({ "events": events }))
            }
            _ => panic!("{}: one of `call`, `resolve` and `watch`", step.name),
        };
        answer.unwrap_or_else(|error| json!({ "error": error_json(&error) }))
    }

    /// Reads as many events as the step expects, or, when it expects none, to the watch's end.
    async fn watch(&mut self, mut watch: Watch, step: &Step) -> Result<Vec<Value>, ClientError> {
        let expected = step.expect.as_ref().and_then(|expect| expect.get("events"));
        let count = expected.and_then(Value::as_array).map_or(usize::MAX, Vec::len);
        let mut events = vec![event_json(watch.next().await?)];
        for inner in &step.then {
            Box::pin(self.step(inner)).await.unwrap_or_else(|why| panic!("{}: {why}", inner.name));
        }
        while events.len() < count {
            let next = tokio::time::timeout(EVENT_TIMEOUT, watch.next()).await;
            events.push(event_json(
                next.unwrap_or_else(|_| panic!("{}: no event within the time; events before: {events:?}", step.name))?,
            ));
        }
        Ok(events)
    }

    fn client(&self, actor: Option<&str>) -> Client {
        let mut builder = Client::builder(&self.endpoint).certificate_authority(self.authority.clone());
        if let Some(actor) = actor {
            builder = builder.credential(Credential::parse(self.kept.get(actor)).unwrap());
        }
        builder.build().unwrap()
    }
}

/// The variables of a resolved set.
pub(crate) fn environment(secrets: &[secrets_client::ResolvedSecret]) -> Map<String, Value> {
    let variables = secrets.iter().filter(|secret| matches!(secret.target, Target::EnvironmentVariable));
    variables.map(|secret| (secret.secret_id().to_string(), String::from_utf8_lossy(secret.expose()).into())).collect()
}

fn event_json(event: WatchEvent) -> Value {
    let method = Method::named("ResolveService/Watch");
    let event_kind = match event.kind {
        WatchEventKind::Set(set) => Event::Set(set),
        WatchEventKind::Changed(changed) => Event::Changed(changed),
        WatchEventKind::Unchanged => Event::Heartbeat(v1::WatchHeartbeat {}),
    };
    method.json(&v1::WatchResponse {
        event: Some(event_kind),
        etag: event.etag,
        revision: event.revision,
        next_change_time: event.next_change_time,
    })
}

fn error_json(error: &ClientError) -> Value {
    let reason = error.reason().map_or("", |reason| reason.as_str_name().trim_start_matches("ERROR_REASON_"));
    let metadata = error.answer().map(|answer| answer.metadata.clone()).unwrap_or_default();
    json!({ "code": code_name(error.code()), "reason": reason, "metadata": metadata, "message": error.to_string() })
}

/// `NOT_FOUND` of `NotFound`.
pub(crate) fn code_name(code: tonic::Code) -> String {
    let mut name = String::new();
    for character in format!("{code:?}").chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}
