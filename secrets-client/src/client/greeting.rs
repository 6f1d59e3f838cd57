//! What answers at an address without TLS, told by the first bytes that it sends: a connection that breaks does not say.

use http::Uri;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Client;
use super::builder::CONNECT;
use crate::error::{ClientError, ConnectionProblem};

/// How a client of HTTP/2 begins: the preface and a SETTINGS frame with nothing in it (RFC 9113, 3.4 and 6.5).
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Bytes of a frame's header; what begins a TLS record is shorter.
const HEADER: usize = 9;
/// The type of a SETTINGS frame, with which a server begins.
const SETTINGS: u8 = 4;
/// The type of a TLS record with an alert (RFC 8446, 5.1), the answer to what is no TLS, and the major version in it.
const ALERT: [u8; 2] = [21, 3];

/// Greets what is at the other end; what stands in the way of talking with it, if anything does.
pub(super) async fn greet(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<ConnectionProblem> {
    let _ = stream.write_all(GREETING).await; // who refuses it may have said why
    let mut answer = Vec::new();
    let _ = stream.take(HEADER as u64).read_to_end(&mut answer).await;
    if answer.starts_with(&ALERT) {
        Some(ConnectionProblem::WantsTls)
    } else if answer.len() == HEADER && answer.get(3) == Some(&SETTINGS) {
        None
    } else if answer.is_empty() {
        // A balancer whose service is down hangs up like this: no reason to say that something else is there.
        Some(ConnectionProblem::Other)
    } else {
        Some(ConnectionProblem::NoHttp2)
    }
}

impl Client {
    /// The same failure with what stood in the way, where the transport could not tell: what listens was sent a call, and
    /// hung up.
    pub(super) async fn explained(&self, error: ClientError) -> ClientError {
        match &error {
            ClientError::Unreachable {
                obstacle: ConnectionProblem::Other | ConnectionProblem::NoHttp2,
                endpoint,
                never_sent,
                ..
            } if endpoint.starts_with("http://") => {
                let found = timeout(CONNECT, found_at(endpoint)).await.ok().flatten();
                let Some(obstacle) = found.filter(|found| *found != ConnectionProblem::Other) else { return error };
                let (endpoint, detail) = (endpoint.clone(), obstacle.sentence().to_owned());
                ClientError::Unreachable { endpoint, obstacle, detail, never_sent: *never_sent }
            }
            _ => error,
        }
    }
}

async fn found_at(endpoint: &str) -> Option<ConnectionProblem> {
    let uri: Uri = endpoint.parse().ok()?;
    let address = (uri.host()?.trim_start_matches('[').trim_end_matches(']'), uri.port_u16().unwrap_or(80));
    greet(TcpStream::connect(address).await.ok()?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(answer: &'static [u8]) -> Option<ConnectionProblem> {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let told = tokio::spawn(greet(ours));
        theirs.read_exact(&mut [0; GREETING.len()]).await.unwrap();
        theirs.write_all(answer).await.unwrap();
        drop(theirs);
        told.await.unwrap()
    }

    #[tokio::test]
    async fn tells_by_the_first_bytes_what_answers() {
        assert_eq!(told(b"\0\0\x06\x04\0\0\0\0\0\0\0").await, None);
        assert_eq!(told(b"\x15\x03\x03\0\x02\x02\x28").await, Some(ConnectionProblem::WantsTls));
        assert_eq!(told(b"HTTP/1.1 400 Bad Request\r\n").await, Some(ConnectionProblem::NoHttp2));
        assert_eq!(told(b"").await, Some(ConnectionProblem::Other));
    }
}
