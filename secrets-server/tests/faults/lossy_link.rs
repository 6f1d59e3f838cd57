//! A connection to the database on which packets can be lost, as when a machine or a network fails: nothing is closed,
//! nothing is answered.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards bytes, until packets are lost.
pub struct LossyLink {
    pub address: SocketAddr,
    lost: Arc<watch::Sender<bool>>,
}

impl LossyLink {
    /// A link to a server.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lost = Arc::new(watch::Sender::new(false));
        let receiver = Arc::clone(&lost);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server, receiver.subscribe()));
            }
        });
        Self { address, lost }
    }

    /// From now on the open connections lose all packets. New ones reach the machine, which came up again.
    pub fn lose(&self) {
        self.lost.send_replace(true);
    }

    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mut lost: watch::Receiver<bool>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        _ = lost.changed() => {
            // Neither end hears that the other is gone; what they send is read and dropped.
            drop(server.shutdown().await);
            let mut lost_bytes = [0; 1024];
            while client.read(&mut lost_bytes).await.is_ok_and(|count| count > 0) {}
        }
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
    }
}
