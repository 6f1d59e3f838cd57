//! Refuses what is no gRPC call by its headers: another HTTP method than POST, or another content type.

use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tonic::Status;
use tower::{Layer, Service};

use super::BoxFuture;
use crate::error::{Error, Reason};

/// With parameters or without; `application/grpc-web` and other encodings than protobuf are not served.
const CONTENT_TYPES: [&str; 2] = ["application/grpc", "application/grpc+proto"];

#[derive(Clone, Copy, Debug)]
pub(crate) struct GrpcOnlyLayer;

impl<S> Layer<S> for GrpcOnlyLayer {
    type Service = GrpcOnly<S>;

    fn layer(&self, inner: S) -> GrpcOnly<S> {
        GrpcOnly { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct GrpcOnly<S> {
    inner: S,
}

impl<S, I, O> Service<Request<I>> for GrpcOnly<S>
where
    S: Service<Request<I>, Response = Response<O>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
    O: Default + Send + 'static,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let refusal = if request.method() != Method::POST {
            let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, "a gRPC call must be a POST");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            response
        } else if !is_grpc(request.headers()) {
            refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be `application/grpc`")
        } else {
            return Box::pin(self.inner.call(request));
        };
        Box::pin(std::future::ready(Ok(refusal)))
    }
}

/// As the gRPC protocol over HTTP/2 asks for it, so that other clients understand it too; with a gRPC status for the log.
fn refused<O: Default>(code: StatusCode, text: &str) -> Response<O> {
    let mut response = Status::from(Error::new(Reason::InvalidArgumentValue, text)).into_http();
    *response.status_mut() = code;
    response
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim();
    CONTENT_TYPES.iter().any(|known| essence.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_grpc_with_protobuf_is_served() {
        let is = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_TYPE, value.parse().unwrap());
            }
            is_grpc(&headers)
        };
        for text in
            ["application/grpc", "Application/GRPC", "application/grpc+proto", "application/grpc; charset=utf-8"]
        {
            assert!(is(&[text]), "{text}");
        }
        for text in ["", "application/grpc-web", "application/grpc+json", "application/json", "text/plain", "grpc"] {
            assert!(!is(&[text]), "{text}");
        }
        assert!(!is(&[]) && !is(&["application/grpc", "text/html"]));
    }
}
