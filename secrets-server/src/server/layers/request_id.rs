//! Names each call: in its response, in its log lines and in its audit events.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use super::BoxFuture;
use crate::call::request_id::{self, RequestId};

#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestIdLayer;

impl<S> Layer<S> for RequestIdLayer {
    type Service = WithRequestId<S>;

    fn layer(&self, inner: S) -> WithRequestId<S> {
        WithRequestId { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct WithRequestId<S> {
    inner: S,
}

impl<S, I, O> Service<Request<I>> for WithRequestId<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Future: Send + 'static,
{
    type Response = Response<SpanBody<O>>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        let request_id = RequestId::of(request.headers());
        let (own, given) = (request_id.as_str(), request_id.given());
        let span = tracing::info_span!("call", request_id = own, caller_request_id = given);
        request.extensions_mut().insert(request_id.clone());
        let response = span.in_scope(|| self.inner.call(request));
        let body_span = span.clone();
        let named = async move {
            let mut response = response.await?;
            response.headers_mut().insert(request_id::HEADER, request_id.header_value());
            Ok(response.map(|inner| SpanBody { inner, span: body_span }))
        };
        Box::pin(named.instrument(span))
    }
}

/// A body whose events in the log carry the request id too.
pub(crate) struct SpanBody<B> {
    inner: B,
    span: Span,
}

impl<B: Body + Unpin> Body for SpanBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        this.span.in_scope(|| Pin::new(&mut this.inner).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
