pub(crate) mod test_application;
pub(crate) mod test_service;
mod windows;

use std::time::Instant;

use http::uri::PathAndQuery;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use self::test_application::TestApplication;
use self::test_service::TestService;
use super::limits::DRAIN_TIMEOUT;
use super::*;
use crate::config::OfferedService;

/// A server with the test service, on a free port.
struct Running {
    address: SocketAddr,
    authorization: String,
    shutdown: Shutdown,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    async fn start(drain: Duration) -> Self {
        Self::offering(Offered::all(), drain).await
    }

    async fn offering(offered: Offered, drain: Duration) -> Self {
        let shutdown = Shutdown::default();
        let config = ListenerConfig { address: "127.0.0.1:0".parse().unwrap(), offered, tls: None };
        let application = TestApplication::open().await;
        let authorization = application.authorization();
        let mut server = Server::bind(&[config], Limits::default(), shutdown.clone()).await.unwrap();
        server.drain = drain;
        let address = server.addresses()[0];
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            server.serve(application.authenticator(), |_| Routes::new(TestService), stopped).await
        });
        Self { address, authorization, shutdown, stop, served }
    }

    /// Starts a call of the test service.
    async fn call(&self, behaviour: &'static str) -> JoinHandle<Result<tonic::Response<()>, Status>> {
        tokio::spawn(call(self.channel().await, self.asking(behaviour, ())))
    }

    fn asking<T>(&self, behaviour: &'static str, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.parse().unwrap());
        request.metadata_mut().insert(TestService::BEHAVIOUR, behaviour.parse().unwrap());
        request
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    /// Stops the server and returns how long that took.
    async fn stop(self) -> Duration {
        let start = Instant::now();
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
        start.elapsed()
    }

    async fn until_in_flight(&self, calls: usize) {
        while self.shutdown.calls.len() != calls {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn call(channel: Channel, request: Request<()>) -> Result<tonic::Response<()>, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    client.unary(request, path(), ProstCodec::<(), ()>::default()).await
}

fn path() -> PathAndQuery {
    PathAndQuery::from_static(TestService::PATH)
}

const QUICK: Duration = Duration::from_millis(900);

#[tokio::test]
async fn stops_quickly_with_idle_connections() {
    let running = Running::start(DRAIN_TIMEOUT).await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    // One that began to speak HTTP/2 and then answers nothing, not even the ping that comes with a GOAWAY.
    let mut stalled = TcpStream::connect(running.address).await.unwrap();
    stalled.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let idle = running.channel().await;
    call(idle.clone(), running.asking("", ())).await.unwrap();
    let address = running.address;

    let took = running.stop().await;
    assert!(took < QUICK, "{took:?}");
    assert!(TcpStream::connect(address).await.is_err(), "the address is free again");
    drop((silent, stalled, idle));
}

#[tokio::test]
async fn lets_a_call_in_flight_end() {
    let running = Running::start(DRAIN_TIMEOUT).await;
    let answer = running.call("sleep").await;
    running.until_in_flight(1).await;
    let took = running.stop().await;
    answer.await.unwrap().unwrap();
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn waits_for_work_that_outlives_its_call() {
    let running = Running::start(DRAIN_TIMEOUT).await;
    let guard = running.shutdown.calls.token();
    tokio::spawn(async move {
        sleep(Duration::from_millis(400)).await;
        drop(guard);
    });
    let took = running.stop().await;
    assert!(took >= Duration::from_millis(390) && took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn does_not_wait_longer_than_the_drain_for_a_call_that_never_ends() {
    let running = Running::start(Duration::from_millis(300)).await;
    let _answer = running.call("forever").await;
    running.until_in_flight(1).await;
    let took = running.stop().await;
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_stream_that_awaits_the_request_to_stop_ends_in_order() {
    let running = Running::start(DRAIN_TIMEOUT).await;
    let mut client = tonic::client::Grpc::new(running.channel().await);
    client.ready().await.unwrap();
    let request = running.asking("stream", tokio_stream::once(()));
    let mut stream = client.streaming(request, path(), ProstCodec::<(), ()>::default()).await.unwrap().into_inner();
    stream.next().await.unwrap().unwrap();

    let took = running.stop().await;
    assert!(took < QUICK, "{took:?}");
    assert!(stream.next().await.is_none(), "it ended with OK");
}

#[tokio::test]
async fn a_health_watcher_hears_of_the_stop_before_its_stream_ends() {
    let running = Running::start(DRAIN_TIMEOUT).await;
    let mut health = HealthClient::new(running.channel().await);
    let request = HealthCheckRequest { service: "secretsapi.v1.ResolveService".to_owned() };
    let mut watched = health.watch(request).await.unwrap().into_inner();
    let serving = ServingStatus::Serving as i32;
    assert_eq!(watched.next().await.unwrap().unwrap().status, serving);

    let took = running.stop().await;
    assert!(took < QUICK, "{took:?}");
    assert_ne!(watched.next().await.unwrap().unwrap().status, serving);
    assert_eq!(watched.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn reports_the_health_of_what_is_offered_and_of_nothing_else() {
    let running = Running::offering(Offered::from_iter([OfferedService::Resolve]), DRAIN_TIMEOUT).await;
    let mut health = HealthClient::new(running.channel().await);
    for (service, expected) in [
        ("", Ok(ServingStatus::Serving as i32)),
        ("secretsapi.v1.ResolveService", Ok(ServingStatus::Serving as i32)),
        ("secretsapi.v1.SecretService", Err(Code::NotFound)),
    ] {
        let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await;
        assert_eq!(answer.map(|answer| answer.get_ref().status).map_err(|status| status.code()), expected, "{service}");
    }
    // Reflection is a service like the others: what is not offered is not there.
    let unreflected = ServerReflectionClient::new(running.channel().await)
        .server_reflection_info(tokio_stream::empty::<ServerReflectionRequest>())
        .await;
    assert_eq!(unreflected.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn reflects_what_is_offered() {
    let running =
        Running::offering(Offered::from_iter([OfferedService::Resolve, OfferedService::Reflection]), DRAIN_TIMEOUT)
            .await;
    let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let questions = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("secretsapi.v1.ResolveService".to_owned())),
    ]);
    let mut answers = ServerReflectionClient::new(running.channel().await)
        .server_reflection_info(questions)
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(listed)) = answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("a list");
    };
    let mut names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "secretsapi.v1.ResolveService"
        ]
    );
    let described = answers.next().await.unwrap().unwrap().message_response;
    assert!(matches!(described, Some(MessageResponse::FileDescriptorResponse(_))), "{described:?}");
}

#[tokio::test]
async fn refuses_a_header_list_beyond_the_limit_and_an_unknown_service() {
    let running = Running::start(DRAIN_TIMEOUT).await;
    let mut client = tonic::client::Grpc::new(running.channel().await);
    client.ready().await.unwrap();
    let mut request = Request::new(());
    request.metadata_mut().insert("x-large", "x".repeat(limits::MAX_HEADER_BYTES as usize).parse().unwrap());
    let refused: Result<tonic::Response<()>, _> = client.unary(request, path(), ProstCodec::default()).await;
    assert!(refused.is_err());

    client.ready().await.unwrap();
    let path = "/secretsapi.v1.NoService/Ok".parse().unwrap();
    let unknown: Result<tonic::Response<()>, _> =
        client.unary(Request::new(()), path, ProstCodec::<(), ()>::default()).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let running = Running::start(DRAIN_TIMEOUT).await;
    let config = ListenerConfig { address: running.address, offered: Offered::all(), tls: None };
    let refused = Server::bind(&[config], Limits::default(), Shutdown::default()).await.err().unwrap().to_string();
    assert!(refused.contains(&running.address.to_string()), "{refused}");
}
