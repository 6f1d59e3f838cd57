//! The client: a connection, a credential, a deadline, and one method per method of the service.
//!
//! To add a method: one line in the file of its service, under `read` when it changes nothing, `change` when it carries a
//! `request_id` (`revise` when its response has a `revision` too), `once` when it changes something and carries none.

mod access;
mod audit;
mod builder;
mod directory;
mod freshness;
mod greeting;
mod inspect;
mod renewal;
pub mod resolve;
mod secrets;
pub mod watch;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub use self::builder::{ClientBuilder, ConnectError};
use self::freshness::Freshness;
pub use self::inspect::{ConnectionReport, ServerCertificate};
pub use self::secrets::secret_value;
use crate::error::ClientError;
use crate::retry::{self, RetryClass, RetryPolicy};

/// The largest answer that is taken, in bytes: four full scopes with their metadata.
pub(crate) const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// A client of the secrets service. Clones share the connection.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    endpoint: String,
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    deadline: Duration,
    retry: RetryPolicy,
    freshness: Freshness,
}

/// A credential or code that was just made, and is shown this once.
pub struct Created<T> {
    /// The token or code.
    pub secret: SecretString,
    /// What the service keeps of it.
    pub details: T,
}

impl<T> Created<T> {
    /// `secret` as the service sent it; empty when the answer is a repeat of one that was lost.
    pub(crate) fn new(secret: String, details: T, name: impl FnOnce(&T) -> String) -> Result<Self, ClientError> {
        if secret.is_empty() {
            return Err(ClientError::Lost { name: name(&details) });
        }
        Ok(Self { secret: secret.into(), details })
    }
}

impl Client {
    /// A client for `endpoint`, `http://host:port` or `https://host[:port]`, to be configured and built.
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(endpoint.into())
    }

    /// The address it was built for.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// Sends one logical call: with the credential, within the deadline, and again while that is safe.
    pub(crate) async fn call<M, R, F, Fut>(&self, safety: RetryClass, message: M, send: F) -> Result<R, ClientError>
    where
        M: Clone,
        F: Fn(Channel, Request<M>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let Inner { endpoint, channel, authorization, deadline, retry, .. } = &*self.0;
        let answered = retry::run(retry, *deadline, safety, retry::random_unit, |left| {
            let mut request = Request::new(message.clone());
            request.set_timeout(left);
            if let Some(authorization) = authorization {
                request.metadata_mut().insert("authorization", authorization.clone());
            }
            let answer = send(channel.clone(), request);
            async move {
                answer.await.map(Response::into_inner).map_err(|status| ClientError::from_status(status, endpoint))
            }
        })
        .await;
        match answered {
            Err(error) => Err(self.explained(error).await),
            answered => answered,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.0.endpoint).finish_non_exhaustive()
    }
}

/// One `request_id` for a logical call, however often it is sent: the caller's own, if there is one.
pub(crate) fn identify(request_id: &mut String) {
    if request_id.is_empty() {
        *request_id = retry::random_uuid().to_string();
    }
}

/// Methods of [`Client`] that send one request of a service and return its response.
macro_rules! methods {
    ($stub:path; $($(#[$doc:meta])* $kind:ident $method:ident($request:ident) -> $response:ident;)*) => {
        impl $crate::client::Client {
            $(
                $(#[$doc])*
                pub async fn $method(
                    &self,
                    request: secrets_proto::v1::$request,
                ) -> Result<secrets_proto::v1::$response, $crate::error::ClientError> {
                    $crate::client::methods!(@$kind request);
                    $crate::client::methods!(@resource $kind request resource);
                    let answer = self.call($crate::client::methods!(@safety $kind), request, |channel, request| async move {
                        <$stub>::new(channel)
                            .max_decoding_message_size($crate::client::LARGEST_ANSWER)
                            .$method(request)
                            .await
                    })
                    .await?;
                    $crate::client::methods!(@remember $kind self resource answer);
                    Ok(answer)
                }
            )*
        }
    };
    (@read $request:ident) => {};
    (@once $request:ident) => {};
    (@change $request:ident) => {
        let mut $request = $request;
        $crate::client::identify(&mut $request.request_id);
    };
    (@revise $request:ident) => { $crate::client::methods!(@change $request) };
    (@resource revise $request:ident $resource:ident) => {
        let $resource = $crate::client::freshness::Revising::resource(&$request).to_owned();
    };
    (@resource $kind:ident $request:ident $resource:ident) => {};
    (@remember revise $client:ident $resource:ident $answer:ident) => {
        $client.0.freshness.changed(&$resource, &$answer.revision);
    };
    (@remember $kind:ident $client:ident $resource:ident $answer:ident) => {};
    (@safety revise) => { $crate::retry::RetryClass::Repeatable };
    (@safety read) => { $crate::retry::RetryClass::Repeatable };
    (@safety change) => { $crate::retry::RetryClass::Repeatable };
    (@safety once) => { $crate::retry::RetryClass::Once };
}
pub(crate) use methods;

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_repeat_without_its_token_is_an_error_that_names_it() {
        let error = Created::new(String::new(), "tokens/7", |name| (*name).to_owned()).err().unwrap();
        assert!(matches!(error, ClientError::Lost { name } if name == "tokens/7"));
        let created = Created::new("ssvc_x".to_owned(), "tokens/7", |name| (*name).to_owned()).ok().unwrap();
        assert_eq!(created.secret.expose_secret(), "ssvc_x");
    }

    #[tokio::test]
    async fn says_where_it_failed_to_connect() {
        let client = Client::builder("http://127.0.0.1:1").retry(RetryPolicy::NEVER).build().unwrap();
        let error = client.who_am_i(secrets_proto::v1::WhoAmIRequest {}).await.unwrap_err();
        assert!(error.is_unavailable() && error.was_never_sent(), "{error:?}");
        assert_eq!(format!("{client:?}"), "Client { endpoint: \"http://127.0.0.1:1\", .. }");
    }
}
