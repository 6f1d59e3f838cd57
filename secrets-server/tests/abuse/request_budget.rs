//! Undecoded requests: what many callers hold of them together is bounded, and none of them keeps a small request waiting.

use std::num::NonZeroU32;
use std::time::Duration;

use secrets_proto::v1;
use secrets_server::config::Limits;
use tonic::Code;

use crate::attacker::Attacker;
use crate::support::database::TestDatabase;
use crate::support::on_both::on_both;
use crate::support::server::TestServer;

on_both!(hoarded_bodies_are_bounded_and_give_way_to_small_requests);

const CREATE: &str = "/secretsapi.v1.SecretService/CreateSecret";
const WHOAMI: &str = "/secretsapi.v1.AccessService/WhoAmI";
/// Of the budget of 1 MiB, a quarter of which is one credential's.
const HOARDED: usize = 120 * 1024;

async fn hoarded_bodies_are_bounded_and_give_way_to_small_requests(database: &TestDatabase) {
    let limits = Limits {
        pending_request_mebibytes: NonZeroU32::MIN,
        request_time: Duration::from_secs(30),
        ..Limits::default()
    };
    let server = TestServer::start_with(database, limits).await;
    let ann = server.organization("acme").await;
    let mut hoarders = Vec::new();
    for _ in 0..12 {
        let token =
            server.access(&ann).create_token(v1::CreateTokenRequest::default()).await.unwrap().into_inner().token;
        let mut attacker = Attacker::connect(server.address()).await;
        let mut pending = Vec::new();
        for _ in 0..2 {
            let mut request = attacker.open(CREATE, &[&token]).await;
            // All but the last byte of the message.
            let prefix = [&[0][..], &u32::try_from(HOARDED).unwrap().to_be_bytes()].concat();
            request.push([prefix, vec![0; HOARDED - 1]].concat());
            pending.push(tokio::spawn(request.outcome()));
        }
        hoarders.push((attacker, pending));
        assert_eq!(calm(&server, &ann).await, Code::Ok);
    }
    // 24 times 120 KiB do not fit: those that had to give way were told so.
    let fitting = 1024 * 1024 / HOARDED;
    for _ in 0..1000 {
        let held = hoarders.iter().flat_map(|(_, pending)| pending).filter(|request| !request.is_finished()).count();
        assert_eq!(calm(&server, &ann).await, Code::Ok);
        if held <= fitting {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut refused = 0;
    for (_, pending) in hoarders {
        for request in pending {
            if request.is_finished() {
                let outcome = request.await.unwrap();
                assert_eq!((outcome.code, outcome.reason.as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
                assert_eq!(outcome.limit, "pending_request_bytes");
                refused += 1;
            }
        }
    }
    assert!(refused >= 24 - fitting, "{refused} of 24 gave way");
}

async fn calm(server: &TestServer, token: &str) -> Code {
    let mut calm = Attacker::connect(server.address()).await;
    calm.open(WHOAMI, &[token]).await.finish(b"").await.code
}
