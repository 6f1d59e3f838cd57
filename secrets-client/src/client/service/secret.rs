use secrets_proto::v1::secret_service_client::SecretServiceClient;
use secrets_proto::v1::{self, secret_value};
use tonic::transport::Channel;

super::methods! {
    SecretServiceClient<Channel>;
    /// Creates a secret with its first version.
    revise create_secret(CreateSecretRequest) -> CreateSecretResponse;
    /// Returns a secret's metadata.
    read get_secret(GetSecretRequest) -> GetSecretResponse;
    /// Returns one page of the secrets of a scope, and on request of those its contexts inherit.
    read list_secrets(ListSecretsRequest) -> ListSecretsResponse;
    /// Changes metadata; a value or a changed target creates a new version.
    revise update_secret(UpdateSecretRequest) -> UpdateSecretResponse;
    /// Deletes a secret, recoverably unless `purge`.
    revise delete_secret(DeleteSecretRequest) -> DeleteSecretResponse;
    /// Brings a deleted secret back.
    revise undelete_secret(UndeleteSecretRequest) -> UndeleteSecretResponse;
    /// Returns one page of a secret's versions, newest first.
    read list_secret_versions(ListSecretVersionsRequest) -> ListSecretVersionsResponse;
    /// Creates a new version from an old one's value and target.
    revise rollback_secret(RollbackSecretRequest) -> RollbackSecretResponse;
    /// Copies a secret into another scope of its organization, with its value.
    revise copy_secret(CopySecretRequest) -> CopySecretResponse;
    /// Moves a secret into another scope of its organization: copies it, and deletes the source recoverably.
    revise move_secret(MoveSecretRequest) -> MoveSecretResponse;
    /// Destroys the stored value of an old version.
    revise destroy_secret_version(DestroySecretVersionRequest) -> DestroySecretVersionResponse;
    /// Imports a `.env` or JSON document, or reviews it with `validate_only`.
    revise import_secrets(ImportSecretsRequest) -> ImportSecretsResponse;
}

/// Returns a value as a request carries it: as text if it is UTF-8, else as bytes.
pub fn secret_value(value: &[u8]) -> v1::SecretValue {
    let value = match std::str::from_utf8(value) {
        Ok(text) => secret_value::Value::Text(text.to_owned()),
        Err(_) => secret_value::Value::Data(value.to_vec()),
    };
    v1::SecretValue { value: Some(value) }
}
