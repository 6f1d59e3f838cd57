//! `AuditService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::audit_service_server::AuditService;
use tonic::{Request, Response, Status};

use super::decode::audit as decode;
use super::door::Door;
use super::encode::audit as encode;

/// The handlers.
pub struct Audit {
    door: Door,
}

impl Audit {
    /// Handlers behind `door`.
    pub fn new(door: Door) -> Self {
        Self { door }
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_events(
        &self,
        request: Request<v1::ListAuditEventsRequest>,
    ) -> Result<Response<v1::ListAuditEventsResponse>, Status> {
        self.door
            .read(
                request,
                "secrets.v1.AuditService/ListAuditEvents",
                decode::list_audit_events,
                |app, call, question| Box::pin(app.list_audit_events(call, question)),
                encode::event_page,
            )
            .await
    }
}
