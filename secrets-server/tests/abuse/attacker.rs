//! Somebody who speaks HTTP/2 and keeps to no rule of gRPC.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Method, Request, Response};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// No answer takes as long as this, on the slowest machine: it only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
pub struct Attacker {
    requests: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

/// A request whose body is not finished.
pub struct OpenRequest {
    response: ResponseFuture,
    pub body: SendStream<Bytes>,
}

/// What came of a request.
#[derive(Debug)]
pub struct Outcome {
    pub http: u16,
    pub code: Code,
    /// Empty without an `ErrorInfo`.
    pub reason: String,
    /// Of the `ErrorInfo`; empty without one.
    pub limit: String,
    /// When to send it again.
    pub retry_after: Option<Duration>,
}

impl Attacker {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    /// The same, with room for this much of each answer until it is taken.
    pub async fn with_window(address: SocketAddr, bytes: u32) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        let (requests, connection) = builder.initial_window_size(bytes).handshake(stream).await.unwrap();
        Self { requests, connection: tokio::spawn(connection) }
    }

    pub async fn over(stream: TcpStream) -> Self {
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        Self { requests, connection: tokio::spawn(connection) }
    }

    /// Sends the headers of a gRPC call, with `authorization` for each given.
    pub async fn open(&mut self, path: &str, authorizations: &[&str]) -> OpenRequest {
        self.send(call(path, authorizations)).await
    }

    pub async fn send(&mut self, request: Request<()>) -> OpenRequest {
        let mut requests = self.requests.clone().ready().await.unwrap();
        let (response, body) = requests.send_request(request, false).unwrap();
        OpenRequest { response, body }
    }

    /// Opens a call and takes it back at once.
    pub async fn open_and_reset(&mut self, path: &str, token: &str) {
        let request = call(path, &[token]);
        if let Ok(mut requests) = self.requests.clone().ready().await
            && let Ok((_, mut body)) = requests.send_request(request, false)
        {
            body.send_reset(h2::Reason::CANCEL);
        }
    }

    /// Waits until the server has ended the connection.
    pub async fn closed(&mut self) {
        let _ = tokio::time::timeout(PATIENCE, &mut self.connection).await.expect("closed");
    }

    /// Ends the connection.
    pub async fn leave(self) {
        drop(self.requests);
        let _ = tokio::time::timeout(PATIENCE, self.connection).await.expect("closed");
    }

    /// Ends the connection without a word.
    pub fn abort(self) {
        self.connection.abort();
    }

    /// Whether the server has ended the connection.
    pub fn is_closed(&self) -> bool {
        self.connection.is_finished()
    }
}

/// The headers of a gRPC call.
fn call(path: &str, authorizations: &[&str]) -> Request<()> {
    let mut request = Request::builder().method(Method::POST).uri(format!("http://server{path}"));
    request = request.header("content-type", "application/grpc").header("te", "trailers");
    for token in authorizations {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(()).unwrap()
}

impl OpenRequest {
    /// Sends bytes of the body, without regard to whether there is room for them.
    pub fn push(&mut self, bytes: impl Into<Bytes>) {
        self.body.send_data(bytes.into(), false).unwrap();
    }

    /// Ends the body with one message, and waits for the outcome.
    pub async fn finish(mut self, message: &[u8]) -> Outcome {
        // A call that was refused by its headers takes no body any more.
        let _ = self.body.send_data(framed(message).into(), true);
        self.outcome().await
    }

    /// Waits for the outcome, whatever the body.
    pub async fn outcome(self) -> Outcome {
        tokio::time::timeout(PATIENCE, outcome(self.response)).await.expect("an answer")
    }
}

async fn outcome(response: ResponseFuture) -> Outcome {
    let response: Response<_> = response.await.unwrap();
    let http = response.status().as_u16();
    let headers = response.headers().clone();
    if let Some(outcome) = read(http, &headers) {
        return outcome;
    }
    let mut body = response.into_body();
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data.unwrap().len()).unwrap();
    }
    let trailers = body.trailers().await.unwrap().expect("trailers");
    read(http, &trailers).expect("a status")
}

fn read(http: u16, headers: &HeaderMap) -> Option<Outcome> {
    let status = Status::from_header_map(headers)?;
    let details = status.get_error_details();
    let info = details.error_info();
    Some(Outcome {
        http,
        code: status.code(),
        reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
        limit: info.and_then(|info| info.metadata.get("limit").cloned()).unwrap_or_default(),
        retry_after: details.retry_info().and_then(|info| info.retry_delay),
    })
}

/// A message with its prefix.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}
