//! What stood between this program and the service, read from the transport's errors.

use std::error::Error;
use std::io;

use prost_types::Timestamp;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, CertificateError, InvalidMessage};

use crate::proxy::ProxyError;

/// Why there is no connection, as far as it can be told: each has another remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionProblem {
    /// Nothing listens at the address.
    Refused,
    /// The name of the host is not known.
    UnknownHost,
    /// Nothing answers at the address.
    TimedOut,
    /// The certificate has expired, or is not valid yet.
    CertificateTime,
    /// The certificate is for other names.
    CertificateName,
    /// The certificate is signed by nobody who is trusted.
    CertificateAuthority,
    /// What answers speaks no TLS.
    NoTls,
    /// What answers speaks TLS, and nothing else.
    WantsTls,
    /// What answers speaks no HTTP/2: another service, or something on the way to it.
    NoHttp2,
    /// A proxy is in the way.
    Proxy,
    /// Something else, also a connection that broke.
    Other,
}

impl ConnectionProblem {
    /// What an error of the transport means, and a sentence about it.
    pub(crate) fn of(source: &(dyn Error + 'static)) -> (Self, String) {
        let last = super::chain(source).last().unwrap_or(source).to_string();
        super::chain(source).find_map(told_by).unwrap_or_else(|| match told_by_text(&last) {
            obstacle @ ConnectionProblem::NoHttp2 => (obstacle, obstacle.sentence().to_owned()),
            obstacle => (obstacle, last),
        })
    }

    /// A sentence about it, which says no more than that.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Refused => "the connection was refused",
            Self::UnknownHost => "there is no host of that name",
            Self::TimedOut => "it did not take the connection in time",
            Self::CertificateTime => "its certificate is not valid now",
            Self::CertificateName => "its certificate is for another name",
            Self::CertificateAuthority => "its certificate is signed by nobody who is trusted here",
            Self::NoTls => "what answers there speaks no TLS",
            Self::WantsTls => "what answers there speaks TLS",
            Self::NoHttp2 => "what answers there does not speak gRPC",
            Self::Proxy => "a proxy is in the way",
            Self::Other => "the connection broke",
        }
    }
}

/// As the reason why there is no connection.
impl std::fmt::Display for ConnectionProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.sentence())
    }
}

impl Error for ConnectionProblem {}

fn told_by(error: &(dyn Error + 'static)) -> Option<(ConnectionProblem, String)> {
    if let Some(obstacle) = error.downcast_ref::<ConnectionProblem>() {
        return Some((*obstacle, obstacle.to_string()));
    }
    if let Some(error) = error.downcast_ref::<ProxyError>() {
        return Some((ConnectionProblem::Proxy, error.to_string()));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // What an `io::Error` wraps is not among its sources.
        return match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => Some(told_by_tls(error)),
            None => told_by_system(error),
        };
    }
    error.downcast_ref::<rustls::Error>().map(told_by_tls)
}

fn told_by_system(error: &io::Error) -> Option<(ConnectionProblem, String)> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(ConnectionProblem::Refused),
        io::ErrorKind::TimedOut => Some(ConnectionProblem::TimedOut),
        _ => None,
    }
    .map(|obstacle| (obstacle, obstacle.to_string()))
}

fn told_by_tls(error: &rustls::Error) -> (ConnectionProblem, String) {
    match error {
        rustls::Error::InvalidCertificate(error) => told_by_certificate(error),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            (ConnectionProblem::NoTls, ConnectionProblem::NoTls.to_string())
        }
        rustls::Error::AlertReceived(alert) => (ConnectionProblem::Other, format!("TLS was refused there: {alert:?}")),
        other => (ConnectionProblem::Other, format!("tls: {other}")),
    }
}

fn told_by_certificate(error: &CertificateError) -> (ConnectionProblem, String) {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            (ConnectionProblem::CertificateTime, format!("its certificate expired at {}", moment(*not_after)))
        }
        CertificateError::Expired => (ConnectionProblem::CertificateTime, "its certificate has expired".to_owned()),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (ConnectionProblem::CertificateTime, format!("its certificate is not valid before {}", moment(*not_before)))
        }
        CertificateError::NotValidYet => {
            (ConnectionProblem::CertificateTime, "its certificate is not valid yet".to_owned())
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            (ConnectionProblem::CertificateName, format!("its certificate is for {} only", presented.join(", ")))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (ConnectionProblem::CertificateName, ConnectionProblem::CertificateName.to_string())
        }
        CertificateError::UnknownIssuer => {
            (ConnectionProblem::CertificateAuthority, ConnectionProblem::CertificateAuthority.to_string())
        }
        // As `openssl req -x509` makes them, unless it is told otherwise.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            let text = "its certificate is an authority's own, which no server may show: whoever runs the service makes \
                        one with `-addext basicConstraints=critical,CA:FALSE`, or lets that authority sign another";
            (ConnectionProblem::Other, text.to_owned())
        }
        other => (ConnectionProblem::CertificateAuthority, format!("its certificate does not pass: {other:?}")),
    }
}

/// What has no type of its own to be told by.
fn told_by_text(text: &str) -> ConnectionProblem {
    if text.starts_with("failed to lookup address information") {
        ConnectionProblem::UnknownHost
    } else if text.starts_with("HTTP/2 was not negotiated") || text.contains("frame with invalid size") {
        ConnectionProblem::NoHttp2
    } else {
        ConnectionProblem::Other
    }
}

fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: 0 }.to_string()
}
