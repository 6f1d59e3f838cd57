//! `AuditService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::audit_service_server::AuditService;
use tonic::{Request, Response, Status};

use super::decode::audit as decode;
use super::encode::audit as encode;
use super::handler::Handler;

pub struct Audit {
    handler: Handler,
}

impl Audit {
    pub fn new(handler: Handler) -> Self {
        Self { handler }
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_events(
        &self,
        request: Request<v1::ListAuditEventsRequest>,
    ) -> Result<Response<v1::ListAuditEventsResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::list_audit_events,
                |service, call, question| Box::pin(service.list_audit_events(call, question)),
                encode::event_page,
            )
            .await
    }

    async fn list_exposure(
        &self,
        request: Request<v1::ListExposureRequest>,
    ) -> Result<Response<v1::ListExposureResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::list_exposure,
                |service, call, question| Box::pin(service.list_exposure(call, question)),
                encode::exposure_page,
            )
            .await
    }
}
