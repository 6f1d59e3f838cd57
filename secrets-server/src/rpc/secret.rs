//! `SecretService`: decode, call, encode.

use secrets_proto::v1;
use secrets_proto::v1::secret_service_server::SecretService;
use tonic::{Request, Response, Status};

use super::decode::secret as decode;
use super::door::Door;
use super::encode::secret as encode;

/// The handlers.
pub struct Secrets {
    door: Door,
}

impl Secrets {
    /// Handlers behind `door`.
    pub fn new(door: Door) -> Self {
        Self { door }
    }
}

#[tonic::async_trait]
impl SecretService for Secrets {
    async fn create_secret(
        &self,
        request: Request<v1::CreateSecretRequest>,
    ) -> Result<Response<v1::CreateSecretResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.SecretService/CreateSecret",
                decode::create_secret,
                |app, call, input, keep| Box::pin(app.create_secret(call, input, keep)),
                encode::created,
                encode::created,
            )
            .await
    }

    async fn get_secret(
        &self,
        request: Request<v1::GetSecretRequest>,
    ) -> Result<Response<v1::GetSecretResponse>, Status> {
        self.door
            .read(
                request,
                "secrets.v1.SecretService/GetSecret",
                decode::get_secret,
                |app, call, input| Box::pin(app.get_secret(call, input)),
                encode::got,
            )
            .await
    }

    async fn list_secrets(
        &self,
        request: Request<v1::ListSecretsRequest>,
    ) -> Result<Response<v1::ListSecretsResponse>, Status> {
        self.door
            .read(
                request,
                "secrets.v1.SecretService/ListSecrets",
                decode::list_secrets,
                |app, call, input| Box::pin(app.list_secrets(call, input)),
                encode::listed,
            )
            .await
    }

    async fn update_secret(
        &self,
        request: Request<v1::UpdateSecretRequest>,
    ) -> Result<Response<v1::UpdateSecretResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.SecretService/UpdateSecret",
                decode::update_secret,
                |app, call, input, keep| Box::pin(app.update_secret(call, input, keep)),
                encode::updated,
                encode::updated,
            )
            .await
    }

    async fn delete_secret(
        &self,
        request: Request<v1::DeleteSecretRequest>,
    ) -> Result<Response<v1::DeleteSecretResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.SecretService/DeleteSecret",
                decode::delete_secret,
                |app, call, input, keep| Box::pin(app.delete_secret(call, input, keep)),
                encode::deleted,
                encode::deleted,
            )
            .await
    }

    async fn undelete_secret(
        &self,
        request: Request<v1::UndeleteSecretRequest>,
    ) -> Result<Response<v1::UndeleteSecretResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.SecretService/UndeleteSecret",
                decode::undelete_secret,
                |app, call, input, keep| Box::pin(app.undelete_secret(call, input, keep)),
                encode::undeleted,
                encode::undeleted,
            )
            .await
    }

    async fn list_secret_versions(
        &self,
        request: Request<v1::ListSecretVersionsRequest>,
    ) -> Result<Response<v1::ListSecretVersionsResponse>, Status> {
        self.door
            .read(
                request,
                "secrets.v1.SecretService/ListSecretVersions",
                decode::list_versions,
                |app, call, input| Box::pin(app.list_secret_versions(call, input)),
                encode::listed_versions,
            )
            .await
    }

    async fn rollback_secret(
        &self,
        request: Request<v1::RollbackSecretRequest>,
    ) -> Result<Response<v1::RollbackSecretResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.SecretService/RollbackSecret",
                decode::rollback_secret,
                |app, call, input, keep| Box::pin(app.rollback_secret(call, input, keep)),
                encode::rolled_back,
                encode::rolled_back,
            )
            .await
    }

    async fn destroy_secret_version(
        &self,
        request: Request<v1::DestroySecretVersionRequest>,
    ) -> Result<Response<v1::DestroySecretVersionResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.SecretService/DestroySecretVersion",
                decode::destroy_version,
                |app, call, input, keep| Box::pin(app.destroy_secret_version(call, input, keep)),
                encode::destroyed,
                encode::destroyed,
            )
            .await
    }

    async fn import_secrets(
        &self,
        request: Request<v1::ImportSecretsRequest>,
    ) -> Result<Response<v1::ImportSecretsResponse>, Status> {
        self.door
            .mutate(
                request,
                "secrets.v1.SecretService/ImportSecrets",
                decode::import_secrets,
                |app, call, input, keep| Box::pin(app.import_secrets(call, input, keep)),
                encode::imported,
                encode::imported,
            )
            .await
    }
}
