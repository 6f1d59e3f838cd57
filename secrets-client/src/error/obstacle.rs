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
pub enum Obstacle {
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

impl Obstacle {
    /// What an error of the transport means, and a sentence about it.
    pub(crate) fn of(source: &(dyn Error + 'static)) -> (Self, String) {
        let last = super::chain(source).last().unwrap_or(source).to_string();
        super::chain(source).find_map(told_by).unwrap_or_else(|| match told_by_text(&last) {
            obstacle @ Obstacle::NoHttp2 => (obstacle, obstacle.sentence().to_owned()),
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
impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.sentence())
    }
}

impl Error for Obstacle {}

fn told_by(error: &(dyn Error + 'static)) -> Option<(Obstacle, String)> {
    if let Some(obstacle) = error.downcast_ref::<Obstacle>() {
        return Some((*obstacle, obstacle.to_string()));
    }
    if let Some(error) = error.downcast_ref::<ProxyError>() {
        return Some((Obstacle::Proxy, error.to_string()));
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

fn told_by_system(error: &io::Error) -> Option<(Obstacle, String)> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(Obstacle::Refused),
        io::ErrorKind::TimedOut => Some(Obstacle::TimedOut),
        _ => None,
    }
    .map(|obstacle| (obstacle, obstacle.to_string()))
}

fn told_by_tls(error: &rustls::Error) -> (Obstacle, String) {
    match error {
        rustls::Error::InvalidCertificate(error) => told_by_certificate(error),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            (Obstacle::NoTls, Obstacle::NoTls.to_string())
        }
        rustls::Error::AlertReceived(alert) => (Obstacle::Other, format!("TLS was refused there: {alert:?}")),
        other => (Obstacle::Other, format!("tls: {other}")),
    }
}

fn told_by_certificate(error: &CertificateError) -> (Obstacle, String) {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            (Obstacle::CertificateTime, format!("its certificate expired at {}", moment(*not_after)))
        }
        CertificateError::Expired => (Obstacle::CertificateTime, "its certificate has expired".to_owned()),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (Obstacle::CertificateTime, format!("its certificate is not valid before {}", moment(*not_before)))
        }
        CertificateError::NotValidYet => (Obstacle::CertificateTime, "its certificate is not valid yet".to_owned()),
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            (Obstacle::CertificateName, format!("its certificate is for {} only", presented.join(", ")))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (Obstacle::CertificateName, Obstacle::CertificateName.to_string())
        }
        CertificateError::UnknownIssuer => (Obstacle::CertificateAuthority, Obstacle::CertificateAuthority.to_string()),
        // As `openssl req -x509` makes them, unless it is told otherwise.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            let text = "its certificate is an authority's own, which no server may show: whoever runs the service makes \
                        one with `-addext basicConstraints=critical,CA:FALSE`, or lets that authority sign another";
            (Obstacle::Other, text.to_owned())
        }
        other => (Obstacle::CertificateAuthority, format!("its certificate does not pass: {other:?}")),
    }
}

/// What has no type of its own to be told by.
fn told_by_text(text: &str) -> Obstacle {
    if text.starts_with("failed to lookup address information") {
        Obstacle::UnknownHost
    } else if text.starts_with("HTTP/2 was not negotiated") || text.contains("frame with invalid size") {
        Obstacle::NoHttp2
    } else {
        Obstacle::Other
    }
}

fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: 0 }.to_string()
}
