//! A sign-in that is about to end, as the service says it.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use http_body::Frame;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::service::Routes;
use tonic::transport::Server;
use tower::layer::layer_fn;
use tower::service_fn;

use crate::support::TestServer;

/// An empty message and its trailers.
struct EmptyAnswer(Vec<Frame<Bytes>>);

impl http_body::Body for EmptyAnswer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

/// Answers every call with an empty message, and says that the sign-in ends.
fn start(runtime: &Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = |_: Request<Body>| {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        let frames = vec![Frame::trailers(trailers), Frame::data(Bytes::from_static(&[0; 5]))];
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .header("x-sign-in-end", "2031-01-31T09:30:00Z")
            .body(Body::new(EmptyAnswer(frames)));
        ready(Ok::<_, Infallible>(response.unwrap()))
    };
    let layer = layer_fn(move |_: Routes| service_fn(answer));
    let server = Server::builder().layer(layer).add_routes(Routes::default());
    runtime.spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    endpoint
}

#[test]
fn a_person_is_warned_of_the_end_of_their_sign_in() {
    let runtime = Runtime::new().unwrap();
    let endpoint = start(&runtime);
    let server = TestServer::start();
    let ann = server.person("ann").with("SECRETS_ENDPOINT", &endpoint);
    let ann = ann.with("SECRETS_TOKEN", "sper_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2SPfSA");
    for line in ["token list", "token list -o json"] {
        let ended = ann.run_ok(line);
        let warning = "warning: your sign-in ends at 2031-01-31 09:30Z; `secrets login --renew` renews it\n";
        assert_eq!(ended.stderr.matches(warning).count(), 1, "{ended:?}");
        assert!(!ended.stdout.contains("ends at"), "{ended:?}");
    }
}

#[test]
fn a_sign_in_is_renewed_and_the_token_before_ends() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let session = ann.run_ok("session create").line();
    let before = ann.run_ok("whoami -o json").json();
    let renewed = ann.run_ok("login --renew -o json");
    let after = renewed.json();
    assert_eq!(after["sign_in_end_time"], before["sign_in_end_time"]);
    assert_ne!(after["credential"], before["credential"]);
    assert!(renewed.stderr.contains("The token before has ended; 1 session go on with the new one."), "{renewed:?}");
    assert!(!renewed.stderr.contains("stored here before"), "{renewed:?}");
    assert_eq!(ann.run_ok("whoami -o json").json()["credential"], after["credential"]);
    server.person("sandbox").with("SECRETS_TOKEN", &session).run_ok("whoami");
    let list = ann.run_ok("token list -o json").json();
    assert!(list[0]["revoke_time"].is_null() && !list[1]["revoke_time"].is_null(), "{list:#}");
    server.person("nobody").run("login --renew").expect_failure(4).expect_text(&["not signed in"]);
}

#[test]
fn a_sign_in_whose_lifetime_was_chosen_goes_on_with_another_code() {
    let server = TestServer::acme();
    let ann = server.person("ann");
    let code = ann.run_ok("user invite carl").line();
    let carl = server.person("carl");
    carl.run_ok(&format!("login --invite {code} --ttl 30d"));
    let before = carl.run_ok("whoami -o json").json();
    assert!(before["sign_in_end_time"].is_null());
    let said = ["goes on with another code alone"];
    carl.run_with_stdin(b"sper_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2SPfSA", "login --renew")
        .expect_failure(2)
        .expect_text(&said);
    carl.run_ok("whoami");
    let code = ann.run_ok("user invite carl").line();
    // Inviting him again has ended what he had.
    carl.run("whoami").expect_failure(4).expect_text(&["was revoked at", "`secrets login`"]);
    carl.run_with_stdin(code.as_bytes(), "login --renew").expect_success("login --renew").expect_text(&said);
    let after = carl.run_ok("whoami -o json").json();
    assert!(!after["sign_in_end_time"].is_null() && after["credential"] != before["credential"], "{after:#}");
}
