//! Bodies: none is read before its caller is known, and then it has seconds to arrive, whole and within its limit.

use std::time::Duration;

use http::Request;
use prost::Message as _;
use secrets_proto::{Method, v1};
use secrets_server::config::Limits;
use secrets_server::server::limits::MAX_REQUEST_BYTES;
use tonic::Code;

use crate::attacker::{Attacker, framed};
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(
    a_stranger_is_refused_before_a_byte_of_the_body,
    a_body_that_does_not_arrive_ends_its_call,
    what_is_wrong_with_a_body_is_said_in_the_words_of_the_service,
    what_is_not_implemented_is_said_in_the_words_of_the_service,
);

const WHOAMI: &str = "/secretsapi.v1.AccessService/WhoAmI";

/// Nobody sends a body here: a server that waited for one would not answer.
async fn a_stranger_is_refused_before_a_byte_of_the_body(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut attacker = Attacker::connect(server.address()).await;
    let unknown = format!("{}{}", &ann[..ann.len() - 6], "000000");
    for method in Method::ALL {
        for authorizations in [&[][..], &[unknown.as_str()], &["hunter2"], &[ann.as_str(), ann.as_str()]] {
            let refused = attacker.open(&format!("/{method}"), authorizations).await.outcome().await;
            assert_eq!((refused.code, refused.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"), "{method}");
        }
    }
}

async fn a_body_that_does_not_arrive_ends_its_call(database: &TestDatabase) {
    let limits = Limits { request_time: Duration::from_millis(200), ..Limits::default() };
    let server = TestServer::start_with(database, limits).await;
    let ann = server.organization("acme").await;
    let mut attacker = Attacker::connect(server.address()).await;
    for sent in [&b""[..], b"\0\0", &framed(b"hunter2")[..8]] {
        let mut request = attacker.open(WHOAMI, &[&ann]).await;
        request.push(sent.to_vec());
        let refused = request.outcome().await;
        assert_eq!((refused.code, refused.limit.as_str()), (Code::ResourceExhausted, "request_seconds"), "{sent:?}");
    }
    assert_eq!(attacker.open(WHOAMI, &[&ann]).await.finish(b"").await.code, Code::Ok);
}

async fn what_is_wrong_with_a_body_is_said_in_the_words_of_the_service(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut attacker = Attacker::connect(server.address()).await;
    let create = "/secretsapi.v1.SecretService/CreateSecret";
    // No field of any message has the number 0 or ends within its own length.
    for message in [&b"\0"[..], b"\x0a\x05abc", b"\xff\xff\xff"] {
        let refused = attacker.open(create, &[&ann]).await.finish(message).await;
        assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_ARGUMENT_VALUE"));
    }
    let secret = v1::CreateSecretRequest { secret_id: "A".repeat(MAX_REQUEST_BYTES), ..Default::default() };
    let refused = attacker.open(create, &[&ann]).await.finish(&secret.encode_to_vec()).await;
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    assert_eq!(refused.limit, "request_bytes");

    for (method, content_type, expected) in [("GET", "application/grpc", 405), ("POST", "application/json", 415)] {
        let request = Request::builder().method(method).uri(format!("http://server{create}"));
        let request = request.header("content-type", content_type).header("authorization", format!("Bearer {ann}"));
        let refused = attacker.send(request.body(()).unwrap()).await.outcome().await;
        assert_eq!((refused.http, refused.reason.as_str()), (expected, "INVALID_ARGUMENT_VALUE"), "{refused:?}");
    }
    assert!(!attacker.is_closed());
}

async fn what_is_not_implemented_is_said_in_the_words_of_the_service(database: &TestDatabase) {
    let server = TestServer::start(database).await;
    let ann = server.organization("acme").await;
    let mut attacker = Attacker::connect(server.address()).await;
    for (path, encoding) in [
        ("/secretsapi.v1.NoService/WhoAmI", "identity"),
        ("/secretsapi.v1.AccessService/NoMethod", "identity"),
        ("/hunter2", "gzip"),
        (WHOAMI, "gzip"),
        (WHOAMI, "hunter2"),
        ("/grpc.health.v1.Health/Check", "gzip"),
        ("/grpc.health.v1.Health/Watch", "gzip"),
        ("/grpc.health.v1.Health/NoMethod", "identity"),
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "gzip"),
    ] {
        let request = Request::post(format!("http://server{path}")).header("content-type", "application/grpc");
        let request = request.header("grpc-encoding", encoding).header("authorization", format!("Bearer {ann}"));
        let refused = attacker.send(request.body(()).unwrap()).await.finish(b"").await;
        assert_eq!(
            (refused.code, refused.reason.as_str()),
            (Code::Unimplemented, "UNIMPLEMENTED"),
            "{path} {encoding}"
        );
    }
    // Nobody learns by an encoding that comes before the credential.
    let request = Request::post(format!("http://server{WHOAMI}")).header("content-type", "application/grpc");
    let refused = attacker.send(request.header("grpc-encoding", "gzip").body(()).unwrap()).await.outcome().await;
    assert_eq!(refused.code, Code::Unauthenticated);
}
