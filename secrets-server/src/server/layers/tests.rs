use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;
use std::time::Duration;

use http::{Request, Response};
use tonic::Code;
use tonic::service::Routes;
use tower::{Layer as _, Service as _};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::server::tests::test_service::TestService;

/// Calls the test service through the layers, without a network.
async fn call(shutdown: &Shutdown, behaviour: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::post(TestService::PATH).body(Body::empty()).unwrap();
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    request.headers_mut().insert(TestService::BEHAVIOUR, behaviour.parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    layers(shutdown).layer(Routes::new(TestService)).call(request).await.unwrap().map(Body::new)
}

async fn next_frame(response: &mut Response<Body>) -> Option<Result<http_body::Frame<Bytes>, Status>> {
    std::future::poll_fn(|cx| http_body::Body::poll_frame(Pin::new(response.body_mut()), cx)).await
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
    let given = call(&Shutdown::default(), "", &[("x-request-id", "trace-7")]).await;
    assert_eq!(given.headers()["x-request-id"], "trace-7");
    assert_eq!(given.headers()["seen"], "trace-7");

    let created = call(&Shutdown::default(), "", &[("x-request-id", "not sane")]).await;
    assert_eq!(created.headers()["x-request-id"], created.headers()["seen"]);
    assert_ne!(created.headers()["seen"], "not sane");
}

#[tokio::test]
async fn a_panic_is_answered_with_internal_and_nothing_of_its_message() {
    let answered = call(&Shutdown::default(), "panic", &[]).await;
    assert_eq!(code(&answered), Code::Internal);
    assert!(!format!("{:?}", answered.headers()).contains("hunter2"));
    assert!(answered.headers().contains_key("x-request-id"));
}

#[tokio::test]
async fn a_deadline_is_honoured() {
    let answered = call(&Shutdown::default(), "forever", &[("grpc-timeout", "20m")]).await;
    assert_eq!(code(&answered), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_call_is_in_flight_until_its_answer_is_gone() {
    let shutdown = Shutdown::default();
    let answered = call(&shutdown, "stream", &[]).await;
    assert_eq!(shutdown.calls.len(), 1);
    drop(answered);
    assert_eq!(shutdown.calls.len(), 0);

    // A caller that goes away takes its call along.
    let left = tokio::time::timeout(Duration::from_millis(20), call(&shutdown, "forever", &[])).await;
    assert!(left.is_err());
    assert_eq!(shutdown.calls.len(), 0);
}

#[tokio::test]
async fn each_call_is_logged_with_its_outcome_and_without_its_metadata() {
    Lines::capture();
    let headers = [("x-request-id", "trace-7"), ("authorization", "Bearer hunter2"), ("grpc-timeout", "20m")];
    drop(call(&Shutdown::default(), "forever", &headers).await);
    drop(call(&Shutdown::default(), "refuse", &headers).await);
    let mut answered = call(&Shutdown::default(), "", &headers).await;
    while let Some(frame) = next_frame(&mut answered).await {
        frame.unwrap();
    }
    drop(answered);

    let events = Lines::captured();
    let codes: Vec<_> = events.iter().map(|event| event["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["DEADLINE_EXCEEDED", "PERMISSION_DENIED", "OK"]);
    for event in &events {
        assert_eq!(event["span"]["request_id"], "trace-7");
        assert_eq!(event["method"], "secretsapi.v1.ResolveService/Resolve");
        assert!(event["duration_us"].is_u64());
        assert!(!event.to_string().contains("hunter2"));
    }
}
