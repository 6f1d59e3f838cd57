//! `SecretService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::secret_service_server::SecretService;
use tonic::{Request, Response, Status};

use super::decode::secret as decode;
use super::encode::secret as encode;
use super::handler::Handler;

pub struct Secrets {
    handler: Handler,
}

impl Secrets {
    pub fn new(handler: Handler) -> Self {
        Self { handler }
    }
}

#[tonic::async_trait]
impl SecretService for Secrets {
    async fn create_secret(
        &self,
        request: Request<v1::CreateSecretRequest>,
    ) -> Result<Response<v1::CreateSecretResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::create_secret,
                |service, call, input, key| Box::pin(service.create_secret(call, input, key)),
                encode::created,
            )
            .await
    }

    async fn get_secret(
        &self,
        request: Request<v1::GetSecretRequest>,
    ) -> Result<Response<v1::GetSecretResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::get_secret,
                |service, call, input| Box::pin(service.get_secret(call, input)),
                encode::got,
            )
            .await
    }

    async fn list_secrets(
        &self,
        request: Request<v1::ListSecretsRequest>,
    ) -> Result<Response<v1::ListSecretsResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::list_secrets,
                |service, call, input| Box::pin(service.list_secrets(call, input)),
                encode::listed,
            )
            .await
    }

    async fn update_secret(
        &self,
        request: Request<v1::UpdateSecretRequest>,
    ) -> Result<Response<v1::UpdateSecretResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::update_secret,
                |service, call, input, key| Box::pin(service.update_secret(call, input, key)),
                encode::updated,
            )
            .await
    }

    async fn delete_secret(
        &self,
        request: Request<v1::DeleteSecretRequest>,
    ) -> Result<Response<v1::DeleteSecretResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::delete_secret,
                |service, call, input, key| Box::pin(service.delete_secret(call, input, key)),
                encode::deleted,
            )
            .await
    }

    async fn undelete_secret(
        &self,
        request: Request<v1::UndeleteSecretRequest>,
    ) -> Result<Response<v1::UndeleteSecretResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::undelete_secret,
                |service, call, input, key| Box::pin(service.undelete_secret(call, input, key)),
                encode::undeleted,
            )
            .await
    }

    async fn list_secret_versions(
        &self,
        request: Request<v1::ListSecretVersionsRequest>,
    ) -> Result<Response<v1::ListSecretVersionsResponse>, Status> {
        self.handler
            .unary(
                request,
                decode::list_versions,
                |service, call, input| Box::pin(service.list_secret_versions(call, input)),
                encode::listed_versions,
            )
            .await
    }

    async fn rollback_secret(
        &self,
        request: Request<v1::RollbackSecretRequest>,
    ) -> Result<Response<v1::RollbackSecretResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::rollback_secret,
                |service, call, input, key| Box::pin(service.rollback_secret(call, input, key)),
                encode::rolled_back,
            )
            .await
    }

    async fn copy_secret(
        &self,
        request: Request<v1::CopySecretRequest>,
    ) -> Result<Response<v1::CopySecretResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::copy_secret,
                |service, call, input, key| Box::pin(service.copy_secret(call, input, key)),
                encode::copied,
            )
            .await
    }

    async fn move_secret(
        &self,
        request: Request<v1::MoveSecretRequest>,
    ) -> Result<Response<v1::MoveSecretResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::move_secret,
                |service, call, input, key| Box::pin(service.copy_secret(call, input, key)),
                encode::moved,
            )
            .await
    }

    async fn destroy_secret_version(
        &self,
        request: Request<v1::DestroySecretVersionRequest>,
    ) -> Result<Response<v1::DestroySecretVersionResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::destroy_version,
                |service, call, input, key| Box::pin(service.destroy_secret_version(call, input, key)),
                encode::destroyed,
            )
            .await
    }

    async fn import_secrets(
        &self,
        request: Request<v1::ImportSecretsRequest>,
    ) -> Result<Response<v1::ImportSecretsResponse>, Status> {
        self.handler
            .mutation(
                request,
                decode::import_secrets,
                |service, call, input, key| Box::pin(service.import_secrets(call, input, key)),
                encode::imported,
            )
            .await
    }
}
