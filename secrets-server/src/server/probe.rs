//! A service for tests, with a method for each way a handler may behave.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::call::request_id::RequestId;
use crate::process::shutdown::Signal;

/// Its methods take and return empty messages.
#[derive(Clone)]
pub(crate) struct Probe;

impl Probe {
    pub(crate) const NAME: &'static str = "secretsapi.v1.ProbeService";

    async fn answer(request: Request<Body>) -> Response<Body> {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let request_id = request.extensions().get::<RequestId>().unwrap().to_string();
        let mut grpc = Grpc::new(ProstCodec::<(), ()>::default());
        match method.as_str() {
            "Stream" => {
                let signal = request.extensions().get::<Signal>().unwrap().clone();
                let stream = service_fn(move |_: tonic::Request<()>| {
                    let signal = signal.clone();
                    async move { Ok::<_, Status>(tonic::Response::new(until_stopped(signal))) }
                });
                grpc.server_streaming(stream, empty_message(request)).await
            }
            _ => {
                let unary = service_fn(move |_: tonic::Request<()>| {
                    let (method, request_id) = (method.clone(), request_id.clone());
                    async move {
                        match method.as_str() {
                            "Panic" => panic!("hunter2"),
                            "Forever" => std::future::pending().await,
                            "Sleep" => tokio::time::sleep(Duration::from_millis(400)).await,
                            "Refuse" => return Err(Status::permission_denied("no")),
                            _ => {}
                        }
                        let mut answer = tonic::Response::new(());
                        answer.metadata_mut().insert("seen", request_id.parse().unwrap());
                        Ok(answer)
                    }
                });
                grpc.unary(unary, empty_message(request)).await
            }
        }
    }
}

/// One message at once, and the end when the signal is given.
fn until_stopped(signal: Signal) -> ReceiverStream<Result<(), Status>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let _ = sender.send(Ok(())).await;
        signal.requested().await;
    });
    ReceiverStream::new(receiver)
}

/// The request with an empty message as its body, whatever it had: tests without a network send none.
fn empty_message(request: Request<Body>) -> Request<Body> {
    request.map(|_| Body::new(OneEmptyMessage(false)))
}

struct OneEmptyMessage(bool);

impl http_body::Body for OneEmptyMessage {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Status>>> {
        let sent = std::mem::replace(&mut self.0, true);
        Poll::Ready((!sent).then(|| Ok(http_body::Frame::data(Self::Data::from_static(&[0; 5])))))
    }
}

impl NamedService for Probe {
    const NAME: &'static str = Self::NAME;
}

impl Service<Request<Body>> for Probe {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(Self::answer(request).await) })
    }
}
