//! A service of an earlier version: it says who calls, without its time, and knows nothing else.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use secrets_client::v1;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

pub(crate) struct OlderService {
    pub(crate) endpoint: String,
    /// Serves until it is dropped.
    _runtime: tokio::runtime::Runtime,
}

impl OlderService {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let entered = runtime.enter();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoint = format!("http://{}", incoming.local_addr().unwrap());
        runtime.spawn(tonic::transport::Server::builder().add_service(Older).serve_with_incoming(incoming));
        drop(entered);
        Self { endpoint, _runtime: runtime }
    }
}

#[derive(Clone)]
struct Older;

impl NamedService for Older {
    const NAME: &'static str = "secretsapi.v1.AccessService";
}

impl Service<http::Request<Body>> for Older {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            if request.uri().path().ends_with("/WhoAmI") {
                let codec = ProstCodec::<v1::WhoAmIResponse, v1::WhoAmIRequest>::default();
                return Ok(Grpc::new(codec).unary(tower::service_fn(who_am_i), request).await);
            }
            Ok(Status::unimplemented("").into_http())
        })
    }
}

async fn who_am_i(_: Request<v1::WhoAmIRequest>) -> Result<Response<v1::WhoAmIResponse>, Status> {
    let me = v1::WhoAmIResponse {
        principal: "organizations/acme/users/ann".to_owned(),
        kind: v1::PrincipalKind::User.into(),
        organization: "acme".to_owned(),
        server_version: "0.0.1".to_owned(),
        ..Default::default()
    };
    Ok(Response::new(me))
}
