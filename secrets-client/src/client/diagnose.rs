//! Diagnosing a connection: how long it takes to connect, and which certificate the service presents. It connects as calls
//! do, and sends none.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use prost_types::Timestamp;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower::{BoxError, ServiceExt as _};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::builder::ClientBuilder;
use super::probe::probe;
use crate::endpoint::CONNECT_TIMEOUT;
use crate::error::{ClientError, ConnectionProblem};

/// The result of a test connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// How long it took to connect, through a proxy and with TLS where they are used.
    pub took: Duration,
    /// The service's certificate; none without TLS.
    pub certificate: Option<ServerCertificate>,
}

/// A certificate that was accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerCertificate {
    /// Who signed it, as a distinguished name: `CN=Example CA, O=Example`.
    pub issuer: String,
    /// When it expires.
    pub expires: Option<Timestamp>,
    /// Whether an authority that the user configured signed it, rather than one of the system's.
    pub by_own_authority: bool,
}

impl ClientBuilder {
    /// Connects once, without sending a call.
    pub async fn diagnose(&self) -> Result<ConnectionReport, ClientError> {
        let endpoint = self.endpoint();
        let begun = Instant::now();
        let examined = tokio::time::timeout(CONNECT_TIMEOUT, self.examine()).await;
        let unreachable = |(problem, detail)| ClientError::Unreachable {
            endpoint: endpoint.to_owned(),
            problem,
            detail,
            never_sent: true,
        };
        match examined {
            Ok(Ok(certificate)) => Ok(ConnectionReport { took: begun.elapsed(), certificate }),
            Ok(Err(error)) => Err(unreachable(ConnectionProblem::from_transport(error.as_ref()))),
            Err(_elapsed) => Err(unreachable((
                ConnectionProblem::TimedOut,
                format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()),
            ))),
        }
    }

    async fn examine(&self) -> Result<Option<ServerCertificate>, BoxError> {
        let uri: Uri = self.endpoint().parse()?;
        let stream = self.connect_plainly(&uri).await?;
        if uri.scheme_str() != Some("https") {
            return match probe(stream).await {
                None => Ok(None),
                Some(problem) => Err(Box::new(problem)),
            };
        }
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host)?;
        let own = self.own_authorities();
        let mut all = own.clone();
        all.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(all)
            .with_no_client_auth();
        config.alpn_protocols.push(b"h2".to_vec());
        let secure = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await?;
        let Some([end, between @ ..]) = secure.get_ref().1.peer_certificates() else { return Ok(None) };
        let by_own_authority = WebPkiServerVerifier::builder_with_provider(Arc::new(own), provider)
            .build()
            .is_ok_and(|own| own.verify_server_cert(end, between, &name, &[], UnixTime::now()).is_ok());
        Ok(Some(ServerCertificate::read(end, by_own_authority)))
    }

    async fn connect_plainly(&self, uri: &Uri) -> Result<TcpStream, BoxError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let connected: TokioIo<TcpStream> =
            match self.configured_proxy().and_then(|proxy| proxy.connector(uri, tcp.clone())) {
                Some(tunnel) => tunnel.oneshot(uri.clone()).await?,
                None => tcp.oneshot(uri.clone()).await?,
            };
        Ok(connected.into_inner())
    }

    fn own_authorities(&self) -> RootCertStore {
        let mut own = RootCertStore::empty();
        for pem in self.authorities() {
            own.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
        }
        own
    }
}

impl ServerCertificate {
    fn read(certificate: &CertificateDer<'_>, by_own_authority: bool) -> Self {
        let parsed = X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed);
        let issuer = parsed.as_ref().map(|parsed| parsed.issuer().to_string()).unwrap_or_default();
        let expires = parsed.map(|parsed| Timestamp { seconds: parsed.validity().not_after.timestamp(), nanos: 0 });
        Self { issuer, expires, by_own_authority }
    }
}
