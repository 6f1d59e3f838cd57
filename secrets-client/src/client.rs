//! The client: a connection, a credential, a deadline, and the calls that go through it.
//!
//! [`service`] has one method per method of the interface. [`Watch`](watch::Watch) follows a context through every
//! interruption, and [`LiveSet`](live_set::LiveSet) is the whole of it: resolve, watch, and renew the session. To add what is more than one call: a file here with an `impl Client`.

mod builder;
mod diagnose;
mod freshness;
pub mod live_set;
mod probe;
pub mod service;
pub mod session_keepalive;
mod wait_notice;
pub mod watch;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prost_types::Timestamp;
use secrets_core::CredentialKind;
use secrets_proto::MethodRequest;
use secrets_proto::v1::CallPurpose;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub use self::builder::{ClientBuilder, ConnectError};
pub use self::diagnose::{ConnectionReport, ServerCertificate};
use self::freshness::Freshness;
use self::wait_notice::WaitNotice;
use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::retry::{self, RetryClass, RetryPolicy};

/// The largest response that the client accepts, in bytes: four full scopes with their metadata.
pub(crate) const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;

/// Where an answer says when the caller's sign-in ends.
const SIGN_IN_END: &str = "x-sign-in-end";
/// When one of the caller's recovery codes was used, in the metadata of an answer.
const RECOVERY: &str = "x-recovery";
/// What a call is for, in its metadata.
const PURPOSE: &str = "x-purpose";

/// A client of the secrets service. Clones share the connection.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    credential_kind: Option<CredentialKind>,
    /// What all its calls are for.
    purpose: CallPurpose,
    deadline: Duration,
    retry: RetryPolicy,
    freshness: Freshness,
    wait_notice: Option<WaitNotice>,
    /// When the sign-in ends, once the service has said so.
    sign_in_end: OnceLock<Timestamp>,
    /// When a recovery code of the caller was used, once the service has said so.
    recovery: OnceLock<Timestamp>,
}

impl Client {
    /// Starts a client for `endpoint`, which is `https://host[:port]`, or `http://host[:port]` on this machine.
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(endpoint.into())
    }

    /// Returns the endpoint that the client was built for.
    pub fn endpoint(&self) -> &str {
        self.0.endpoint.as_str()
    }

    /// Returns when the sign-in of the client's credential ends, once the service has said so: it does from 14 days before.
    pub fn sign_in_end(&self) -> Option<Timestamp> {
        self.0.sign_in_end.get().copied()
    }

    /// Returns when one of the recovery codes of the client's person was used, once the service has said so: it does for 14 days.
    pub fn recovery(&self) -> Option<Timestamp> {
        self.0.recovery.get().copied()
    }

    /// Sends one logical call with the credential, within the deadline, and again while its method allows that.
    async fn call<M, R, F, Fut>(&self, message: M, send: F) -> Result<R, ClientError>
    where
        M: Clone + MethodRequest,
        F: Fn(Channel, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        self.call_as(RetryClass::from_method(M::METHOD), message, send).await
    }

    /// Sends one logical call as [`call`](Self::call) does, in another class than that of its method.
    async fn call_as<M, R, F, Fut>(&self, retry_class: RetryClass, message: M, send: F) -> Result<R, ClientError>
    where
        M: Clone,
        F: Fn(Channel, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let Inner { endpoint, channel, authorization, deadline, retry, wait_notice, sign_in_end, recovery, .. } =
            &*self.0;
        let call = retry::run(retry, endpoint.as_str(), *deadline, retry_class, retry::random_unit, |left| {
            let mut request = Request::new(message.clone());
            request.set_timeout(left);
            if let Some(authorization) = authorization {
                request.metadata_mut().insert("authorization", authorization.clone());
            }
            if self.0.purpose == CallPurpose::Completion {
                request.metadata_mut().insert(PURPOSE, MetadataValue::from_static("completion"));
            }
            let answer = send(channel.clone(), request);
            async move {
                let answer = answer.await.map_err(|status| ClientError::from_status(status, endpoint.as_str()))?;
                for (name, kept) in [(SIGN_IN_END, sign_in_end), (RECOVERY, recovery)] {
                    let time = answer.metadata().get(name).and_then(|time| time.to_str().ok()?.parse().ok());
                    time.map(|time| kept.set(time));
                }
                Ok(answer.into_inner())
            }
        });
        let answered = match wait_notice {
            Some(notice) => notice.during(endpoint.as_str(), call).await,
            None => call.await,
        };
        match answered {
            Err(error) => Err(self.with_diagnosis(error).await),
            answered => answered,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.0.endpoint.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn says_where_it_failed_to_connect() {
        let client = Client::builder("http://127.0.0.1:1").retry(RetryPolicy::NEVER).build().unwrap();
        let error = client.who_am_i(secrets_proto::v1::WhoAmIRequest {}).await.unwrap_err();
        assert!(error.is_unavailable() && error.was_never_sent(), "{error:?}");
        assert_eq!(format!("{client:?}"), "Client { endpoint: \"http://127.0.0.1:1\", .. }");
    }
}
