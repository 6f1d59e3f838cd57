//! Connections that do nothing, or next to nothing.

use std::time::Duration;

use h2::client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::repeat::over_streams;
use crate::target::Target;

const CONNECTIONS: usize = 2_000;
/// What every connection of HTTP/2 begins with, RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Sends the beginning of a connection slowly.
pub(super) async fn drip(target: Target) {
    over_streams(&target, CONNECTIONS, |mut stream| async move {
        for byte in PREFACE {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let _ = stream.read(&mut [0]).await;
    })
    .await;
}

/// Opens connections and keeps them.
pub(super) async fn hold(target: Target) {
    over_streams(&target, CONNECTIONS, |stream: TcpStream| async move {
        if let Ok((_requests, connection)) = client::handshake(stream).await {
            let _ = connection.await;
        }
    })
    .await;
}
