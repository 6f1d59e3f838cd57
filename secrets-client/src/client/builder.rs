use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::freshness::Freshness;
use super::{Client, Inner};
use crate::config::{ConfigError, Settings};
use crate::credentials::{Credential, InvalidCredential};
use crate::proxy::{InvalidProxy, Proxy};
use crate::retry::RetryPolicy;

/// How long a connection may take to be made.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// How often an otherwise quiet connection is tried: the least that clients in other languages can do as well.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the other side may take to answer a try. What falls silent, as behind a firewall that has forgotten the
/// connection, is noticed after both, in the midst of a call too.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// What a certificate in a file begins with.
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Builds a [`Client`].
pub struct ClientBuilder {
    endpoint: String,
    credential: Option<Credential>,
    authorities: Vec<Vec<u8>>,
    deadline: Duration,
    retry: RetryPolicy,
    user_agent: Option<String>,
    proxy: Option<Proxy>,
    revisions: BTreeMap<String, String>,
}

/// Why a client can't be built.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The endpoint is no `http://` or `https://` address.
    #[error("endpoint `{endpoint}` does not pass; `http://127.0.0.1:50051` or `https://secrets.example.com` would")]
    Endpoint {
        /// The endpoint as given.
        endpoint: String,
    },
    /// The certificate authority's file can't be read.
    #[error("certificate authority file `{path}`: {error}")]
    Authority {
        /// The file.
        path: String,
        /// Why it can't be read.
        error: std::io::Error,
    },
    /// The TLS library refuses what it was given.
    #[error("tls: {0}")]
    Tls(String),
    /// The environment names a proxy that can't be used.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
    /// The credential does not pass.
    #[error(transparent)]
    Credential(#[from] InvalidCredential),
    /// The configuration can't be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl ClientBuilder {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            credential: None,
            authorities: Vec::new(),
            deadline: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            user_agent: None,
            proxy: None,
            revisions: BTreeMap::new(),
        }
    }

    /// The token that every call shows. Without one, only invitations can be redeemed.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Trusts certificates of this authority too, beside the system's own; PEM, one or several certificates.
    #[must_use]
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// As [`certificate_authority`](Self::certificate_authority), from a file.
    pub fn certificate_authority_file(self, path: &Path) -> Result<Self, ConnectError> {
        match std::fs::read(path) {
            Ok(pem) if pem.windows(PEM.len()).any(|window| window == PEM) => Ok(self.certificate_authority(pem)),
            Ok(_) => {
                let error = std::io::Error::other("there is no certificate in it");
                Err(ConnectError::Authority { path: path.display().to_string(), error })
            }
            Err(error) => Err(ConnectError::Authority { path: path.display().to_string(), error }),
        }
    }

    /// How long a call may take in all, repeats included; 30 s unless set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How calls are repeated while the service is unavailable.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// What the program calls itself, for instance `deployer/1.2`.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Goes through this proxy where it is on the way; [`Client::from_environment`] takes the environment's.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Proxy>) -> Self {
        self.proxy = proxy;
        self
    }

    /// Revisions, by organization, that an earlier client knew of ([`Client::revisions`]): what is read is not older.
    #[must_use]
    pub fn revisions(mut self, revisions: BTreeMap<String, String>) -> Self {
        self.revisions = revisions;
        self
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }

    pub(super) fn through(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Builds the client, within a Tokio runtime. The connection is made by the first call.
    pub fn build(self) -> Result<Client, ConnectError> {
        let refused = || ConnectError::Endpoint { endpoint: self.endpoint.clone() };
        let secure = match self.endpoint.split_once("://") {
            Some(("http", _)) => false,
            Some(("https", _)) => true,
            _ => return Err(refused()),
        };
        let mut endpoint = Endpoint::from_shared(self.endpoint.clone()).map_err(|_| refused())?;
        let user_agent = self.user_agent.unwrap_or_else(|| concat!("secrets/", env!("CARGO_PKG_VERSION")).to_owned());
        endpoint = endpoint
            .user_agent(user_agent)
            .map_err(|error| ConnectError::Tls(error.to_string()))?
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(KEEPALIVE_INTERVAL))
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        if secure {
            let own = !self.authorities.is_empty();
            let authorities = self.authorities.into_iter().map(Certificate::from_pem);
            let tls = ClientTlsConfig::new().ca_certificates(authorities);
            // A container may have no authorities of the system's; one's own are enough then.
            endpoint = match endpoint.clone().tls_config(tls.clone().with_native_roots()) {
                Err(_) if own => endpoint.tls_config(tls),
                configured => configured,
            }
            .map_err(|error| ConnectError::Tls(root_cause(&error)))?;
        }
        let authorization = self.credential.map(|credential| credential.header()).transpose()?;
        Ok(Client(Arc::new(Inner {
            endpoint: self.endpoint,
            channel: connect(&endpoint, self.proxy.as_ref()),
            authorization,
            deadline: self.deadline,
            retry: self.retry,
            freshness: Freshness::of(self.revisions),
        })))
    }
}

impl Client {
    /// A client as the environment and the user's configuration have it: `SECRETS_ENDPOINT`, `SECRETS_TOKEN` or
    /// `SECRETS_TOKEN_FILE`, `SECRETS_CA_FILE`, else `$XDG_CONFIG_HOME/secrets/config.toml`.
    pub fn from_environment() -> Result<Self, ConnectError> {
        Settings::from_environment()?.client()?.build()
    }
}

/// Makes the connection with the first call, and again whenever it was lost.
fn connect(endpoint: &Endpoint, proxy: Option<&Proxy>) -> Channel {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE_INTERVAL));
    match proxy.and_then(|proxy| proxy.connector(endpoint.uri(), tcp.clone())) {
        Some(connector) => endpoint.connect_with_connector_lazy(connector),
        // `connect_lazy` would limit the time for TCP and wait for TLS as long as it takes.
        None => endpoint.connect_with_connector_lazy(tcp),
    }
}

fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).last().map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn refuses_what_is_no_address() {
        for endpoint in ["", "127.0.0.1:50051", "ftp://host", "http://", "unix:/run/x", "http://a b"] {
            assert!(matches!(Client::builder(endpoint).build(), Err(ConnectError::Endpoint { .. })), "{endpoint}");
        }
    }

    #[test]
    fn refuses_an_authority_without_a_certificate() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "-----BEGIN PRIVATE KEY-----").unwrap();
        let builder = || Client::builder("https://localhost");
        assert!(builder().certificate_authority_file(file.path()).is_err());
        assert!(builder().certificate_authority_file(Path::new("/nonexistent/ca.pem")).is_err());
    }

    #[tokio::test]
    async fn takes_plain_and_secure_addresses() {
        for endpoint in ["http://127.0.0.1:50051", "http://[::1]:50051", "https://secrets.example.com"] {
            assert_eq!(Client::builder(endpoint).build().unwrap().endpoint(), endpoint);
        }
    }
}
