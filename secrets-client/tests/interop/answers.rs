//! The answers of `malformed.json`, and a service that gives them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use secrets_client::v1;
use secrets_proto::v1::resolve_service_server::{ResolveService, ResolveServiceServer};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_stream::Empty;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::methods::Method;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answers {
    #[serde(rename = "about")]
    _about: String,
    pub(crate) malformed: Vec<Malformed>,
    pub(crate) accepted: Vec<Accepted>,
}

/// An answer that is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Malformed {
    pub(crate) about: String,
    /// The rule that it breaks, as `rules.json` calls it.
    pub(crate) rule: String,
    #[serde(default)]
    request: Map<String, Value>,
    response: Map<String, Value>,
    /// So many secrets instead of the last one, under numbered names.
    copies: Option<usize>,
    /// The length of the last secret's value.
    value_bytes: Option<usize>,
    /// What JSON can't write.
    next_change_second: Option<i64>,
}

/// An answer that is used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    pub(crate) about: String,
    #[serde(default)]
    request: Map<String, Value>,
    response: Map<String, Value>,
    /// The names that remain, in their order.
    pub(crate) names: Vec<String>,
    pub(crate) environment: Map<String, Value>,
    /// The names that are left out and told of.
    pub(crate) left_out: Vec<String>,
    /// The names that are reserved, delivered and told of.
    pub(crate) soft: Vec<String>,
}

/// Where the answers are written.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/malformed.json")
}

impl Answers {
    pub(crate) fn read() -> Self {
        serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap()
    }

    /// Every answer, in order.
    pub(crate) fn responses(&self) -> Vec<v1::ResolveResponse> {
        let accepted = self.accepted.iter().map(|case| response(&case.response));
        self.malformed.iter().map(Malformed::response).chain(accepted).collect()
    }
}

impl Malformed {
    /// What was asked for.
    pub(crate) fn request(&self) -> v1::ResolveRequest {
        request(&self.request)
    }

    fn response(&self) -> v1::ResolveResponse {
        let mut response = response(&self.response);
        if let Some(seconds) = self.next_change_second {
            response.next_change_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
        }
        if let Some(length) = self.value_bytes {
            response.secrets.last_mut().unwrap().value = vec![b'x'; length];
        }
        if let Some(copies) = self.copies {
            let last = response.secrets.pop().unwrap();
            response.secrets.extend((0..copies).map(|number| numbered(&last, number)));
        }
        response
    }
}

impl Accepted {
    /// What was asked for.
    pub(crate) fn request(&self) -> v1::ResolveRequest {
        request(&self.request)
    }
}

fn request(json: &Map<String, Value>) -> v1::ResolveRequest {
    Method::named("ResolveService/Resolve").request(&Value::Object(json.clone())).transcode_to().unwrap()
}

fn numbered(secret: &v1::ResolvedSecret, number: usize) -> v1::ResolvedSecret {
    v1::ResolvedSecret {
        secret: format!("{}{number}", secret.secret),
        secret_id: format!("{}{number}", secret.secret_id),
        ..secret.clone()
    }
}

fn response(json: &Map<String, Value>) -> v1::ResolveResponse {
    Method::named("ResolveService/Resolve").response(&Value::Object(json.clone())).transcode_to().unwrap()
}

/// Gives each answer so many times, and then the next.
pub(crate) struct AnsweringService {
    answers: Vec<v1::ResolveResponse>,
    times: usize,
    calls: AtomicUsize,
}

impl AnsweringService {
    /// Starts it; returns its address.
    pub(crate) async fn start(answers: Vec<v1::ResolveResponse>, times: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = ResolveServiceServer::new(Self { answers, times, calls: AtomicUsize::new(0) });
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
        endpoint
    }
}

#[tonic::async_trait]
impl ResolveService for AnsweringService {
    type WatchStream = Empty<Result<v1::WatchResponse, Status>>;

    async fn resolve(&self, _: Request<v1::ResolveRequest>) -> Result<Response<v1::ResolveResponse>, Status> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) / self.times;
        self.answers.get(number).cloned().map(Response::new).ok_or_else(|| Status::out_of_range("no more answers"))
    }

    async fn explain(&self, _: Request<v1::ExplainRequest>) -> Result<Response<v1::ExplainResponse>, Status> {
        Err(Status::unimplemented("answers resolve alone"))
    }

    async fn watch(&self, _: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("answers resolve alone"))
    }
}
