//! Takes the one message of a request from the wire, before its handler runs: whole, in time, and within its limits. What is wrong
//! with a message is said in the words of the service, also when only the decoder finds it.

mod prefix;
mod reader;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Extensions, HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use secrets_proto::Method;
use tokio::time::sleep;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use self::reader::Reader;
use super::{BoxFuture, Bytes, ready_clone};
use crate::auth::{Authenticated, takes_code};
use crate::call::peer::{Peer, site};
use crate::error::{Error, Reason};
use crate::server::limits::{MAX_ANONYMOUS_REQUEST_BYTES, MAX_CODE_REQUEST_BYTES, MAX_REQUEST_BYTES};
use crate::server::request_budget::{Holder, RequestBudget, Reservation};

pub(super) use self::prefix::PrefixReader;

#[derive(Clone, Debug)]
pub(crate) struct RequestMessageLayer {
    budget: RequestBudget,
    time: Duration,
}

impl RequestMessageLayer {
    /// A message has `time` to arrive, and until it is decoded it counts against the `budget`.
    pub(super) fn new(budget: RequestBudget, time: Duration) -> Self {
        Self { budget, time }
    }

    async fn read(&self, body: Body, holder: Holder, limit: usize) -> Result<WholeMessage, Error> {
        let reservation = self.budget.reservation(holder);
        let message = tokio::select! {
            message = Reader::new(limit, &reservation).read(body) => message?,
            () = sleep(self.time) => return Err(too_slow(self.time)),
            error = reservation.evicted() => return Err(error),
        };
        Ok(WholeMessage { message: Some(message.into()), _reservation: reservation })
    }
}

impl<S> Layer<S> for RequestMessageLayer {
    type Service = RequestMessage<S>;

    fn layer(&self, inner: S) -> RequestMessage<S> {
        RequestMessage { inner, layer: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RequestMessage<S> {
    inner: S,
    layer: RequestMessageLayer,
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
        let Some(limit) = limit(request.uri().path()).filter(|_| !is_encoded(request.headers())) else {
            return Box::pin(self.inner.call(request));
        };
        let mut inner = ready_clone(&mut self.inner);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match layer.read(body, holder(&parts.extensions), limit).await {
                Ok(message) => {
                    let response = inner.call(Request::from_parts(parts, Body::new(message))).await?;
                    Ok(if is_undecodable(response.headers()) { refused(undecodable()) } else { response })
                }
                Err(error) => Ok(refused(error)),
            }
        })
    }
}

/// How large a message may be; none where the request is a stream, or there is no such method.
fn limit(path: &str) -> Option<usize> {
    match Method::from_path(path) {
        Some(method) if takes_code(method).is_some() => Some(MAX_CODE_REQUEST_BYTES),
        Some(_) => Some(MAX_REQUEST_BYTES),
        None => path.starts_with("/grpc.health.v1.Health/").then_some(MAX_ANONYMOUS_REQUEST_BYTES),
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get("grpc-encoding").is_some_and(|encoding| encoding != "identity")
}

fn holder(extensions: &Extensions) -> Holder {
    let address = || extensions.get::<Peer>().map_or([0; 4].into(), |peer| peer.address.ip());
    extensions.get().map(Authenticated::credential).map_or_else(|| Holder::Site(site(address())), Holder::Credential)
}

fn refused(error: Error) -> Response<Body> {
    Status::from(error).into_http()
}

fn too_slow(time: Duration) -> Error {
    let text = format!("the request's body must arrive within {} s", time.as_secs());
    Error::new(Reason::LimitExceeded, text).with("limit", "request_seconds").with("most", time.as_secs().to_string())
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

/// A message with its prefix, as a body. It counts against the budget until it is dropped, once it is decoded.
struct WholeMessage {
    message: Option<Bytes>,
    _reservation: Reservation,
}

impl http_body::Body for WholeMessage {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.message.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.message.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }
}
