//! A server that is unavailable.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Frame;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::service::Routes;
use tonic::transport::Server;
use tower::layer::layer_fn;
use tower::service_fn;

/// Answers `UNAVAILABLE`, and counts how often it is asked.
pub(crate) struct Unavailable {
    pub(crate) endpoint: String,
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Unavailable {
    pub(crate) async fn start() -> Self {
        Self::silent_on("").await
    }

    /// One whose answer to a certain method never ends.
    pub(crate) async fn silent_on(silent: &'static str) -> Self {
        let asked = Arc::<Mutex<BTreeMap<_, _>>>::default();
        let counts = asked.clone();
        let refuse = move |request: Request<Body>| {
            let method = request.uri().path().trim_start_matches("/secretsapi.v1.").to_owned();
            let answer = if method == silent { endless() } else { Status::unavailable("not now").into_http() };
            *counts.lock().unwrap().entry(method).or_default() += 1;
            std::future::ready(Ok::<Response<Body>, Infallible>(answer))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let layer = layer_fn(move |_: Routes| service_fn(refuse.clone()));
        let server = Server::builder().layer(layer).add_routes(Routes::default());
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Self { endpoint, asked }
    }

    /// How often a method such as `AccessService/WhoAmI` has been asked.
    pub(crate) fn asked(&self, method: &str) -> u32 {
        self.asked.lock().unwrap().get(method).copied().unwrap_or_default()
    }
}

/// An answer that has begun: before that, tonic would end the call itself at the caller's deadline.
fn endless() -> Response<Body> {
    Response::builder().header("content-type", "application/grpc").body(Body::new(Silence)).unwrap()
}

struct Silence;

impl http_body::Body for Silence {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Pending
    }
}
