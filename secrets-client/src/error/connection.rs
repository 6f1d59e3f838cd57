//! Problems with a connection, read from the transport's errors.

use std::error::Error;
use std::io;

use prost_types::Timestamp;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, CertificateError, InvalidMessage};

use crate::proxy::ProxyError;

/// Why there is no connection, as far as it is known: each has another remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionProblem {
    /// Nothing listens at the address.
    Refused,
    /// The host's name is unknown.
    UnknownHost,
    /// Nothing answers at the address.
    TimedOut,
    /// The certificate has expired, or is not valid yet.
    CertificateTime,
    /// The certificate is for other names.
    CertificateName,
    /// The certificate is signed by an authority that is not trusted.
    CertificateAuthority,
    /// The server does not speak TLS.
    NoTls,
    /// The server expects TLS.
    WantsTls,
    /// The server does not speak HTTP/2: it is another service, or something on the way.
    NoHttp2,
    /// A proxy refuses, or can't be reached.
    Proxy,
    /// Something else, also a connection that broke.
    Other,
}

impl ConnectionProblem {
    /// Reads an error of the transport: the problem, and a sentence about it with the details.
    pub(crate) fn from_transport(source: &(dyn Error + 'static)) -> (Self, String) {
        let last = chain(source).last().unwrap_or(source).to_string();
        chain(source).find_map(from_error).unwrap_or_else(|| match from_text(&last) {
            problem @ ConnectionProblem::NoHttp2 => (problem, problem.message().to_owned()),
            problem => (problem, last),
        })
    }

    /// Returns a sentence about it, without details.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Refused => "the connection was refused",
            Self::UnknownHost => "the host is unknown",
            Self::TimedOut => "the server did not accept the connection in time",
            Self::CertificateTime => "the certificate is not valid now",
            Self::CertificateName => "the certificate is for another name",
            Self::CertificateAuthority => "the certificate is signed by an authority that is not trusted here",
            Self::NoTls => "the server does not speak TLS",
            Self::WantsTls => "the server expects TLS",
            Self::NoHttp2 => "the server does not speak gRPC",
            Self::Proxy => "the proxy refused",
            Self::Other => "the connection broke",
        }
    }
}

/// The cause of a failed connection.
impl std::fmt::Display for ConnectionProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl Error for ConnectionProblem {}

fn from_error(error: &(dyn Error + 'static)) -> Option<(ConnectionProblem, String)> {
    if let Some(problem) = error.downcast_ref::<ConnectionProblem>() {
        return Some((*problem, problem.to_string()));
    }
    if let Some(error) = error.downcast_ref::<ProxyError>() {
        return Some((ConnectionProblem::Proxy, error.to_string()));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // What an `io::Error` wraps is not among its sources.
        return match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Some(from_tls(error)),
            None => from_system(error),
        };
    }
    error.downcast_ref::<rustls::Error>().map(from_tls)
}

fn from_system(error: &io::Error) -> Option<(ConnectionProblem, String)> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(ConnectionProblem::Refused),
        io::ErrorKind::TimedOut => Some(ConnectionProblem::TimedOut),
        _ => None,
    }
    .map(|problem| (problem, problem.to_string()))
}

fn from_tls(error: &rustls::Error) -> (ConnectionProblem, String) {
    match error {
        rustls::Error::InvalidCertificate(error) => from_certificate(error),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            (ConnectionProblem::NoTls, ConnectionProblem::NoTls.to_string())
        }
        rustls::Error::AlertReceived(alert) => (ConnectionProblem::Other, format!("the server refused TLS: {alert:?}")),
        other => (ConnectionProblem::Other, format!("tls: {other}")),
    }
}

fn from_certificate(error: &CertificateError) -> (ConnectionProblem, String) {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            (ConnectionProblem::CertificateTime, format!("the certificate expired at {}", format_time(*not_after)))
        }
        CertificateError::Expired => (ConnectionProblem::CertificateTime, "the certificate has expired".to_owned()),
        CertificateError::NotValidYetContext { not_before, .. } => (
            ConnectionProblem::CertificateTime,
            format!("the certificate is not valid before {}", format_time(*not_before)),
        ),
        CertificateError::NotValidYet => {
            (ConnectionProblem::CertificateTime, "the certificate is not valid yet".to_owned())
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            (ConnectionProblem::CertificateName, format!("the certificate is for {} only", presented.join(", ")))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (ConnectionProblem::CertificateName, ConnectionProblem::CertificateName.to_string())
        }
        CertificateError::UnknownIssuer => {
            (ConnectionProblem::CertificateAuthority, ConnectionProblem::CertificateAuthority.to_string())
        }
        // The default of `openssl req -x509`.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            let text = "the certificate is an authority's own, which a server must not use: the operator of the service creates \
                        one with `-addext basicConstraints=critical,CA:FALSE`, or one that the authority signs";
            (ConnectionProblem::Other, text.to_owned())
        }
        other => (ConnectionProblem::CertificateAuthority, format!("the certificate is not valid: {other:?}")),
    }
}

/// Recognizes what has no type of its own by its text.
fn from_text(text: &str) -> ConnectionProblem {
    if text.starts_with("failed to lookup address information") {
        ConnectionProblem::UnknownHost
    } else if text.starts_with("HTTP/2 was not negotiated") || text.contains("frame with invalid size") {
        ConnectionProblem::NoHttp2
    } else {
        ConnectionProblem::Other
    }
}

fn format_time(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: 0 }.to_string()
}

/// The error and its sources, from the outside in.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
