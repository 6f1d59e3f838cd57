//! The events of `malformed_events.json`, and a service that sends them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use secrets_client::v1;
use secrets_client::v1::watch_response::Event;
use secrets_proto::v1::resolve_service_server::{ResolveService, ResolveServiceServer};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::methods::Method;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    #[serde(rename = "about")]
    _about: String,
    pub(crate) malformed: Vec<MalformedStream>,
    pub(crate) accepted: Vec<AcceptedStream>,
}

/// A stream whose last event is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MalformedStream {
    pub(crate) about: String,
    /// The rule that it breaks, as `rules.json` calls it.
    pub(crate) rule: String,
    #[serde(default)]
    request: Map<String, Value>,
    events: Vec<Value>,
    /// The names of each event before.
    #[serde(default)]
    pub(crate) delivered: Vec<Vec<String>>,
    /// So many secrets or removed names instead of the last one, under numbered names.
    copies: Option<usize>,
    /// What JSON can't write, of the last event and of its last secret.
    next_change_second: Option<i64>,
    expire_second: Option<i64>,
}

/// A stream that is used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptedStream {
    pub(crate) about: String,
    #[serde(default)]
    request: Map<String, Value>,
    events: Vec<Value>,
    /// The names of each event but heartbeats, in their order.
    pub(crate) delivered: Vec<Vec<String>>,
    /// What is left out and told of.
    pub(crate) left_out: Vec<String>,
    /// The names that are reserved, delivered and told of.
    pub(crate) soft: Vec<String>,
}

/// Where the events are written.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/malformed_events.json")
}

impl Events {
    pub(crate) fn read() -> Self {
        serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap()
    }

    /// Every stream, in order, and whether it ends after its events.
    fn streams(&self) -> Vec<(Vec<v1::WatchResponse>, bool)> {
        let malformed = self.malformed.iter().map(|case| (case.responses(), false));
        let accepted = self.accepted.iter().map(|case| (responses(&case.events), true));
        malformed.chain(accepted).collect()
    }
}

impl MalformedStream {
    pub(crate) fn request(&self) -> v1::WatchRequest {
        request(&self.request)
    }

    fn responses(&self) -> Vec<v1::WatchResponse> {
        let mut responses = responses(&self.events);
        let last = responses.last_mut().unwrap();
        if let Some(seconds) = self.next_change_second {
            last.next_change_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
        }
        if let Some(seconds) = self.expire_second {
            let secret = secrets(last).last_mut().unwrap();
            secret.expire_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
        }
        if let Some(copies) = self.copies {
            multiply(last, copies);
        }
        responses
    }
}

impl AcceptedStream {
    pub(crate) fn request(&self) -> v1::WatchRequest {
        request(&self.request)
    }
}

fn request(json: &Map<String, Value>) -> v1::WatchRequest {
    Method::named("ResolveService/Watch").request(&Value::Object(json.clone())).transcode_to().unwrap()
}

fn responses(events: &[Value]) -> Vec<v1::WatchResponse> {
    let watch = Method::named("ResolveService/Watch");
    events.iter().map(|event| watch.response(event).transcode_to().unwrap()).collect()
}

/// The secrets of a set, or the first ones of a change.
fn secrets(response: &mut v1::WatchResponse) -> &mut Vec<v1::WatchedSecret> {
    match &mut response.event {
        Some(Event::Set(set)) => &mut set.secrets,
        Some(Event::Changed(change)) => match change.added.is_empty() {
            true => &mut change.updated,
            false => &mut change.added,
        },
        Some(Event::Heartbeat(_)) | None => panic!("no secrets in a heartbeat"),
    }
}

fn multiply(response: &mut v1::WatchResponse, copies: usize) {
    if let Some(Event::Changed(change)) = &mut response.event
        && let Some(name) = change.removed.pop()
    {
        return change.removed.extend((0..copies).map(|number| format!("{name}{number}")));
    }
    let secrets = secrets(response);
    let last = secrets.pop().unwrap();
    let numbered = |number| v1::WatchedSecret {
        secret: format!("{}{number}", last.secret),
        secret_id: format!("{}{number}", last.secret_id),
        ..last.clone()
    };
    secrets.extend((0..copies).map(numbered));
}

/// Sends each stream so many times, and then the next. After a malformed event it stays open; after the others it fails.
pub(crate) struct WatchedService {
    streams: Vec<(Vec<v1::WatchResponse>, bool)>,
    times: usize,
    calls: AtomicUsize,
}

impl WatchedService {
    /// Starts it; returns its address.
    pub(crate) async fn start(events: &Events, times: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = ResolveServiceServer::new(Self { streams: events.streams(), times, calls: AtomicUsize::new(0) });
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
        endpoint
    }
}

#[tonic::async_trait]
impl ResolveService for WatchedService {
    type WatchStream = std::pin::Pin<Box<dyn Stream<Item = Result<v1::WatchResponse, Status>> + Send>>;

    async fn resolve(&self, _: Request<v1::ResolveRequest>) -> Result<Response<v1::ResolveResponse>, Status> {
        Err(Status::unimplemented("answers watch alone"))
    }

    async fn explain(&self, _: Request<v1::ExplainRequest>) -> Result<Response<v1::ExplainResponse>, Status> {
        Err(Status::unimplemented("answers watch alone"))
    }

    async fn watch(&self, _: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) / self.times;
        let (events, ends) = self.streams.get(number).cloned().ok_or_else(|| Status::not_found("no more streams"))?;
        let events = tokio_stream::iter(events.into_iter().map(Ok));
        Ok(Response::new(if ends {
            Box::pin(events.chain(tokio_stream::once(Err(Status::out_of_range("no more events")))))
        } else {
            Box::pin(events.chain(tokio_stream::pending()))
        }))
    }
}
