//! A person's own ways in: recovery codes, and codes for another machine. None of them leads to somebody else, or to more than it
//! came from.

mod another_machine;
mod recovery;

use secrets_core::CredentialKind;
use secrets_proto::v1;
use secrets_server::clock::Clock as _;
use secrets_server::store::credential::{self, Credential, CredentialFilter};
use tonic::{Code, Response, Status};

use crate::support::refusal::{Refusal, refusal};
use crate::support::server::TestServer;

const DAY: i64 = 24 * 60 * 60;

/// Creates the caller's recovery codes.
async fn recovery_codes(server: &TestServer, token: &str) -> Result<v1::CreateRecoveryCodesResponse, Status> {
    let request = v1::CreateRecoveryCodesRequest::default();
    server.access(token).create_recovery_codes(request).await.map(Response::into_inner)
}

/// Signs in with a recovery code.
async fn recover(server: &TestServer, code: &str, keep_others: bool) -> Result<v1::RedeemRecoveryCodeResponse, Status> {
    let request = v1::RedeemRecoveryCodeRequest { keep_others, ..Default::default() };
    server.access(code).redeem_recovery_code(request).await.map(Response::into_inner)
}

/// Creates a code for another machine.
async fn machine_code(server: &TestServer, token: &str) -> Result<v1::CreateSignInCodeResponse, Status> {
    let request = v1::CreateSignInCodeRequest::default();
    server.access(token).create_sign_in_code(request).await.map(Response::into_inner)
}

/// Signs in on another machine.
async fn come(server: &TestServer, code: &str, ttl: Option<i64>) -> Result<v1::RedeemSignInCodeResponse, Status> {
    let ttl = ttl.map(|seconds| prost_types::Duration { seconds, nanos: 0 });
    let request = v1::RedeemSignInCodeRequest { display_name: "desktop".into(), ttl };
    server.access(code).redeem_sign_in_code(request).await.map(Response::into_inner)
}

async fn own_token(server: &TestServer, token: &str, successor: bool) -> String {
    let request = v1::CreateTokenRequest { successor, ..Default::default() };
    server.access(token).create_token(request).await.unwrap().into_inner().token
}

async fn revoke(server: &TestServer, token: &str, name: &str, alone: bool) -> v1::RevokeTokenResponse {
    let request = v1::RevokeTokenRequest { name: name.into(), alone, ..Default::default() };
    server.access(token).revoke_token(request).await.unwrap().into_inner()
}

async fn credential_of(server: &TestServer, token: &str) -> String {
    server.whoami(token).await.unwrap().credential
}

async fn serves(server: &TestServer, token: &str) -> bool {
    match server.whoami(token).await {
        Ok(_) => true,
        refused => {
            assert_eq!(refusal(refused).code, Code::Unauthenticated);
            false
        }
    }
}

fn assert_unauthenticated<T: std::fmt::Debug>(result: Result<T, Status>) -> Refusal {
    let refused = refusal(result);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
    refused
}

fn assert_sign_in_required<T: std::fmt::Debug>(result: Result<T, Status>) {
    let refused = refusal(result);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "SIGN_IN_REQUIRED"));
}

/// The live codes of this kind that the database has.
async fn stored(server: &TestServer, organization: &str, kind: CredentialKind) -> Vec<Credential> {
    let db = server.app.store().reader();
    let id = organization.parse().unwrap();
    let organization = secrets_server::store::organization::by_id(db, &id).await.unwrap().unwrap().uid;
    let filter = CredentialFilter { kinds: vec![kind], live_at: Some(server.clock.now()), ..Default::default() };
    credential::list(db, Some(organization), &filter, None, 100).await.unwrap()
}

/// A time in days from now, rounded.
fn days(server: &TestServer, time: Option<prost_types::Timestamp>) -> i64 {
    let seconds = time.unwrap().seconds - server.clock.now().as_micros().div_euclid(1_000_000);
    (seconds + DAY / 2).div_euclid(DAY)
}
