//! The network between clients and a server, which can break as networks do.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards what it receives on a port of its own to another one.
pub(crate) struct UnreliableNetwork {
    pub(crate) port: u16,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Works,
    /// Connections are refused.
    Refuses,
    /// Nothing comes through, and nobody is notified.
    LosesPackets,
}

impl UnreliableNetwork {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, receiver) = watch::channel(State::Works);
        tokio::spawn(listen(listener, server, receiver));
        Self { port, state: sender }
    }

    pub(crate) fn works(&self) {
        self.state.send_replace(State::Works);
    }

    pub(crate) fn refuses(&self) {
        self.state.send_replace(State::Refuses);
    }

    pub(crate) fn loses_packets(&self) {
        self.state.send_replace(State::LosesPackets);
    }
}

async fn listen(mut listener: TcpListener, server: u16, state: watch::Receiver<State>) {
    let port = listener.local_addr().unwrap().port();
    loop {
        tokio::select! {
            client = listener.accept() => drop(tokio::spawn(pass(client.unwrap().0, server, state.clone()))),
            () = until(&state, |state| state == State::Refuses) => {
                drop(listener);
                until(&state, |state| state != State::Refuses).await;
                listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            }
        }
    }
}

/// A connection from before a silence, or from within it, never comes through again, as when whatever stands between has
/// forgotten it: a client must give up both.
async fn pass(mut client: TcpStream, server: u16, state: watch::Receiver<State>) {
    if *state.borrow() == State::LosesPackets {
        std::future::pending().await
    }
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        () = until(&state, |state| state == State::LosesPackets) => std::future::pending().await,
    }
}

/// Waits until the network is as asked for; for ever when nobody can change it any more.
async fn until(state: &watch::Receiver<State>, is: impl Fn(State) -> bool) {
    let reached = state.clone().wait_for(|state| is(*state)).await.is_ok();
    if !reached {
        std::future::pending().await
    }
}
