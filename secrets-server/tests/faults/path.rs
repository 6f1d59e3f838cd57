//! A way to the database on which packets can vanish, as when a machine or a network is lost: nothing is closed, nothing
//! is answered.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes bytes on, until they vanish.
pub struct Path {
    pub address: SocketAddr,
    lost: Arc<watch::Sender<bool>>,
}

impl Path {
    /// A path to a server.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lost = Arc::new(watch::Sender::new(false));
        let seen = Arc::clone(&lost);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, seen.subscribe()));
            }
        });
        Self { address, lost }
    }

    /// From now on nothing passes on the connections there are. New ones lead to where the machine came up again.
    pub fn lose(&self) {
        self.lost.send_replace(true);
    }

    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, mut lost: watch::Receiver<bool>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        _ = lost.changed() => {
            // Neither end hears that the other is gone; what they send is taken and forgotten.
            drop(server.shutdown().await);
            let mut vanished = [0; 1024];
            while client.read(&mut vanished).await.is_ok_and(|count| count > 0) {}
        }
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
    }
}
