//! Limits how much of the server one caller may take, once the caller is known and before the body is read. Whoever goes on
//! calling while they are refused is answered later: a loop of calls would otherwise cost as much as what it is refused.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use secrets_proto::Method;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Layer, Service};

use super::deadline::call_timeout;
use super::{BoxFuture, Bytes};
use crate::admission::{Admission, Consumer};
use crate::auth::{Authenticated, Authenticator};
use crate::call::permit::CallPermit;
use crate::error::Reason;

#[derive(Clone)]
pub(crate) struct LimitCallsLayer {
    admission: Arc<Admission>,
    authenticator: Arc<Authenticator>,
}

impl LimitCallsLayer {
    /// The `authenticator` counts what is refused.
    pub(super) fn new(admission: Arc<Admission>, authenticator: Arc<Authenticator>) -> Self {
        Self { admission, authenticator }
    }
}

impl<S> Layer<S> for LimitCallsLayer {
    type Service = LimitCalls<S>;

    fn layer(&self, inner: S) -> LimitCalls<S> {
        LimitCalls { inner, layer: self.clone() }
    }
}

/// Hands the [`CallPermit`] on to the handlers: work that outlives its call keeps it.
#[derive(Clone)]
pub(crate) struct LimitCalls<S> {
    inner: S,
    layer: LimitCallsLayer,
}

impl<S> Service<Request<Body>> for LimitCalls<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let method = Method::from_path(request.uri().path());
        let Some((method, authenticated)) = method.zip(request.extensions().get::<Authenticated>().cloned()) else {
            // Health and reflection, which need no credential and have limits of their own.
            return Box::pin(self.inner.call(request));
        };
        let LimitCallsLayer { admission, authenticator } = self.layer.clone();
        let consumer = authenticated.consumer();
        let longest = call_timeout(request.headers()) / 2;
        let permit = match admission.admit(&consumer, method) {
            Ok(slot) => {
                let turns = admission.heavy_turns(&slot, &consumer, method);
                CallPermit::new(slot, consumer, turns)
            }
            Err(error) => {
                let refused = Status::from(error).into_http();
                count(&authenticator, &authenticated, refused.headers());
                return Box::pin(async move {
                    pause(&admission, &consumer, longest).await;
                    Ok(refused)
                });
            }
        };
        request.extensions_mut().insert(permit.clone());
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await?;
            if count(&authenticator, &authenticated, response.headers()) {
                pause(&admission, &consumer, longest).await;
            }
            // An open stream has a slot of its own. Any other response is held in memory until it is sent.
            let permit = (!method.is_server_streaming()).then_some(permit);
            Ok(response.map(|inner| Body::new(PermittedBody { inner, permit, authenticator, authenticated })))
        })
    }
}

/// Keeps the refusal of a caller who does not wait, but no longer than `longest`.
async fn pause(admission: &Admission, consumer: &Consumer, longest: Duration) {
    if let Some(held) = admission.pause(consumer) {
        tokio::time::sleep(held.pause.min(longest)).await;
    }
}

/// Counts a call that a limit refused, here or later. Returns whether one did.
fn count(authenticator: &Authenticator, authenticated: &Authenticated, headers: &HeaderMap) -> bool {
    let code = headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
    if code != Some(Code::ResourceExhausted) {
        return false;
    }
    let details = Status::from_header_map(headers).map(|status| status.get_error_details());
    let info = details.as_ref().and_then(|details| details.error_info());
    let Some(info) = info.filter(|info| info.reason == Reason::RateLimited.as_str()) else { return false };
    authenticator.count_refused(authenticated, info.metadata.get("limit").map_or("", String::as_str));
    true
}

/// A body whose call is under way until it ends or is dropped.
struct PermittedBody {
    inner: Body,
    permit: Option<CallPermit>,
    authenticator: Arc<Authenticator>,
    authenticated: Authenticated,
}

impl http_body::Body for PermittedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    count(&self.authenticator, &self.authenticated, trailers);
                }
            }
            Poll::Ready(None) => self.permit = None,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::Uid;
    use tokio::time::Instant;

    use super::*;
    use crate::admission::{AdmissionLimits, ConsumerKey, Pauses};

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_does_not_wait_is_answered_later_and_within_the_time_they_have() {
        let admission = Admission::new(&AdmissionLimits::default(), Pauses::After);
        for (uid, longest, kept) in [(1, 30_000, 2_000..=6_001), (2, 200, 200..=201)] {
            let key = ConsumerKey::User(Uid::from_u128(uid));
            let consumer = Consumer { key, credential: Uid::nil(), is_session: false, organization: None };
            let mut at_once = 0;
            for _ in 0..60 {
                let start = Instant::now();
                pause(&admission, &consumer, Duration::from_millis(longest)).await;
                match start.elapsed().as_millis() {
                    0 => at_once += 1,
                    waited => assert!(kept.contains(&waited), "{waited}"),
                }
            }
            assert!((20..50).contains(&at_once), "{at_once}");
        }
    }
}
