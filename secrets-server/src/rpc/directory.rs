//! `DirectoryService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::directory_service_server::DirectoryService;
use tonic::{Request, Response, Status};

use super::decode::directory as decode;
use super::door::Door;
use super::encode::directory as encode;

/// The handlers.
pub struct Directory {
    door: Door,
}

impl Directory {
    /// Handlers behind `door`.
    pub fn new(door: Door) -> Self {
        Self { door }
    }
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn create_organization(
        &self,
        request: Request<v1::CreateOrganizationRequest>,
    ) -> Result<Response<v1::CreateOrganizationResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.DirectoryService/CreateOrganization",
                decode::create_organization,
                |app, call, input, keep| Box::pin(app.create_organization(call, input, keep)),
                encode::created_organization,
                encode::kept_organization,
            )
            .await
    }
}
