use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use secrets_proto::v1::CallPurpose;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::freshness::Freshness;
use super::wait_notice::WaitNotice;
use super::{Client, Inner};
use crate::credentials::{Credential, InvalidCredential};
use crate::endpoint::{self, CONNECT_TIMEOUT, InvalidEndpoint};
use crate::proxy::{InvalidProxy, Proxy};
use crate::retry::RetryPolicy;

/// How often an idle connection is checked with a ping: the shortest interval that clients in other languages can use too.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the other side may take to answer a ping. A dead connection, for instance one that a firewall has forgotten, is
/// noticed after both, also in the midst of a call.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// The first line of a certificate in PEM.
const PEM_HEADER: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Builds a [`Client`].
pub struct ClientBuilder {
    endpoint: String,
    credential: Option<Credential>,
    purpose: CallPurpose,
    authorities: Vec<Vec<u8>>,
    deadline: Duration,
    retry: RetryPolicy,
    user_agent: Option<String>,
    proxy: Option<Proxy>,
    revisions: BTreeMap<String, String>,
    insecure: bool,
    wait_notice: Option<WaitNotice>,
}

/// Why a client can't be built.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The endpoint is not the address of a service.
    #[error("invalid endpoint: {0}")]
    Endpoint(#[from] InvalidEndpoint),
    /// The endpoint is on another machine, and without TLS.
    #[error(
        "{endpoint} is not encrypted, so that others on the network could read tokens and values; use `https://`, or allow it for \
         a network that you trust with --insecure, SECRETS_INSECURE=1, `insecure = true` under `[endpoints.\"{endpoint}\"]` in your \
         configuration, or the library's `insecure()`"
    )]
    Insecure {
        /// The endpoint.
        endpoint: endpoint::Endpoint,
    },
    /// The certificate authority's file can't be read.
    #[error("certificate authority file `{path}`: {error}")]
    Authority {
        /// The file.
        path: String,
        /// Why it can't be read.
        error: std::io::Error,
    },
    /// The TLS library refuses its configuration.
    #[error("tls: {0}")]
    Tls(String),
    /// The environment names a proxy that can't be used.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
    /// The credential is not valid.
    #[error(transparent)]
    Credential(#[from] InvalidCredential),
}

impl ClientBuilder {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            credential: None,
            purpose: CallPurpose::Unspecified,
            authorities: Vec::new(),
            deadline: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            user_agent: None,
            proxy: None,
            revisions: BTreeMap::new(),
            insecure: false,
            wait_notice: None,
        }
    }

    /// Sets the token that every call sends, or the invitation's code that is redeemed for one.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Says what all calls are for, in the audit events of those that list names.
    #[must_use]
    pub fn purpose(mut self, purpose: CallPurpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Trusts certificates of this authority too, beside the system's own; PEM, one or several certificates.
    #[must_use]
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Trusts the authorities in a file, as [`certificate_authority`](Self::certificate_authority) does.
    pub fn certificate_authority_file(self, path: &Path) -> Result<Self, ConnectError> {
        match std::fs::read(path) {
            Ok(pem) if pem.windows(PEM_HEADER.len()).any(|window| window == PEM_HEADER) => {
                Ok(self.certificate_authority(pem))
            }
            Ok(_) => {
                let error = std::io::Error::other("expected a PEM certificate, found none");
                Err(ConnectError::Authority { path: path.display().to_string(), error })
            }
            Err(error) => Err(ConnectError::Authority { path: path.display().to_string(), error }),
        }
    }

    /// Sets how long a call may take in all, retries included; 30 s unless set.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how calls are sent again while the service is unavailable.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the name of the program, for instance `deployer/1.2`.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Uses this proxy for the services that it applies to; [`Client::from_environment`] uses the environment's.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Proxy>) -> Self {
        self.proxy = proxy;
        self
    }

    /// Sets the revisions, by organization, that an earlier client knew of ([`Client::revisions`]): no answer is older.
    #[must_use]
    pub fn revisions(mut self, revisions: BTreeMap<String, String>) -> Self {
        self.revisions = revisions;
        self
    }

    /// Allows an `http://` endpoint on another machine, for a network that nobody else can listen to. Without it, the client
    /// speaks plain text to `localhost`, 127.0.0.0/8 and `::1` alone.
    #[must_use]
    pub fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Calls `notify` with the endpoint whenever a call has taken longer than `after`, once for each call: for a program whose
    /// person waits.
    #[must_use]
    pub fn on_long_wait(mut self, after: Duration, notify: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.wait_notice = Some(WaitNotice::new(after, notify));
        self
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }

    pub(super) fn configured_proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Builds the client, within a Tokio runtime. The first call connects.
    pub fn build(self) -> Result<Client, ConnectError> {
        let address: endpoint::Endpoint = self.endpoint.parse()?;
        if address.is_exposed() && !self.insecure {
            return Err(ConnectError::Insecure { endpoint: address });
        }
        let mut endpoint = Endpoint::from_shared(address.to_string()).map_err(|_| InvalidEndpoint::Host)?;
        let user_agent = self.user_agent.unwrap_or_else(|| concat!("secrets/", env!("CARGO_PKG_VERSION")).to_owned());
        endpoint = endpoint
            .user_agent(user_agent)
            .map_err(|error| ConnectError::Tls(error.to_string()))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(KEEPALIVE_INTERVAL))
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        if address.is_tls() {
            let own = !self.authorities.is_empty();
            let authorities = self.authorities.into_iter().map(Certificate::from_pem);
            let tls = ClientTlsConfig::new().ca_certificates(authorities);
            // A container may have no system authorities; the given ones are enough then.
            endpoint = match endpoint.clone().tls_config(tls.clone().with_native_roots()) {
                Err(_) if own => endpoint.tls_config(tls),
                configured => configured,
            }
            .map_err(|error| ConnectError::Tls(root_cause(&error)))?;
        }
        let credential_kind = self.credential.as_ref().and_then(Credential::kind);
        let authorization = self.credential.map(|credential| credential.header()).transpose()?;
        Ok(Client(Arc::new(Inner {
            endpoint: address,
            channel: connect(&endpoint, self.proxy.as_ref()),
            authorization,
            credential_kind,
            purpose: self.purpose,
            deadline: self.deadline,
            retry: self.retry,
            freshness: Freshness::new(self.revisions),
            wait_notice: self.wait_notice,
            sign_in_end: OnceLock::new(),
            recovery: OnceLock::new(),
        })))
    }
}

/// Connects with the first call, and again whenever the connection was lost.
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
    async fn refuses_an_endpoint_that_is_not_an_address() {
        for endpoint in ["", "127.0.0.1:50051", "ftp://host", "http://", "unix:/run/x", "http://a b"] {
            assert!(matches!(Client::builder(endpoint).build(), Err(ConnectError::Endpoint(_))), "{endpoint}");
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
    async fn needs_to_be_allowed_to_speak_plain_text_to_another_machine() {
        for endpoint in ["http://secrets.example.com", "http://10.0.0.1:50051"] {
            let error = Client::builder(endpoint).build().unwrap_err().to_string();
            for way in ["--insecure", "SECRETS_INSECURE=1", "`insecure = true`", "`insecure()`"] {
                assert!(error.contains(endpoint) && error.contains(way), "{error}");
            }
            assert_eq!(Client::builder(endpoint).insecure().build().unwrap().endpoint(), endpoint);
        }
    }

    #[tokio::test]
    async fn takes_plain_and_secure_addresses() {
        for endpoint in ["http://127.0.0.1:50051", "http://[::1]:50051", "https://secrets.example.com"] {
            assert_eq!(Client::builder(endpoint).build().unwrap().endpoint(), endpoint);
        }
    }
}
