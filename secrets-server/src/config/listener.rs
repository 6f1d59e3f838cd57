//! Where the server listens, and what it offers there.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use secrets_proto::v1::{
    access_service_server, audit_service_server, directory_service_server, resolve_service_server,
    secret_service_server,
};

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// The address; port 0 takes a free port.
    pub address: SocketAddr,
    pub offered: Offered,
    /// The certificate to serve, or `None` for plain text.
    pub tls: Option<TlsFiles>,
}

/// The files, in PEM, of a TLS listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain, leaf first.
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Something that a listener may offer. Health checks are offered everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferedService {
    /// `secretsapi.v1.SecretService`
    Secret,
    /// `secretsapi.v1.ResolveService`
    Resolve,
    /// `secretsapi.v1.DirectoryService`
    Directory,
    /// `secretsapi.v1.AccessService`
    Access,
    /// `secretsapi.v1.AuditService`
    Audit,
    /// gRPC server reflection, v1 and v1alpha
    Reflection,
    /// `grpc.health.v1.Health`, which every listener offers; for one that offers nothing else
    Health,
}

impl OfferedService {
    /// Every service but health checks, which need not be named.
    pub const ALL: [Self; 6] =
        [Self::Secret, Self::Resolve, Self::Directory, Self::Access, Self::Audit, Self::Reflection];

    /// Its word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Resolve => "resolve",
            Self::Directory => "directory",
            Self::Access => "access",
            Self::Audit => "audit",
            Self::Reflection => "reflection",
            Self::Health => "health",
        }
    }

    /// Its full protobuf name, for health checks and reflection; these themselves have none here.
    pub fn grpc_name(self) -> Option<&'static str> {
        match self {
            Self::Secret => Some(secret_service_server::SERVICE_NAME),
            Self::Resolve => Some(resolve_service_server::SERVICE_NAME),
            Self::Directory => Some(directory_service_server::SERVICE_NAME),
            Self::Access => Some(access_service_server::SERVICE_NAME),
            Self::Audit => Some(audit_service_server::SERVICE_NAME),
            Self::Reflection | Self::Health => None,
        }
    }
}

/// What one listener offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered(BTreeSet<OfferedService>);

impl Offered {
    /// Everything there is.
    pub fn all() -> Self {
        Self(OfferedService::ALL.into())
    }

    /// Whether `service` is offered.
    pub fn contains(&self, service: OfferedService) -> bool {
        self.0.contains(&service)
    }

    /// Whether nothing is offered but health checks.
    pub fn is_health_only(&self) -> bool {
        self.0.iter().all(|service| *service == OfferedService::Health)
    }

    /// The full protobuf names of what health is told of: what is offered, or everything where that is nothing.
    pub fn health_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let services = if self.is_health_only() { OfferedService::ALL.into() } else { self.0.clone() };
        services.into_iter().filter_map(OfferedService::grpc_name)
    }

    /// The full protobuf names of what is offered.
    pub fn grpc_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().filter_map(|service| service.grpc_name())
    }
}

impl FromIterator<OfferedService> for Offered {
    fn from_iter<I: IntoIterator<Item = OfferedService>>(services: I) -> Self {
        Self(services.into_iter().collect())
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, service) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}\"{}\"", service.word())?;
        }
        Ok(())
    }
}
