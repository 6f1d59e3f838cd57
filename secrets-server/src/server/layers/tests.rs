use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tonic::Code;
use tonic::service::Routes;
use tonic_types::StatusExt as _;
use tower::{Layer as _, Service as _};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::server::tests::test_application::TestApplication;
use crate::server::tests::test_service::TestService;

/// The layers around the test service, without a network.
struct Layered {
    application: TestApplication,
    shutdown: Shutdown,
    state: LayerState,
}

impl Layered {
    async fn open() -> Self {
        Self::open_with(&Limits::default()).await
    }

    async fn open_with(limits: &Limits) -> Self {
        let (application, shutdown) = (TestApplication::open().await, Shutdown::default());
        let state = LayerState::new(shutdown.clone(), Arc::clone(application.authenticator()), limits);
        Self { application, shutdown, state }
    }

    /// Calls as somebody who is known.
    async fn call(&self, behaviour: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let authorization = self.application.authorization();
        let known = [("authorization", authorization.as_str()), (TestService::BEHAVIOUR, behaviour)];
        self.send(request(&[&known[..], headers].concat(), &[0; 5])).await
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.state.layers().layer(Routes::new(TestService)).call(request).await.unwrap().map(Body::new)
    }
}

/// A call of the test service whose body comes in one frame.
fn request(headers: &[(&str, &str)], body: &'static [u8]) -> Request<Body> {
    let mut request =
        Request::post(TestService::PATH).body(Body::new(OneFrame(Some(Bytes::from_static(body))))).unwrap();
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    request
}

struct OneFrame(Option<Bytes>);

impl http_body::Body for OneFrame {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

async fn next_frame(response: &mut Response<Body>) -> Option<Result<http_body::Frame<Bytes>, Status>> {
    std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(response.body_mut()), cx)).await
}

fn info(response: &Response<Body>) -> tonic_types::ErrorInfo {
    Status::from_header_map(response.headers()).unwrap().get_error_details().error_info().unwrap().clone()
}

fn reason(response: &Response<Body>) -> String {
    info(response).reason
}

fn code(response: &Response<Body>) -> Code {
    Code::from_bytes(response.headers().get("grpc-status").unwrap().as_bytes())
}

/// What this thread has logged. One subscriber serves all tests: with several, whether an event is of interest would
/// depend on which test's thread comes across it first.
struct Lines;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Lines {
    fn capture() {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_max_level(LevelFilter::DEBUG)
                .with_writer(|| Lines)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        LINES.take();
    }

    fn captured() -> Vec<serde_json::Value> {
        let text = String::from_utf8(LINES.take()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_answer_carries_the_request_id_that_the_handler_saw() {
    let layered = Layered::open().await;
    let mut seen = Vec::new();
    // Whatever the caller sends, and twice the same: it does not choose the server's own.
    for given in ["trace-7", "trace-7", "not sane"] {
        let answered = layered.call("", &[("x-request-id", given)]).await;
        assert_eq!(answered.headers()["x-request-id"], answered.headers()["seen"]);
        assert_ne!(answered.headers()["seen"], given);
        seen.push(answered.headers()["seen"].clone());
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_panic_is_answered_with_internal_and_nothing_of_its_message() {
    let answered = Layered::open().await.call("panic", &[]).await;
    assert_eq!(code(&answered), Code::Internal);
    assert!(!format!("{:?}", answered.headers()).contains("hunter2"));
    assert!(answered.headers().contains_key("x-request-id"));
}

#[tokio::test]
async fn whatever_becomes_of_a_call_gives_its_slot_back() {
    let mut limits = Limits::default();
    limits.admission.calls = std::num::NonZeroU32::MIN;
    let layered = Layered::open_with(&limits).await;
    let headers = [("grpc-timeout", "20m")];
    for (behaviour, expected) in
        [("panic", Code::Internal), ("forever", Code::DeadlineExceeded), ("refuse", Code::PermissionDenied)]
    {
        // Only what never ends by itself meets its deadline, however slow the machine is.
        let headers = if behaviour == "forever" { &headers[..] } else { &[] };
        for _ in 0..3 {
            assert_eq!(code(&layered.call(behaviour, headers).await), expected, "{behaviour}");
        }
    }
    let left = tokio::time::timeout(Duration::from_millis(20), layered.call("forever", &[])).await;
    assert!(left.is_err());
    // A response that nobody reads is in memory: its call is under way until it is dropped.
    let unread = layered.call("", &[]).await;
    let refused = layered.call("", &[]).await;
    assert_eq!((reason(&refused).as_str(), info(&refused).metadata["limit"].as_str()), ("RATE_LIMITED", "calls"));
    drop(unread);
    let mut answered = layered.call("", &[]).await;
    while let Some(frame) = next_frame(&mut answered).await {
        frame.unwrap();
    }
    assert!(!answered.headers().contains_key("grpc-status"));
    assert_eq!(
        code(&layered.call("refuse", &[]).await),
        Code::PermissionDenied,
        "what was read to its end counts no more"
    );
}

#[tokio::test]
async fn a_deadline_is_honoured() {
    let answered = Layered::open().await.call("forever", &[("grpc-timeout", "20m")]).await;
    assert_eq!(code(&answered), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_call_is_in_flight_until_its_answer_is_gone() {
    let layered = Layered::open().await;
    let answered = layered.call("stream", &[]).await;
    assert_eq!(layered.shutdown.calls.len(), 1);
    drop(answered);
    assert_eq!(layered.shutdown.calls.len(), 0);

    // A caller that goes away takes its call along.
    let left = tokio::time::timeout(Duration::from_millis(20), layered.call("forever", &[])).await;
    assert!(left.is_err());
    assert_eq!(layered.shutdown.calls.len(), 0);
}

#[tokio::test]
async fn what_is_no_grpc_call_is_refused_by_its_headers() {
    let layered = Layered::open().await;
    let authorization = layered.application.authorization();
    let known = [("authorization", authorization.as_str())];
    let mut get = request(&known, &[0; 5]);
    *get.method_mut() = http::Method::GET;
    let refused = layered.send(get).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["allow"]), (405, &"POST".parse().unwrap()));
    assert_eq!(reason(&refused), "INVALID_ARGUMENT_VALUE");

    for content_type in ["application/json", "application/grpc-web"] {
        let mut other = request(&known, &[0; 5]);
        other.headers_mut().insert("content-type", content_type.parse().unwrap());
        let refused = layered.send(other).await;
        assert_eq!((refused.status().as_u16(), reason(&refused).as_str()), (415, "INVALID_ARGUMENT_VALUE"));
    }
}

#[tokio::test]
async fn a_body_that_is_not_one_message_is_an_invalid_argument() {
    let layered = Layered::open().await;
    let authorization = layered.application.authorization();
    let known = [("authorization", authorization.as_str())];
    // Nothing, half a prefix, half a message, a compressed one, two, and what is no protobuf.
    let bodies: [&[u8]; 6] = [b"", b"\0\0", b"\0\0\0\0\x02\x08", b"\x01\0\0\0\0", &[0; 10], b"\0\0\0\0\x01\xff"];
    for body in bodies {
        let refused = layered.send(request(&known, body)).await;
        assert_eq!(
            (code(&refused), reason(&refused).as_str()),
            (Code::InvalidArgument, "INVALID_ARGUMENT_VALUE"),
            "{body:?}"
        );
    }
    let large = layered.send(request(&known, b"\0\x00\x10\x00\x01")).await;
    assert_eq!((code(&large), reason(&large).as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    assert_eq!(info(&large).metadata["limit"], "request_bytes");
}

/// Whoever is not known learns nothing of the rest of what is wrong.
#[tokio::test]
async fn authentication_comes_before_the_body() {
    let layered = Layered::open().await;
    let authorization = layered.application.authorization();
    let known = ("authorization", authorization.as_str());
    for headers in [&[][..], &[("authorization", "Bearer hunter2")], &[known, known]] {
        let refused = layered.send(request(headers, b"")).await;
        assert_eq!(
            (code(&refused), reason(&refused).as_str()),
            (Code::Unauthenticated, "UNAUTHENTICATED"),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn each_call_is_logged_with_its_outcome_and_without_its_metadata() {
    let layered = Layered::open().await;
    Lines::capture();
    let headers = [("x-request-id", "trace-7"), ("x-secret", "hunter2"), ("grpc-timeout", "50m")];
    drop(layered.call("forever", &headers).await);
    drop(layered.call("refuse", &headers).await);
    drop(layered.send(request(&[("x-request-id", "trace-7"), ("authorization", "Bearer hunter2")], b"")).await);
    let mut answered = layered.call("", &headers).await;
    while let Some(frame) = next_frame(&mut answered).await {
        frame.unwrap();
    }
    drop(answered);

    let events: Vec<_> = Lines::captured().into_iter().filter(|event| event["message"] == "call").collect();
    let outcomes: Vec<_> =
        events.iter().map(|event| (event["code"].as_str().unwrap(), event["reason"].as_str())).collect();
    assert_eq!(
        outcomes,
        [
            ("DEADLINE_EXCEEDED", None),
            ("PERMISSION_DENIED", None),
            ("UNAUTHENTICATED", Some("UNAUTHENTICATED")),
            ("OK", None)
        ]
    );
    for event in &events {
        assert_eq!(event["span"]["caller_request_id"], "trace-7");
        assert!(event["span"]["request_id"].as_str().is_some_and(|id| id.len() == 36));
        assert_eq!(event["method"], "secretsapi.v1.ResolveService/Resolve");
        assert!(event["duration_us"].is_u64());
        assert!(!event.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn what_the_framework_does_not_implement_is_refused_and_logged_with_a_reason() {
    let layered = Layered::open().await;
    Lines::capture();
    let encoded = layered.call("", &[("grpc-encoding", "gzip")]).await;
    assert_eq!((code(&encoded), reason(&encoded).as_str()), (Code::Unimplemented, "UNIMPLEMENTED"));
    assert_eq!(encoded.headers()["grpc-accept-encoding"], "identity");
    let mut unknown = request(&[], &[0; 5]);
    *unknown.uri_mut() = "/secretsapi.v1.NoService/hunter2".parse().unwrap();
    let unknown = layered.send(unknown).await;
    assert_eq!((code(&unknown), reason(&unknown).as_str()), (Code::Unimplemented, "UNIMPLEMENTED"));
    drop((encoded, unknown));
    let events: Vec<_> = Lines::captured().into_iter().filter(|event| event["message"] == "call").collect();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!((&event["code"], &event["reason"]), (&"UNIMPLEMENTED".into(), &"UNIMPLEMENTED".into()));
        assert!(!event.to_string().contains("hunter2"));
    }
}
