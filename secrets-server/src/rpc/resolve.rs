//! `ResolveService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::resolve_service_server::ResolveService;
use tonic::{Request, Response, Status};

use super::decode::resolve as decode;
use super::encode::resolve as encode;
use super::encode::watch::event;
use super::handler::{Handler, ResponseStream};

pub struct Resolve {
    handler: Handler,
}

impl Resolve {
    pub fn new(handler: Handler) -> Self {
        Self { handler }
    }
}

#[tonic::async_trait]
impl ResolveService for Resolve {
    async fn resolve(&self, request: Request<v1::ResolveRequest>) -> Result<Response<v1::ResolveResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::resolve,
                |service, call, question| Box::pin(service.resolve(call, question)),
                encode::resolved,
            )
            .await
    }

    type WatchStream = ResponseStream<v1::WatchResponse>;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.handler.server_stream(request, decode::watch, event).await
    }

    async fn explain(&self, request: Request<v1::ExplainRequest>) -> Result<Response<v1::ExplainResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::explain,
                |service, call, question| Box::pin(service.explain(call, question)),
                encode::explained,
            )
            .await
    }
}
