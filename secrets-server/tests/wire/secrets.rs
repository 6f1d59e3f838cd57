//! `SecretService` over the wire.

mod access;
mod comparison;
mod copy;
mod copy_refused;
mod create;
mod import;
mod inherited;
mod lifecycle;
mod limits;
mod list;
mod preparation;
mod repeat;
mod unchanged;
mod update;
mod versions;
mod warnings;

use secrets_proto::v1;
use secrets_proto::v1::secret_value::Value;
use secrets_proto::v1::target::Kind;
use tonic::{Response, Status};

use crate::support::server::TestServer;

pub const ACME: &str = "organizations/acme";
pub const API: &str = "organizations/acme/projects/api";
pub const WS1: &str = "organizations/acme/workspaces/ws1";
pub const BOB: &str = "organizations/acme/users/bob";

pub fn text(value: &str) -> Option<v1::SecretValue> {
    Some(v1::SecretValue { value: Some(Value::Text(value.to_owned())) })
}

pub fn bytes(value: &[u8]) -> Option<v1::SecretValue> {
    Some(v1::SecretValue { value: Some(Value::Data(value.to_vec())) })
}

pub fn file(path: &str) -> Option<v1::Target> {
    Some(v1::Target { kind: Some(Kind::File(v1::FileTarget { path: path.to_owned(), mode: 0 })) })
}

pub fn registry(host: &str, username: &str) -> Option<v1::Target> {
    let kind = Kind::Registry(v1::RegistryTarget { host: host.to_owned(), username: username.to_owned() });
    Some(v1::Target { kind: Some(kind) })
}

pub fn creation(parent: &str, id: &str, value: &str) -> v1::CreateSecretRequest {
    v1::CreateSecretRequest {
        parent: parent.to_owned(),
        secret_id: id.to_owned(),
        value: text(value),
        ..Default::default()
    }
}

pub fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

pub fn selected(projects: &[&str], workspaces: &[&str]) -> Option<v1::Visibility> {
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Some(v1::Visibility {
        mode: v1::VisibilityMode::Selected.into(),
        projects: owned(projects),
        workspaces: owned(workspaces),
    })
}

pub fn codes(warnings: &[v1::Warning]) -> Vec<v1::WarningCode> {
    warnings.iter().map(|warning| warning.code()).collect()
}

pub fn names(secrets: &[v1::Secret]) -> Vec<&str> {
    secrets.iter().map(|secret| secret.secret_id.as_str()).collect()
}

/// Short calls, for what goes well and for what is refused.
impl TestServer {
    pub async fn try_create(
        &self,
        token: &str,
        request: v1::CreateSecretRequest,
    ) -> Result<v1::CreateSecretResponse, Status> {
        self.secrets(token).create_secret(request).await.map(Response::into_inner)
    }

    pub async fn create(&self, token: &str, parent: &str, id: &str, value: &str) -> v1::Secret {
        self.try_create(token, creation(parent, id, value)).await.unwrap().secret.unwrap()
    }

    pub async fn create_with(
        &self,
        token: &str,
        parent: &str,
        id: &str,
        secret: v1::Secret,
    ) -> v1::CreateSecretResponse {
        let request = v1::CreateSecretRequest { secret: Some(secret), ..creation(parent, id, "s3cret-value") };
        self.try_create(token, request).await.unwrap()
    }

    pub async fn try_get(&self, token: &str, name: &str) -> Result<v1::Secret, Status> {
        let response = self.secrets(token).get_secret(v1::GetSecretRequest { name: name.to_owned() }).await?;
        Ok(response.into_inner().secret.unwrap())
    }

    pub async fn try_update(
        &self,
        token: &str,
        request: v1::UpdateSecretRequest,
    ) -> Result<v1::UpdateSecretResponse, Status> {
        self.secrets(token).update_secret(request).await.map(Response::into_inner)
    }

    /// Gives a secret a new value.
    pub async fn rotate(&self, token: &str, name: &str, value: &str) -> v1::Secret {
        let secret = v1::Secret { name: name.to_owned(), ..Default::default() };
        let request = v1::UpdateSecretRequest { secret: Some(secret), value: text(value), ..Default::default() };
        self.try_update(token, request).await.unwrap().secret.unwrap()
    }

    pub async fn try_list(
        &self,
        token: &str,
        request: v1::ListSecretsRequest,
    ) -> Result<v1::ListSecretsResponse, Status> {
        self.secrets(token).list_secrets(request).await.map(Response::into_inner)
    }

    pub async fn list(&self, token: &str, parent: &str) -> Vec<v1::Secret> {
        let request = v1::ListSecretsRequest { parent: parent.to_owned(), ..Default::default() };
        self.try_list(token, request).await.unwrap().secrets
    }

    pub async fn try_delete(
        &self,
        token: &str,
        request: v1::DeleteSecretRequest,
    ) -> Result<v1::DeleteSecretResponse, Status> {
        self.secrets(token).delete_secret(request).await.map(Response::into_inner)
    }

    pub async fn delete(&self, token: &str, name: &str) -> v1::Secret {
        let request = v1::DeleteSecretRequest { name: name.to_owned(), ..Default::default() };
        self.try_delete(token, request).await.unwrap().secret.unwrap()
    }

    pub async fn try_undelete(&self, token: &str, name: &str, uid: &str) -> Result<v1::UndeleteSecretResponse, Status> {
        let request = v1::UndeleteSecretRequest { name: name.to_owned(), uid: uid.to_owned(), ..Default::default() };
        self.secrets(token).undelete_secret(request).await.map(Response::into_inner)
    }

    pub async fn try_copy(&self, token: &str, name: &str, parent: &str) -> Result<v1::CopySecretResponse, Status> {
        let request = v1::CopySecretRequest { name: name.to_owned(), parent: parent.to_owned(), ..Default::default() };
        self.secrets(token).copy_secret(request).await.map(Response::into_inner)
    }

    pub async fn try_move(&self, token: &str, name: &str, parent: &str) -> Result<v1::MoveSecretResponse, Status> {
        let request = v1::MoveSecretRequest { name: name.to_owned(), parent: parent.to_owned(), ..Default::default() };
        self.secrets(token).move_secret(request).await.map(Response::into_inner)
    }

    pub async fn versions(&self, token: &str, parent: &str) -> Vec<v1::SecretVersion> {
        let request = v1::ListSecretVersionsRequest { parent: parent.to_owned(), ..Default::default() };
        self.secrets(token).list_secret_versions(request).await.unwrap().into_inner().versions
    }

    pub async fn try_import(
        &self,
        token: &str,
        request: v1::ImportSecretsRequest,
    ) -> Result<v1::ImportSecretsResponse, Status> {
        self.secrets(token).import_secrets(request).await.map(Response::into_inner)
    }

    /// What is stored of a secret's current value, opened: there is no method that says it.
    pub async fn stored_value(&self, secret: &v1::Secret) -> Vec<u8> {
        let db = self.app.store().reader();
        let name: secrets_core::SecretName = secret.name.parse().unwrap();
        let organization =
            secrets_server::store::organization::by_id(db, name.scope.organization()).await.unwrap().unwrap().uid;
        let uid = secret.uid.parse().unwrap();
        let found = secrets_server::store::secret::by_uid(db, organization, uid).await.unwrap().unwrap();
        let keys = self.app.keys().data_keys(db, organization).await.unwrap();
        let key = keys.iter().find(|key| key.version() == found.version.data_key_version).unwrap();
        let identity = secrets_server::crypto::ValueIdentity {
            organization,
            scope: found.secret.scope,
            secret: found.secret.uid,
            secret_id: &found.secret.secret_id,
            version: found.version.version,
            target: &found.version.target,
        };
        key.open(&identity, &found.version.blob).unwrap().expose().to_vec()
    }
}
