//! Problems with a connection, read from the transport's errors.

use std::error::Error;
use std::io;

use prost_types::Timestamp;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, InvalidMessage};

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
    /// The deadline of the call passed before its answer.
    Deadline,
    /// Something else, also a connection that broke.
    Other,
}

impl ConnectionProblem {
    /// Reads an error of the transport: the problem, and a sentence about it with the details.
    pub(crate) fn from_transport(source: &(dyn Error + 'static)) -> (Self, String) {
        let last = chain(source).last().unwrap_or(source).to_string();
        chain(source).find_map(from_error).unwrap_or_else(|| match from_text(&last) {
            problem @ (ConnectionProblem::NoHttp2 | ConnectionProblem::TimedOut) => {
                (problem, problem.message().to_owned())
            }
            ConnectionProblem::UnknownHost => (ConnectionProblem::UnknownHost, unknown_host(&last)),
            problem => (problem, last),
        })
    }

    /// Returns a sentence about it, without details.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Refused => "the connection was refused",
            Self::UnknownHost => "the host is unknown",
            Self::TimedOut => "nothing answers there",
            Self::CertificateTime => "the certificate is not valid now",
            Self::CertificateName => "the certificate is for another name",
            Self::CertificateAuthority => "the certificate is signed by an authority that is not trusted here",
            Self::NoTls => "the server does not speak TLS",
            Self::WantsTls => "the server expects TLS",
            Self::NoHttp2 => "the server does not speak gRPC",
            Self::Proxy => "the proxy refused",
            Self::Deadline => "no answer within the deadline",
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
    if error.is::<tonic::TimeoutExpired>() {
        return Some((ConnectionProblem::Deadline, ConnectionProblem::Deadline.to_string()));
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
        rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            (ConnectionProblem::NoHttp2, ConnectionProblem::NoHttp2.to_string())
        }
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
            let text = "the server and this program have no version of TLS, or no cipher, in common";
            (ConnectionProblem::Other, text.to_owned())
        }
        rustls::Error::AlertReceived(alert) => {
            (ConnectionProblem::Other, format!("the server refused TLS: {}", in_words(&format!("{alert:?}"))))
        }
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
            (ConnectionProblem::CertificateName, format!("the certificate is for {} only", names(presented)))
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
        CertificateError::Revoked => {
            (ConnectionProblem::CertificateAuthority, "the certificate was revoked".to_owned())
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            (ConnectionProblem::CertificateAuthority, "the certificate is not made for a server".to_owned())
        }
        other => (
            ConnectionProblem::CertificateAuthority,
            format!("the certificate is not valid: {}", in_words(&format!("{other:?}"))),
        ),
    }
}

/// The most names of a certificate that are shown.
const MAX_NAMES: usize = 5;

/// The names that a certificate is for, which the TLS library gives as `DnsName("a.example")` and `IpAddress(192.0.2.1)`.
fn names(presented: &[String]) -> String {
    let bare = presented.iter().map(|name| {
        let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')).unwrap_or(name);
        inner.trim_matches('"')
    });
    let shown: Vec<&str> = bare.take(MAX_NAMES).collect();
    let more = presented.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The name of an error of the TLS library, such as `BadSignature` or `Other(…)`, as words.
fn in_words(name: &str) -> String {
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    let mut words = String::new();
    for letter in name.chars().take(end) {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// Recognizes what has no type of its own by its text.
fn from_text(text: &str) -> ConnectionProblem {
    if text.starts_with("failed to lookup address information") {
        ConnectionProblem::UnknownHost
    } else if text.contains("keep-alive timed out") {
        ConnectionProblem::TimedOut
    } else if text.starts_with("HTTP/2 was not negotiated") || text.contains("frame with invalid size") {
        ConnectionProblem::NoHttp2
    } else {
        ConnectionProblem::Other
    }
}

/// What the system says of a name that it can't look up, without how that is called in a program.
fn unknown_host(text: &str) -> String {
    let said = text.split_once(": ").map_or(text, |(_, said)| said);
    format!("{}: {said}", ConnectionProblem::UnknownHost.message())
}

fn format_time(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: 0 }.to_string()
}

/// Whether an error says that there was no connection yet, so that nothing can have been sent: the limit of the time that one
/// may take is around what reports every other failure to connect.
pub(super) fn is_before_the_first_byte(error: &(dyn Error + 'static)) -> bool {
    let is_elapsed = |error: &io::Error| error.get_ref().is_some_and(|inner| inner.is::<tokio::time::error::Elapsed>());
    error.is::<tonic::ConnectError>() || error.downcast_ref::<io::Error>().is_some_and(is_elapsed)
}

/// The error and its sources, from the outside in.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::pki_types::ServerName;

    use super::*;

    #[test]
    fn names_of_the_library_are_not_shown() {
        let mut presented: Vec<String> =
            ["DnsName(\"a.example\")", "IpAddress(192.0.2.1)", "DirectoryName"].map(str::to_owned).into();
        let expected = ServerName::try_from("b.example").unwrap().to_owned();
        let text = |presented: &[String]| {
            let presented = presented.to_owned();
            from_certificate(&CertificateError::NotValidForNameContext { expected: expected.clone(), presented }).1
        };
        assert_eq!(text(&presented), "the certificate is for a.example, 192.0.2.1, DirectoryName only");
        presented.extend((0..4).map(|at| format!("DnsName(\"{at}.example\")")));
        assert!(text(&presented).ends_with("0.example, 1.example and 2 more only"), "{}", text(&presented));
        for (error, text) in [
            (CertificateError::BadSignature, "the certificate is not valid: bad signature"),
            (CertificateError::InvalidPurpose, "the certificate is not made for a server"),
            (CertificateError::Revoked, "the certificate was revoked"),
        ] {
            assert_eq!(from_certificate(&error).1, text);
        }
        let alert = |alert| from_tls(&rustls::Error::AlertReceived(alert)).1;
        assert_eq!(alert(AlertDescription::BadCertificate), "the server refused TLS: bad certificate");
        assert!(alert(AlertDescription::ProtocolVersion).contains("no version of TLS"));
    }
}
