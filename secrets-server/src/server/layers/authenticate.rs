//! Looks up the credential of a call from its headers, before a byte of its body is read. What a call may do is decided by the
//! use cases; health checks and reflection need no credential.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderName, Request, Response};
use secrets_proto::Method;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{BoxFuture, ready_clone};
use crate::auth::{Authenticated, Authenticator, RequestCredentials};
use crate::error::{Error, Reason};
use crate::server::limits::LOOKUP_TIMEOUT;

/// When the caller's sign-in ends for good, from 14 days before.
const SIGN_IN_END: HeaderName = HeaderName::from_static("x-sign-in-end");
/// When one of the caller's recovery codes was used, for 14 days.
const RECOVERY: HeaderName = HeaderName::from_static("x-recovery");

#[derive(Clone)]
pub(crate) struct AuthenticateLayer {
    authenticator: Arc<Authenticator>,
}

impl AuthenticateLayer {
    pub(super) fn new(authenticator: Arc<Authenticator>) -> Self {
        Self { authenticator }
    }
}

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Authenticate<S> {
        Authenticate { inner, authenticator: Arc::clone(&self.authenticator) }
    }
}

/// Hands the [`Authenticated`] on to the handlers.
#[derive(Clone)]
pub(crate) struct Authenticate<S> {
    inner: S,
    authenticator: Arc<Authenticator>,
}

impl<S> Service<Request<Body>> for Authenticate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(method) = Method::from_path(request.uri().path()) else {
            return Box::pin(self.inner.call(request));
        };
        let mut inner = ready_clone(&mut self.inner);
        let authenticator = Arc::clone(&self.authenticator);
        Box::pin(async move {
            let presented = RequestCredentials::new(request.headers(), request.extensions());
            match look_up(&authenticator, presented, method).await {
                Ok(authenticated) => {
                    let ending = authenticator.ending_sign_in(&authenticated);
                    request.extensions_mut().insert(authenticated.clone());
                    let mut response = inner.call(request).await?;
                    let recovery = authenticator.recent_recovery(&authenticated);
                    for (name, time) in [(SIGN_IN_END, ending), (RECOVERY, recovery)] {
                        if let Some(time) = time.and_then(|time| time.to_string().parse().ok()) {
                            response.headers_mut().insert(name, time);
                        }
                    }
                    Ok(response)
                }
                Err(error) => Ok(Status::from(error).into_http()),
            }
        })
    }
}

async fn look_up(
    authenticator: &Authenticator,
    presented: RequestCredentials,
    method: Method,
) -> Result<Authenticated, Error> {
    timeout(LOOKUP_TIMEOUT, authenticator.look_up(presented, method)).await.unwrap_or_else(|_| {
        tracing::error!("the database did not answer within {} s", LOOKUP_TIMEOUT.as_secs());
        Err(Error::new(Reason::StorageUnavailable, "the database does not answer; nothing was done"))
    })
}
