//! A service that answers whatever a test wants.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::layer::layer_fn;
use tower::service_fn;

/// What a call is answered with.
pub(crate) enum Reply {
    /// A message.
    Message(Vec<u8>),
    /// Messages of a stream, which stays open after them.
    Stream(Vec<Vec<u8>>),
    Refused(Status),
    /// Whatever else HTTP has.
    Http(Response<Body>),
}

/// What calls are answered with, by method.
type Answer = dyn Fn(&str) -> Reply + Send + Sync;

/// Serves until it is dropped.
pub(crate) struct HostileService {
    pub(crate) endpoint: String,
    answer: Arc<Mutex<Arc<Answer>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Reply {
    pub(crate) fn message(message: &impl Message) -> Self {
        Self::Message(message.encode_to_vec())
    }

    pub(crate) fn stream(messages: &[impl Message]) -> Self {
        Self::Stream(messages.iter().map(Message::encode_to_vec).collect())
    }

    fn response(self) -> Response<Body> {
        match self {
            Self::Message(message) => Frames::new(&[message], true).response(),
            Self::Stream(messages) => Frames::new(&messages, false).response(),
            Self::Refused(status) => status.into_http(),
            Self::Http(response) => response,
        }
    }
}

impl HostileService {
    /// Starts a service that answers a call of a method such as `Resolve` with what `answer` says.
    pub(crate) fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let entered = runtime.enter();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoint = format!("http://{}", incoming.local_addr().unwrap());
        let answer: Arc<Mutex<Arc<Answer>>> = Arc::new(Mutex::new(Arc::new(answer)));
        let shared = answer.clone();
        let reply = move |request: Request<Body>| {
            let answer = shared.lock().unwrap().clone();
            let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            std::future::ready(Ok::<_, Infallible>(answer(&method).response()))
        };
        let layer = layer_fn(move |_: Routes| service_fn(reply.clone()));
        runtime.spawn(Server::builder().layer(layer).add_routes(Routes::default()).serve_with_incoming(incoming));
        drop(entered);
        Self { endpoint, answer, _runtime: runtime }
    }

    /// Answers later calls in another way.
    pub(crate) fn answer_with(&self, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }
}

/// The frames of a gRPC response.
struct Frames {
    frames: VecDeque<Frame<Bytes>>,
    ends: bool,
}

impl Frames {
    fn new(messages: &[Vec<u8>], ends: bool) -> Self {
        let mut frames: VecDeque<_> = messages.iter().map(|message| Frame::data(framed(message))).collect();
        if ends {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            frames.push_back(Frame::trailers(trailers));
        }
        Self { frames, ends }
    }

    fn response(self) -> Response<Body> {
        Response::builder().header("content-type", "application/grpc").body(Body::new(self)).unwrap()
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

/// A message behind its length, uncompressed.
fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    Bytes::from([&[0], length.as_slice(), message].concat())
}
