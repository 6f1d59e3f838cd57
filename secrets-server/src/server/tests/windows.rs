//! What can be sent of bodies that nobody reads: as much as the windows have, however long it is tried.

use bytes::Bytes;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use tokio::time::timeout;

use super::*;
use crate::server::limits::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES};

/// No room comes for longer than this: there will be none.
const SILENCE: Duration = Duration::from_millis(300);

struct Sender {
    _response: ResponseFuture,
    body: SendStream<Bytes>,
    sent: usize,
}

impl Sender {
    /// A call whose body no layer reads, since it claims to be compressed, and its handler does not either.
    async fn open(running: &Running, requests: &SendRequest<Bytes>) -> Self {
        let request = http::Request::post(format!("http://server{}", TestService::PATH))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-encoding", "gzip")
            .header("authorization", &running.authorization)
            .header(TestService::BEHAVIOUR, "unread");
        let mut requests = requests.clone().ready().await.unwrap();
        let (response, body) = requests.send_request(request.body(()).unwrap(), false).unwrap();
        Self { _response: response, body, sent: 0 }
    }

    /// Sends as much as there is room for, until there is none.
    async fn fill(&mut self) -> usize {
        loop {
            self.body.reserve_capacity(1024 * 1024);
            let room = std::future::poll_fn(|context| self.body.poll_capacity(context));
            match timeout(SILENCE, room).await {
                Ok(Some(Ok(room))) => {
                    self.body.send_data(vec![0; room].into(), false).unwrap();
                    self.sent += room;
                }
                Ok(_) => panic!("the stream ended"),
                Err(_) => return self.sent,
            }
        }
    }
}

#[tokio::test]
async fn an_unread_body_takes_no_more_than_the_windows_have() {
    let running = Running::start(Duration::ZERO).await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (requests, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let (of_stream, of_connection) = (STREAM_WINDOW_BYTES as usize, CONNECTION_WINDOW_BYTES as usize);
    let mut all = Vec::new();
    for _ in 0..8 {
        let mut sender = Sender::open(&running, &requests).await;
        assert!(sender.fill().await <= of_stream, "{} bytes of one body", sender.sent);
        all.push(sender);
    }
    assert_eq!(all[0].sent, of_stream);
    for sender in &mut all {
        sender.fill().await;
    }
    let sent = all.iter().map(|sender| sender.sent).sum::<usize>();
    assert!(sent > of_connection / 2 && sent <= of_connection, "{sent} bytes of one connection");
    assert!(!connection.is_finished());
    drop((all, requests));
    running.stop().await;
}
