//! Takes the one message of a request from the wire, before its handler runs: whole, in time, and within its limit. What is wrong
//! with a message is said in the words of the service, also when only the decoder finds it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use secrets_proto::Method;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::{BoxFuture, Bytes, ready_clone};
use crate::auth::takes_code;
use crate::error::{Error, Reason};
use crate::server::limits::{MAX_CODE_REQUEST_BYTES, MAX_REQUEST_BYTES};

/// Before each message: whether it is compressed, and its length as four bytes.
const PREFIX_BYTES: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestMessageLayer {
    time: Duration,
}

impl RequestMessageLayer {
    /// A message has `time` to arrive.
    pub(super) fn new(time: Duration) -> Self {
        Self { time }
    }
}

impl<S> Layer<S> for RequestMessageLayer {
    type Service = RequestMessage<S>;

    fn layer(&self, inner: S) -> RequestMessage<S> {
        RequestMessage { inner, time: self.time }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RequestMessage<S> {
    inner: S,
    time: Duration,
}

impl<S> Service<Request<Body>> for RequestMessage<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // tonic refuses an unknown encoding by the headers alone, and names those it knows.
        let method = Method::from_path(request.uri().path()).filter(|_| !is_encoded(request.headers()));
        let Some(method) = method else { return Box::pin(self.inner.call(request)) };
        let limit = if takes_code(method) { MAX_CODE_REQUEST_BYTES } else { MAX_REQUEST_BYTES };
        let mut inner = ready_clone(&mut self.inner);
        let time = self.time;
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let message = timeout(time, read(body, limit)).await.unwrap_or_else(|_| Err(too_slow(time)));
            let message = match message {
                Ok(message) => Body::new(WholeMessage(Some(message))),
                Err(error) => return Ok(Status::from(error).into_http()),
            };
            let response = inner.call(Request::from_parts(parts, message)).await?;
            Ok(if is_undecodable(response.headers()) { Status::from(undecodable()).into_http() } else { response })
        })
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get("grpc-encoding").is_some_and(|encoding| encoding != "identity")
}

/// Reads a body that is one message of at most `limit` bytes; returns it with its prefix.
async fn read(mut body: Body, limit: usize) -> Result<Bytes, Error> {
    let mut received = Vec::new();
    let mut length = None;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        // Trailers of a request mean nothing in gRPC.
        let Ok(data) = frame.map_err(|_| cut_short())?.into_data() else { break };
        received.extend_from_slice(&data);
        if length.is_none() {
            length = message_length(&received, limit)?;
        }
        if length.is_some_and(|length| received.len() > PREFIX_BYTES + length) {
            return Err(malformed("must be one message; more follows it"));
        }
    }
    match length {
        Some(length) if received.len() == PREFIX_BYTES + length => Ok(received.into()),
        None if received.is_empty() => Err(malformed("must be one message; it is empty")),
        _ => Err(cut_short()),
    }
}

/// The length of the message that begins with `received`, once that is known.
fn message_length(received: &[u8], limit: usize) -> Result<Option<usize>, Error> {
    let Some((&[flag, ref length @ ..], _)) = received.split_first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    if flag != 0 {
        return Err(malformed("must be an uncompressed message, which begins with a zero byte"));
    }
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > limit {
        let text = format!("the request must be at most {limit} bytes (got {length})");
        return Err(Error::new(Reason::LimitExceeded, text)
            .with("limit", "request_bytes")
            .with("most", limit.to_string()));
    }
    Ok(Some(length))
}

fn too_slow(time: Duration) -> Error {
    let text = format!("the request's body must arrive within {} s", time.as_secs());
    Error::new(Reason::LimitExceeded, text).with("limit", "request_seconds").with("most", time.as_secs().to_string())
}

fn cut_short() -> Error {
    malformed("must be one message; it ends too early")
}

fn malformed(rule: &str) -> Error {
    Error::new(Reason::InvalidArgumentValue, format!("the request's body {rule}"))
}

/// Whether the message was refused by tonic's decoder, which says INTERNAL: errors of the service carry details.
fn is_undecodable(headers: &HeaderMap) -> bool {
    let code = headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
    code == Some(Code::Internal) && !headers.contains_key("grpc-status-details-bin")
}

/// Without the decoder's own text, which may quote the message.
fn undecodable() -> Error {
    malformed("must be a protobuf message of the method's request type; it cannot be decoded")
}

/// A message with its prefix, as a body.
struct WholeMessage(Option<Bytes>);

impl http_body::Body for WholeMessage {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }
}
