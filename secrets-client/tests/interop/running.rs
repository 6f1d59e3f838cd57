//! The scenario through the Rust library.

use std::time::Duration;

use secrets_client::{Client, ClientError, Credential, v1};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::fit;
use super::methods::Method;
use super::scenario::{Scenario, Step};
use super::service::Service;
use super::words::{Words, at};

pub(crate) struct Run {
    endpoint: String,
    authority: Vec<u8>,
    words: Words,
}

impl Run {
    pub(crate) fn against(service: &Service) -> Self {
        let mut words = Words::default();
        words.keep("organization", "rust");
        words.keep("operator", std::fs::read_to_string(service.operator_token()).unwrap().trim());
        Self { endpoint: service.endpoint(), authority: std::fs::read(service.authority()).unwrap(), words }
    }

    /// Does every step; the first failure is told with its number, from 1, and ends it.
    pub(crate) async fn whole(&mut self, scenario: &Scenario) -> Result<(), String> {
        for (position, step) in scenario.steps.iter().enumerate() {
            self.step(step).await.map_err(|why| format!("{} {}: {why}", position + 1, step.name))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let expected = step.expect.as_ref().map(|expected| self.words.fill_object(expected));
        let end = Instant::now() + Duration::from_secs(step.within_seconds);
        let came = loop {
            let came = self.send(step).await;
            match fit::outcome(expected.as_ref(), &came) {
                Ok(()) => break came,
                Err(why) if Instant::now() >= end => return Err(why),
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        };
        for (name, path) in &step.keep {
            let kept = at(&came["response"], path).and_then(Value::as_str);
            self.words.keep(name, kept.ok_or_else(|| format!("no text at `{path}` in {came}"))?);
        }
        Ok(())
    }

    async fn send(&self, step: &Step) -> Value {
        let client = self.client(step.actor.as_deref());
        let answer = match (&step.call, &step.resolve) {
            (Some(call), None) => {
                let method = Method::named(call);
                let request = method.request(&self.words.fill(&step.request));
                method.call(&client, &request).await.map(|response| json!({ "response": response }))
            }
            (None, Some(request)) => {
                let request = Method::named("ResolveService/Resolve").request(&self.words.fill(request));
                let resolved = client.resolve(request.transcode_to().unwrap()).await;
                resolved.map(|set| json!({ "environment": environment(&set.secrets) }))
            }
            _ => panic!("{}: one of `call` and `resolve`", step.name),
        };
        answer.unwrap_or_else(|error| json!({ "error": told(&error) }))
    }

    fn client(&self, actor: Option<&str>) -> Client {
        let mut builder = Client::builder(&self.endpoint).certificate_authority(self.authority.clone());
        if let Some(actor) = actor {
            builder = builder.credential(Credential::parse(self.words.get(actor)).unwrap());
        }
        builder.build().unwrap()
    }
}

/// The variables of a resolved set.
fn environment(secrets: &[secrets_client::ResolvedSecret]) -> Map<String, Value> {
    let variables =
        secrets.iter().filter(|secret| matches!(secret.target.kind, Some(v1::target::Kind::EnvironmentVariable(_))));
    variables.map(|secret| (secret.secret_id.clone(), String::from_utf8_lossy(secret.expose()).into())).collect()
}

fn told(error: &ClientError) -> Value {
    let reason = error.reason().map_or("", |reason| reason.as_str_name().trim_start_matches("ERROR_REASON_"));
    let metadata = error.answer().map(|answer| answer.metadata.clone()).unwrap_or_default();
    json!({ "code": code_name(error.code()), "reason": reason, "metadata": metadata })
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
