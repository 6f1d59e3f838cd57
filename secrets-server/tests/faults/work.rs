//! One client's work: it creates, updates and imports secrets in a project of its own, and knows of each what was
//! acknowledged. From that it knows what must be there, whatever happened to the server.

use std::collections::BTreeMap;
use std::time::Duration;

use secrets_proto::v1::{self, import_secrets_request};
use tonic::{Code, Status};

use super::server::{Server, code_and_reason, create, eventually, request_id, update};

/// By name: the value and the version.
pub type State = BTreeMap<String, (String, u32)>;

/// How many secrets one import brings.
const SECRETS_PER_IMPORT: usize = 5;

/// A client and all that it knows.
pub struct Worker {
    pub token: String,
    pub project: String,
    /// What must be there by what was acknowledged.
    pub state: State,
    /// The last acknowledged step, and its answer.
    pub last: Option<(Step, Answer)>,
    begun: usize,
}

/// One request of the work, the same when it is repeated.
#[derive(Clone, Debug)]
pub enum Step {
    Create(v1::CreateSecretRequest),
    Update(v1::UpdateSecretRequest),
    Import(v1::ImportSecretsRequest),
}

/// What it was answered with.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Created(v1::CreateSecretResponse),
    Updated(v1::UpdateSecretResponse),
    Imported(v1::ImportSecretsResponse),
}

impl Worker {
    pub fn new(token: &str, project: &str) -> Self {
        Self { token: token.into(), project: project.into(), state: State::new(), last: None, begun: 0 }
    }

    fn parent(&self) -> String {
        format!("organizations/acme/projects/{}", self.project)
    }

    /// The next thing to do: create a secret, give it another value, import some more.
    pub fn next(&mut self) -> Step {
        let (round, parent) = (self.begun / 3, self.parent());
        let value = |kind: &str| format!("{kind}-{}-{round}", self.project);
        let step = match self.begun % 3 {
            0 => Step::Create(create(&parent, &format!("KEY_{round}"), &value("created"))),
            1 => Step::Update(update(&parent, &format!("KEY_{round}"), &value("updated"))),
            _ => {
                let lines: String = (0..SECRETS_PER_IMPORT)
                    .map(|line| format!("IMPORT_{round}_{line}={}-{line}\n", value("imported")))
                    .collect();
                Step::Import(v1::ImportSecretsRequest {
                    parent,
                    source: Some(import_secrets_request::Source::Dotenv(lines.into_bytes())),
                    request_id: request_id(),
                    ..Default::default()
                })
            }
        };
        self.begun += 1;
        step
    }

    pub async fn send(&self, server: &Server, step: &Step) -> Result<Answer, Status> {
        let mut secrets = server.secrets(&self.token);
        Ok(match step.clone() {
            Step::Create(request) => Answer::Created(secrets.create_secret(request).await?.into_inner()),
            Step::Update(request) => Answer::Updated(secrets.update_secret(request).await?.into_inner()),
            Step::Import(request) => {
                let answer = secrets.import_secrets(request).await?.into_inner();
                assert!(answer.applied && answer.created as usize == SECRETS_PER_IMPORT, "{answer:?}");
                Answer::Imported(answer)
            }
        })
    }

    /// Records that a step is done: its effect must be there from now on.
    pub fn acknowledged(&mut self, step: Step, answer: Answer) {
        self.state = self.after(&step);
        self.last = Some((step, answer));
    }

    /// What must be there when the step was done on top of what was acknowledged.
    pub fn after(&self, step: &Step) -> State {
        let mut state = self.state.clone();
        match step {
            Step::Create(request) => {
                state.insert(request.secret_id.clone(), (plain(request.value.as_ref()), 1));
            }
            Step::Update(request) => {
                let name = request.secret.as_ref().unwrap().name.rsplit('/').next().unwrap();
                let (value, version) = state.get_mut(name).unwrap();
                (*value, *version) = (plain(request.value.as_ref()), *version + 1);
            }
            Step::Import(request) => {
                let Some(import_secrets_request::Source::Dotenv(lines)) = &request.source else { panic!("no dotenv") };
                for line in std::str::from_utf8(lines).unwrap().lines() {
                    let (name, value) = line.split_once('=').unwrap();
                    state.insert(name.into(), (value.into(), 1));
                }
            }
        }
        state
    }

    /// What is there.
    pub async fn stored(&self, server: &Server) -> State {
        let resolve = async || server.resolve(&self.token, &self.project).await;
        let resolved = eventually(Duration::from_secs(20), resolve).await;
        let read = |each: v1::ResolvedSecret| (String::from_utf8(each.value).unwrap(), each.version);
        resolved.secrets.into_iter().map(|each| (each.secret_id.clone(), read(each))).collect()
    }
}

fn plain(value: Option<&v1::SecretValue>) -> String {
    match value.unwrap().value.as_ref().unwrap() {
        v1::secret_value::Value::Text(text) => text.clone(),
        v1::secret_value::Value::Data(_) => panic!("this work knows text only"),
    }
}

/// Whether a call ended because the connection did: then nobody knows what became of it.
pub fn is_cut_off(status: &Status) -> bool {
    matches!(code_and_reason(status), (Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled, None))
}
