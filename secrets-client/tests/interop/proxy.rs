//! The network between clients and a server, which can break as networks do.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes what comes to a port of its own on to another one.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    network: watch::Sender<Network>,
}

#[derive(Clone, Copy, PartialEq)]
enum Network {
    Works,
    /// Connections are refused.
    Refuses,
    /// Nothing comes through, and nobody is told.
    Silent,
}

impl Proxy {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (network, seen) = watch::channel(Network::Works);
        tokio::spawn(listen(listener, server, seen));
        Self { port, network }
    }

    pub(crate) fn works(&self) {
        self.network.send_replace(Network::Works);
    }

    pub(crate) fn refuses(&self) {
        self.network.send_replace(Network::Refuses);
    }

    pub(crate) fn falls_silent(&self) {
        self.network.send_replace(Network::Silent);
    }
}

async fn listen(mut listener: TcpListener, server: u16, network: watch::Receiver<Network>) {
    let port = listener.local_addr().unwrap().port();
    loop {
        tokio::select! {
            client = listener.accept() => drop(tokio::spawn(pass(client.unwrap().0, server, network.clone()))),
            () = until(&network, |network| network == Network::Refuses) => {
                drop(listener);
                until(&network, |network| network != Network::Refuses).await;
                listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            }
        }
    }
}

/// A connection from before a silence, or from within it, never comes through again, as when whatever stands between has
/// forgotten it: a client must give up both.
async fn pass(mut client: TcpStream, server: u16, network: watch::Receiver<Network>) {
    if *network.borrow() == Network::Silent {
        std::future::pending().await
    }
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        () = until(&network, |network| network == Network::Silent) => std::future::pending().await,
    }
}

/// Waits until the network is as asked for; for ever when nobody can change it any more.
async fn until(network: &watch::Receiver<Network>, is: impl Fn(Network) -> bool) {
    let reached = network.clone().wait_for(|network| is(*network)).await.is_ok();
    if !reached {
        std::future::pending().await
    }
}
