//! Finding out what listens at an address without TLS, from the first bytes that it sends: a connection that breaks does
//! not say.

use http::Uri;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Client;
use crate::endpoint::CONNECT_TIMEOUT;
use crate::error::{ClientError, ConnectionProblem};

/// What an HTTP/2 client sends first: the preface and a SETTINGS_FRAME frame with nothing in it (RFC 9113, 3.4 and 6.5).
const CLIENT_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Bytes of a frame's header; the start of a TLS record is shorter.
const FRAME_HEADER_BYTES: usize = 9;
/// The type of a SETTINGS_FRAME frame, with which a server begins.
const SETTINGS_FRAME: u8 = 4;
/// The start of a TLS record with an alert (RFC 8446, 5.1), the answer to what is not TLS: its type and major version.
const TLS_ALERT: [u8; 2] = [21, 3];

/// Sends the HTTP/2 preface, and returns the problem that the answer shows, if it shows one.
pub(super) async fn probe(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<ConnectionProblem> {
    let _ = stream.write_all(CLIENT_PREFACE).await; // a server that refuses it may have said why
    let mut answer = Vec::new();
    let _ = stream.take(FRAME_HEADER_BYTES as u64).read_to_end(&mut answer).await;
    if answer.starts_with(&TLS_ALERT) {
        Some(ConnectionProblem::WantsTls)
    } else if answer.len() == FRAME_HEADER_BYTES && answer.get(3) == Some(&SETTINGS_FRAME) {
        None
    } else if answer.is_empty() {
        // A load balancer whose service is down hangs up like this, so that it may still be the right address.
        Some(ConnectionProblem::Other)
    } else {
        Some(ConnectionProblem::NoHttp2)
    }
}

impl Client {
    /// Adds the problem to a failure that the transport could not explain: the server got a call, and hung up.
    pub(super) async fn with_diagnosis(&self, error: ClientError) -> ClientError {
        match &error {
            ClientError::Unreachable {
                problem: ConnectionProblem::Other | ConnectionProblem::NoHttp2,
                endpoint,
                never_sent,
                ..
            } if endpoint.starts_with("http://") => {
                let found = timeout(CONNECT_TIMEOUT, probe_endpoint(endpoint)).await.ok().flatten();
                let Some(problem) = found.filter(|found| *found != ConnectionProblem::Other) else { return error };
                let (endpoint, detail) = (endpoint.clone(), problem.message().to_owned());
                ClientError::Unreachable { endpoint, problem, detail, never_sent: *never_sent }
            }
            _ => error,
        }
    }
}

async fn probe_endpoint(endpoint: &str) -> Option<ConnectionProblem> {
    let uri: Uri = endpoint.parse().ok()?;
    let address = (uri.host()?.trim_start_matches('[').trim_end_matches(']'), uri.port_u16().unwrap_or(80));
    probe(TcpStream::connect(address).await.ok()?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn problem_of(answer: &'static [u8]) -> Option<ConnectionProblem> {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let probed = tokio::spawn(probe(ours));
        theirs.read_exact(&mut [0; CLIENT_PREFACE.len()]).await.unwrap();
        theirs.write_all(answer).await.unwrap();
        drop(theirs);
        probed.await.unwrap()
    }

    #[tokio::test]
    async fn recognizes_what_answers_by_its_first_bytes() {
        assert_eq!(problem_of(b"\0\0\x06\x04\0\0\0\0\0\0\0").await, None);
        assert_eq!(problem_of(b"\x15\x03\x03\0\x02\x02\x28").await, Some(ConnectionProblem::WantsTls));
        assert_eq!(problem_of(b"HTTP/1.1 400 Bad Request\r\n").await, Some(ConnectionProblem::NoHttp2));
        assert_eq!(problem_of(b"").await, Some(ConnectionProblem::Other));
    }
}
