//! The same over many connections, each of which is opened again when it ends.

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::target::Target;

/// How long after a refused connection the next is tried.
const PAUSE: Duration = Duration::from_millis(5);

/// Does `attack` over each of `count` connections, to each server in turn.
pub(super) async fn over_streams<F>(target: &Target, count: usize, attack: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
    TcpStream: Send,
{
    let mut running = JoinSet::new();
    for port in target.ports.iter().cycle().take(count).copied() {
        running.spawn(async move { (port, connect(port).await) });
    }
    let mut attacks = JoinSet::new();
    loop {
        tokio::select! {
            Some(Ok((port, stream))) = running.join_next() => {
                if let Some(stream) = stream {
                    let attack = attack(stream);
                    attacks.spawn(async move { attack.await; port });
                } else {
                    running.spawn(async move { tokio::time::sleep(PAUSE).await; (port, connect(port).await) });
                }
            }
            Some(Ok(port)) = attacks.join_next() => {
                running.spawn(async move { (port, connect(port).await) });
            }
        }
    }
}

async fn connect(port: u16) -> Option<TcpStream> {
    TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).await.ok()
}

/// Keeps `in_flight` calls going over each of `connections`. `call` is told which connection it is on.
pub(super) async fn over_channels<F>(
    target: &Target,
    connections: usize,
    in_flight: usize,
    call: impl Fn(usize, Channel) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for (connection, port) in target.ports.iter().cycle().take(connections).copied().enumerate() {
        let call = call.clone();
        running.spawn(async move {
            loop {
                if let Some(channel) = open(port).await {
                    let mut calls = JoinSet::new();
                    for _ in 0..in_flight {
                        calls.spawn(until_closed(connection, channel.clone(), call.clone()));
                    }
                    while calls.join_next().await.is_some() {}
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    while running.join_next().await.is_some() {}
}

async fn open(port: u16) -> Option<Channel> {
    Endpoint::from_shared(format!("http://127.0.0.1:{port}")).ok()?.connect().await.ok()
}

/// Calls until the connection is gone.
async fn until_closed<F>(connection: usize, channel: Channel, call: impl Fn(usize, Channel) -> F)
where
    F: Future<Output = Result<(), Status>>,
{
    loop {
        if let Err(status) = call(connection, channel.clone()).await
            && matches!(status.code(), Code::Unavailable | Code::Unknown)
        {
            return;
        }
    }
}
