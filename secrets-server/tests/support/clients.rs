//! Clients that present a token.

use secrets_proto::v1::access_service_client::AccessServiceClient;
use secrets_proto::v1::audit_service_client::AuditServiceClient;
use secrets_proto::v1::directory_service_client::DirectoryServiceClient;
use secrets_proto::v1::resolve_service_client::ResolveServiceClient;
use secrets_proto::v1::secret_service_client::SecretServiceClient;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A client that presents a token.
pub type Authenticated<C> = InterceptedService<C, BearerToken>;

/// The clients of one connection.
pub struct Clients(pub Channel);

impl Clients {
    fn authenticated(&self, token: &str) -> Authenticated<Channel> {
        InterceptedService::new(self.0.clone(), BearerToken(token.to_owned()))
    }

    pub fn secrets(&self, token: &str) -> SecretServiceClient<Authenticated<Channel>> {
        SecretServiceClient::new(self.authenticated(token))
    }

    pub fn resolver(&self, token: &str) -> ResolveServiceClient<Authenticated<Channel>> {
        ResolveServiceClient::new(self.authenticated(token))
    }

    pub fn directory(&self, token: &str) -> DirectoryServiceClient<Authenticated<Channel>> {
        DirectoryServiceClient::new(self.authenticated(token))
    }

    pub fn access(&self, token: &str) -> AccessServiceClient<Authenticated<Channel>> {
        AccessServiceClient::new(self.authenticated(token))
    }

    pub fn audit(&self, token: &str) -> AuditServiceClient<Authenticated<Channel>> {
        AuditServiceClient::new(self.authenticated(token))
    }
}

/// Presents a token; none when it is empty.
#[derive(Clone)]
pub struct BearerToken(String);

impl Interceptor for BearerToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if !self.0.is_empty() {
            request.metadata_mut().insert("authorization", format!("Bearer {}", self.0).parse().unwrap());
        }
        Ok(request)
    }
}
