//! A service for tests of the server around the services: each call says how its handler is to behave.

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
use crate::process::shutdown::Shutdown;

/// It has the name of a real service, so that its calls are logged as that one's; requests and responses are empty messages.
#[derive(Clone)]
pub(crate) struct TestService;

impl TestService {
    pub(crate) const NAME: &'static str = "secretsapi.v1.ResolveService";
    pub(crate) const PATH: &'static str = "/secretsapi.v1.ResolveService/Resolve";
    /// The metadata key whose value says how to behave; without it, the response is OK at once.
    pub(crate) const BEHAVIOUR: &'static str = "x-behaviour";

    async fn answer(request: Request<Body>) -> Response<Body> {
        let behaviour = request.headers().get(Self::BEHAVIOUR).map_or("", |value| value.to_str().unwrap()).to_owned();
        let request_id = request.extensions().get::<RequestId>().unwrap().to_string();
        let mut grpc = Grpc::new(ProstCodec::<(), ()>::default());
        match behaviour.as_str() {
            "stream" => {
                let shutdown = request.extensions().get::<Shutdown>().unwrap().clone();
                let stream = service_fn(move |_: tonic::Request<()>| {
                    let shutdown = shutdown.clone();
                    async move { Ok::<_, Status>(tonic::Response::new(until_stopped(shutdown))) }
                });
                grpc.server_streaming(stream, request).await
            }
            // Neither reads the body nor drops it.
            "unread" => {
                std::future::pending::<()>().await;
                drop(request);
                Response::new(Body::empty())
            }
            _ => {
                let unary = service_fn(move |_: tonic::Request<()>| {
                    let (behaviour, request_id) = (behaviour.clone(), request_id.clone());
                    async move {
                        match behaviour.as_str() {
                            "panic" => panic!("hunter2"),
                            "forever" => std::future::pending().await,
                            "sleep" => tokio::time::sleep(Duration::from_millis(400)).await,
                            "refuse" => return Err(Status::permission_denied("no")),
                            _ => {}
                        }
                        let mut answer = tonic::Response::new(());
                        answer.metadata_mut().insert("seen", request_id.parse().unwrap());
                        Ok(answer)
                    }
                });
                grpc.unary(unary, request).await
            }
        }
    }
}

/// One message at once, and the end when the server is asked to stop.
fn until_stopped(shutdown: Shutdown) -> ReceiverStream<Result<(), Status>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let _ = sender.send(Ok(())).await;
        shutdown.requested.clone().cancelled_owned().await;
    });
    ReceiverStream::new(receiver)
}

impl NamedService for TestService {
    const NAME: &'static str = Self::NAME;
}

impl Service<Request<Body>> for TestService {
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
