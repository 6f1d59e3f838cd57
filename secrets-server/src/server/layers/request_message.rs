//! Takes the one message of a request from the wire, before its handler runs: whole, in time, and within its limits. What is wrong
//! with a message is said in the words of the service, also when only the framework finds it.

mod prefix;
mod reader;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response};
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

const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

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
        // tonic refuses an encoding by the headers alone.
        let is_encoded = is_encoded(request.headers());
        let Some(limit) = limit(request.uri().path()).filter(|_| !is_encoded) else {
            let response = self.inner.call(request);
            return Box::pin(async move { Ok(unless_unimplemented(response.await?, is_encoded)) });
        };
        let mut inner = ready_clone(&mut self.inner);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match layer.read(body, holder(&parts.extensions), limit).await {
                Ok(message) => {
                    let response = inner.call(Request::from_parts(parts, Body::new(message))).await?;
                    if is_frameworks(response.headers(), Code::Internal) {
                        return Ok(refused(undecodable()));
                    }
                    Ok(unless_unimplemented(response, false))
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

/// Whether the framework refused a call with this code: errors of the service carry details. INTERNAL is what tonic's decoder
/// says of a message that it can't decode.
fn is_frameworks(headers: &HeaderMap, code: Code) -> bool {
    let given = headers.get("grpc-status").map(|given| Code::from_bytes(given.as_bytes()));
    given == Some(code) && !headers.contains_key("grpc-status-details-bin")
}

/// The response, or our own words for a method that no service of the listener has, and for a message that is encoded.
fn unless_unimplemented(response: Response<Body>, is_encoded: bool) -> Response<Body> {
    if !is_frameworks(response.headers(), Code::Unimplemented) {
        return response;
    }
    let text = match is_encoded {
        true => "compressed messages are not accepted; send them with `grpc-encoding: identity`",
        false => {
            "there is no such method here: this server is of another version, or does not offer it at this address"
        }
    };
    let mut refused = refused(Error::new(Reason::Unimplemented, text));
    if is_encoded {
        // As the gRPC protocol asks for it.
        refused.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    refused
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
