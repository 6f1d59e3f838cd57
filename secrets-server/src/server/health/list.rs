//! `Health/List`, which is younger than what tonic-health has of the protocol: the status of every service in one answer.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic_health::pb::HealthCheckResponse;
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use super::Health;
use crate::server::layers::BoxFuture;

const PATH: &str = "/grpc.health.v1.Health/List";

#[derive(Clone, PartialEq, prost::Message)]
struct HealthListRequest {}

#[derive(Clone, PartialEq, prost::Message)]
struct HealthListResponse {
    /// By the names of the services.
    #[prost(map = "string, message", tag = "1")]
    statuses: HashMap<String, HealthCheckResponse>,
}

/// The service of tonic-health with the method that it lacks.
#[derive(Clone)]
pub(crate) struct WithList<S> {
    inner: S,
    health: Health,
}

impl<S> WithList<S> {
    pub(super) fn new(inner: S, health: Health) -> Self {
        Self { inner, health }
    }
}

impl<S: NamedService> NamedService for WithList<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for WithList<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(self.inner.call(request));
        }
        let health = self.health.clone();
        Box::pin(async move {
            let list = service_fn(move |_: tonic::Request<HealthListRequest>| {
                let statuses = health.statuses().map(|(name, status)| (name.to_owned(), super::response(status)));
                ready(Ok::<_, Status>(tonic::Response::new(HealthListResponse { statuses: statuses.collect() })))
            });
            Ok(Grpc::new(ProstCodec::<HealthListResponse, HealthListRequest>::default()).unary(list, request).await)
        })
    }
}
