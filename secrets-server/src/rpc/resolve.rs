//! `ResolveService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::resolve_service_server::ResolveService;
use tonic::{Request, Response, Status};

use super::decode::resolve as decode;
use super::door::{Door, Events};
use super::encode::resolve as encode;
use super::encode::watch::event;

/// The handlers.
pub struct Resolve {
    door: Door,
}

impl Resolve {
    /// Handlers behind `door`.
    pub fn new(door: Door) -> Self {
        Self { door }
    }
}

#[tonic::async_trait]
impl ResolveService for Resolve {
    async fn resolve(&self, request: Request<v1::ResolveRequest>) -> Result<Response<v1::ResolveResponse>, Status> {
        self.door
            .read(
                request,
                "secrets.v1.ResolveService/Resolve",
                decode::resolve,
                |app, call, question| Box::pin(app.resolve(call, question)),
                encode::resolved,
            )
            .await
    }

    type WatchStream = Events<v1::WatchResponse>;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.door.watch(request, "secrets.v1.ResolveService/Watch", decode::watch, event).await
    }

    async fn explain(&self, request: Request<v1::ExplainRequest>) -> Result<Response<v1::ExplainResponse>, Status> {
        self.door
            .read(
                request,
                "secrets.v1.ResolveService/Explain",
                decode::explain,
                |app, call, question| Box::pin(app.explain(call, question)),
                encode::explained,
            )
            .await
    }
}
