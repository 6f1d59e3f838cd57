//! The wire: handlers that decode, call and encode, and nothing else.
//!
//! Protobuf types stop here. To add a method: its messages in `proto/`, a decoder from the message to a domain type in
//! `decode/`, an encoder back in `encode/`, and a handler of one expression through the [`handler::Handler`]. To add a
//! service: its handlers here, and its line in [`routes`].

pub mod access;
pub mod audit;
pub mod decode;
pub mod directory;
pub mod encode;
pub mod handler;
mod hang_up;
pub mod resolve;
pub mod secret;
pub mod status;

use std::sync::Arc;

use secrets_proto::v1::access_service_server::AccessServiceServer;
use secrets_proto::v1::audit_service_server::AuditServiceServer;
use secrets_proto::v1::directory_service_server::DirectoryServiceServer;
use secrets_proto::v1::resolve_service_server::ResolveServiceServer;
use secrets_proto::v1::secret_service_server::SecretServiceServer;
use tonic::service::Routes;

use crate::auth::Authenticator;
use crate::config::{Offered, OfferedService};
use crate::limited;
use crate::service::Service;

/// The services that a listener offers.
pub fn routes(service: &Arc<Service>, authenticator: &Arc<Authenticator>, offered: &Offered) -> Routes {
    let handler = handler::Handler::new(Arc::clone(service), Arc::clone(authenticator));
    let mut routes = Routes::default();
    if offered.contains(OfferedService::Resolve) {
        routes = routes.add_service(limited!(ResolveServiceServer::new(resolve::Resolve::new(handler.clone()))));
    }
    if offered.contains(OfferedService::Directory) {
        routes = routes.add_service(limited!(DirectoryServiceServer::new(directory::Directory::new(handler.clone()))));
    }
    if offered.contains(OfferedService::Access) {
        routes = routes.add_service(limited!(AccessServiceServer::new(access::Access::new(handler.clone()))));
    }
    if offered.contains(OfferedService::Audit) {
        routes = routes.add_service(limited!(AuditServiceServer::new(audit::Audit::new(handler.clone()))));
    }
    if offered.contains(OfferedService::Secret) {
        routes = routes.add_service(limited!(SecretServiceServer::new(secret::Secrets::new(handler.clone()))));
    }
    routes
}
