//! The way of every call, written once: authenticate → decode → use case → audit → encode.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use prost::Message;
use secrets_proto::IdempotentRequest;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::status;
use crate::auth::{Authenticator, RequestCredentials};
use crate::call::Call;
use crate::error::{Error, Reason};
use crate::process::shutdown::Signal;
use crate::server::limits::MAX_RESPONSE_BYTES;
use crate::service::Service;
use crate::service::mutation::{Done, Keep};
use crate::service::resolve::watch::{Watch, WatchEvent, WatchQuestion, Watcher};

/// The future of a use case.
pub type Use<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The use case of a mutation.
pub type Mutation<I, T> = for<'a> fn(&'a Service, &'a Call, &'a I, &'a Keep<T>) -> Use<'a, Done<T>>;

/// A stream of answers.
pub type Events<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

/// A mutation is run again at most this often when another transaction was in the way.
const ATTEMPTS: u32 = 8;

/// A call that takes longer waits for a database that fell silent: no statement, and no wait for a connection, takes
/// nearly as long. A mutation would otherwise wait without end, since it does not end with its caller's deadline.
const LONGEST: Duration = Duration::from_secs(20);

/// What the handlers of all services share.
#[derive(Clone)]
pub struct Handler {
    service: Arc<Service>,
    authenticator: Arc<Authenticator>,
}

impl Handler {
    /// The handler of calls to `service`.
    pub fn new(service: Arc<Service>, authenticator: Arc<Authenticator>) -> Self {
        Self { service, authenticator }
    }

    /// A call that changes nothing.
    pub async fn read<M, I, T, R>(
        &self,
        request: Request<M>,
        method: &'static str,
        decode: fn(M) -> Result<I, Error>,
        case: for<'a> fn(&'a Service, &'a Call, I) -> Use<'a, T>,
        encode: fn(T) -> R,
    ) -> Result<Response<R>, Status>
    where
        R: Message,
    {
        let presented = RequestCredentials::of(&request);
        let deadline = Instant::now() + LONGEST;
        let call = within(deadline, self.authenticator.authenticate(&presented, method))
            .await
            .map_err(|failure| status::of(&failure))?;
        let result = match decode(request.into_inner()) {
            Ok(input) => within(deadline, case(&self.service, &call, input)).await,
            Err(failure) => Err(failure),
        };
        let result = self.service.close_call(&call, result).await;
        result.map(encode).and_then(fitting).map(Response::new).map_err(|failure| status::of(&failure))
    }

    /// A call whose answer is a stream: it is recorded when it is opened, and asks for the next event only when there is room
    /// for it on the way to the caller.
    pub async fn watch<M, R>(
        &self,
        request: Request<M>,
        method: &'static str,
        decode: fn(M) -> Result<WatchQuestion, Error>,
        encode: fn(WatchEvent) -> R,
    ) -> Result<Response<Events<R>>, Status>
    where
        R: Message + 'static,
    {
        let stop = request.extensions().get::<Signal>().cloned().unwrap_or_default();
        let presented = RequestCredentials::of(&request);
        let deadline = Instant::now() + LONGEST;
        let call = within(deadline, self.authenticator.authenticate(&presented, method))
            .await
            .map_err(|failure| status::of(&failure))?;
        let result = match decode(request.into_inner()) {
            Ok(question) => {
                let authenticator = Arc::clone(&self.authenticator);
                let watcher = Watcher { authenticator, presented: presented.unheld(), method, stop };
                within(deadline, self.service.watch(&call, watcher, question)).await
            }
            Err(failure) => Err(failure),
        };
        let watch = self.service.close_call(&call, result).await.map_err(|failure| status::of(&failure))?;
        Ok(Response::new(Box::pin(stream::unfold((watch, encode), next))))
    }

    /// A call that changes something: runs to its end also when the caller hangs up, again when another transaction was in
    /// the way, and answers a repeated request id with the first result.
    pub async fn mutate<M, I, T, R>(
        &self,
        request: Request<M>,
        method: &'static str,
        decode: fn(M) -> Result<I, Error>,
        case: Mutation<I, T>,
        encode: fn(&T) -> R,
        kept: fn(&T) -> R,
    ) -> Result<Response<R>, Status>
    where
        M: Message + IdempotentRequest + 'static,
        I: Send + Sync + 'static,
        T: Send + Sync + 'static,
        R: Message + Default + 'static,
    {
        let presented = RequestCredentials::of(&request);
        self.mutate_as(presented, request.into_inner(), method, decode, case, encode, kept).await
    }

    /// The same with another credential than the one in the metadata: an invitation's code.
    #[expect(clippy::too_many_arguments, reason = "a mutation with its five functions, and who presents what")]
    pub async fn mutate_as<M, I, T, R>(
        &self,
        presented: RequestCredentials,
        message: M,
        method: &'static str,
        decode: fn(M) -> Result<I, Error>,
        case: Mutation<I, T>,
        encode: fn(&T) -> R,
        kept: fn(&T) -> R,
    ) -> Result<Response<R>, Status>
    where
        M: Message + IdempotentRequest + 'static,
        I: Send + Sync + 'static,
        T: Send + Sync + 'static,
        R: Message + Default + 'static,
    {
        let deadline = Instant::now() + LONGEST;
        let call = within(deadline, self.authenticator.authenticate(&presented, method))
            .await
            .map_err(|failure| status::of(&failure))?;
        let service = Arc::clone(&self.service);
        let span = tracing::Span::current();
        // A task of its own: dropping the caller's future drops the handle, not the work. A server that stops waits for it.
        let hold = presented.hold;
        let work = tokio::spawn(tracing::Instrument::instrument(
            async move {
                let _hold = hold;
                let result = async {
                    let keep = service.keep(&message, message.request_id(), kept)?;
                    let input = decode(message)?;
                    let mut attempt = 1;
                    loop {
                        match within(deadline, case(&service, &call, &input, &keep)).await {
                            Err(failure) if failure.is_worth_again() && attempt < ATTEMPTS => {
                                tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 10)).await;
                                attempt += 1;
                            }
                            result => return result,
                        }
                    }
                }
                .await;
                service.close_call(&call, result).await
            },
            span,
        ));
        let done = work.await.unwrap_or_else(|error| Err(Error::internal(error)));
        match done.map_err(|failure| status::of(&failure))? {
            Done::Fresh(answer) => Ok(Response::new(encode(&answer))),
            Done::Repeated(bytes) => R::decode(bytes.as_slice()).map(Response::new).map_err(|_| {
                status::of(&Error::new(Reason::Internal, "the first result of this request id can't be read"))
            }),
        }
    }
}

/// A failure ends the stream with its status.
async fn next<R: Message>(
    (mut watch, encode): (Watch, fn(WatchEvent) -> R),
) -> Option<(Result<R, Status>, (Watch, fn(WatchEvent) -> R))> {
    let event = watch.next().await?.map(encode).and_then(fitting);
    Some((event.map_err(|failure| status::of(&failure)), (watch, encode)))
}

/// An answer that fits a message; the transport would refuse it too, but not say what to do.
fn fitting<R: Message>(answer: R) -> Result<R, Error> {
    let length = answer.encoded_len();
    if length > MAX_RESPONSE_BYTES {
        let text = format!("the answer takes {length} bytes; at most {MAX_RESPONSE_BYTES} pass: ask for less at once");
        return Err(Error::new(Reason::LimitExceeded, text).with("limit", "answer_bytes"));
    }
    Ok(answer)
}

async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| {
        tracing::error!("the database did not answer within {} s", LONGEST.as_secs());
        let text = "the database does not answer; what was asked may have been done: repeat it under its request id";
        Err(Error::new(Reason::StorageUnavailable, text))
    })
}
