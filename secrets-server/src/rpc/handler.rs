//! The pipeline of every call, written once: open the call of who was authenticated → decode → use case → audit → encode.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use prost::Message;
use secrets_proto::{IdempotentRequest, MethodRequest};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::hang_up::unless_hung_up;
use crate::auth::{Authenticated, Authenticator};
use crate::call::Call;
use crate::call::permit::{CallPermit, in_turn, run_call};
use crate::error::{Error, Reason};
use crate::process::shutdown::Shutdown;
use crate::server::limits::MAX_RESPONSE_BYTES;
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::{OpenCall, UseCase};
use crate::service::resolve::watch::{Watch, WatchEvent, WatchQuestion, Watcher};

/// The use case of a call that changes nothing.
pub type UnaryFn<I, T> = for<'a> fn(&'a Service, &'a mut OpenCall, I) -> UseCase<'a, T>;

/// The use case of a mutation.
pub type MutationFn<I, T> =
    for<'a> fn(&'a Service, &'a mut OpenCall, &'a I, &'a IdempotencyKey<T>) -> UseCase<'a, MutationOutcome<T>>;

pub type ResponseStream<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

/// Of a mutation, while other transactions interfere.
const MAX_ATTEMPTS: u32 = 8;

/// A call that takes longer waits for a database that does not respond: no statement, and no wait for a connection, takes
/// nearly as long. A mutation would otherwise wait without end, since it does not end with its caller's deadline.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// What the handlers of all services share.
#[derive(Clone)]
pub struct Handler {
    service: Arc<Service>,
    authenticator: Arc<Authenticator>,
}

impl Handler {
    pub fn new(service: Arc<Service>, authenticator: Arc<Authenticator>) -> Self {
        Self { service, authenticator }
    }

    /// A call that changes nothing.
    pub async fn unary<M, I, T>(
        &self,
        request: Request<M>,
        decode: fn(M) -> Result<I, Error>,
        run: UnaryFn<I, T>,
        encode: fn(T) -> M::Response,
    ) -> Result<Response<M::Response>, Status>
    where
        M: MethodRequest,
        M::Response: 'static,
        I: Send + 'static,
        T: Send + 'static,
    {
        let (call, deadline) = self.open_call(&Authenticated::of(request.extensions())?).await?;
        let permit = request.extensions().get::<CallPermit>().cloned();
        let input = decode(request.into_inner());
        let (service, waiting) = (Arc::clone(&self.service), permit.clone());
        let work = async move {
            let answer = service.run(call, |service, call| {
                Box::pin(until(deadline, async move {
                    let input = input?;
                    in_turn(waiting.as_ref(), run(service, call, input)).await
                }))
            });
            within_limit(encode(answer.await?))
        };
        Ok(Response::new(run_call(permit, work).await?))
    }

    /// A call whose response is a stream: it is recorded when it is opened, and takes the next event only when there is room
    /// for it on the connection.
    pub async fn server_stream<M>(
        &self,
        request: Request<M>,
        decode: fn(M) -> Result<WatchQuestion, Error>,
        encode: fn(WatchEvent) -> M::Response,
    ) -> Result<Response<ResponseStream<M::Response>>, Status>
    where
        M: MethodRequest,
        M::Response: 'static,
    {
        let stop = request.extensions().get::<Shutdown>().cloned().unwrap_or_default();
        let authenticated = Authenticated::of(request.extensions())?;
        let (call, deadline) = self.open_call(&authenticated).await?;
        let permit = request.extensions().get::<CallPermit>().cloned();
        let question = decode(request.into_inner());
        let service = Arc::clone(&self.service);
        let authenticator = Arc::clone(&self.authenticator);
        let watcher = Watcher { authenticator, authenticated, stop };
        let waiting = permit.clone();
        let work = async move {
            let watched = Arc::clone(&service);
            let opened = service.run(call, |_, call| {
                Box::pin(until(deadline, async move {
                    let question = question?;
                    in_turn(waiting.as_ref(), watched.watch(call, watcher, question)).await
                }))
            });
            opened.await
        };
        let watch = run_call(permit, work).await?;
        Ok(Response::new(Box::pin(stream::unfold((watch, encode), next))))
    }

    /// A call that changes something: given up when the caller hangs up before its first write, and from then on run to its end;
    /// run again when another transaction interferes, and answers a repeated request id with the first response.
    pub async fn mutation<M, I, T>(
        &self,
        request: Request<M>,
        decode: fn(M) -> Result<I, Error>,
        run: MutationFn<I, T>,
        encode: fn(&T) -> M::Response,
    ) -> Result<Response<M::Response>, Status>
    where
        M: IdempotentRequest + 'static,
        I: Send + Sync + 'static,
        T: Send + Sync + 'static,
        M::Response: 'static,
    {
        self.mutation_with_secret(request, decode, run, encode, encode).await
    }

    /// A mutation whose first response carries a token or a code: `encode_replay` leaves it out, since that response is stored.
    pub async fn mutation_with_secret<M, I, T>(
        &self,
        request: Request<M>,
        decode: fn(M) -> Result<I, Error>,
        run: MutationFn<I, T>,
        encode: fn(&T) -> M::Response,
        encode_replay: fn(&T) -> M::Response,
    ) -> Result<Response<M::Response>, Status>
    where
        M: IdempotentRequest + 'static,
        I: Send + Sync + 'static,
        T: Send + Sync + 'static,
        M::Response: 'static,
    {
        let in_flight = request.extensions().get::<Shutdown>().map(|shutdown| shutdown.calls.token());
        let permit = request.extensions().get::<CallPermit>().cloned();
        let (call, deadline) = self.open_call(&Authenticated::of(request.extensions())?).await?;
        let message = request.into_inner();
        let service = Arc::clone(&self.service);
        let hung_up = CancellationToken::new();
        let _waiting = hung_up.clone().drop_guard();
        let waiting = permit.clone();
        let work = async move {
            // The server waits for the mutation when it stops, and whoever hung up has it counted until it ends.
            let _kept = in_flight;
            let key = service.idempotency_key(&message, message.request_id(), encode_replay);
            let input = decode(message);
            service
                .run(call, |service, call| {
                    let first_write = call.first_write();
                    let work = until(deadline, async move {
                        let (input, key) = (input?, key?);
                        in_turn(waiting.as_ref(), retried(run, service, call, &input, &key)).await
                    });
                    Box::pin(unless_hung_up(hung_up, first_write, work))
                })
                .await
        };
        // A task of its own: dropping the caller's future drops the handle and tells of it, and does not drop the work.
        let work = run_call(permit, work).in_current_span();
        let done = tokio::spawn(work).await.unwrap_or_else(|error| Err(Error::internal(error)))?;
        Ok(Response::new(match done {
            MutationOutcome::Applied(answer) => encode(&answer),
            MutationOutcome::Replayed(bytes) => M::Response::decode(bytes.as_slice())
                .map_err(|_| Error::new(Reason::Internal, "the first response to this request id can't be decoded"))?,
        }))
    }

    /// The call of an authenticated request, and until when it may take.
    async fn open_call(&self, authenticated: &Authenticated) -> Result<(Call, Instant), Error> {
        let deadline = Instant::now() + CALL_TIMEOUT;
        let call = until(deadline, self.authenticator.open_call(authenticated)).await?;
        Ok((call, deadline))
    }
}

/// Runs a mutation, again while other transactions interfere.
async fn retried<I, T>(
    run: MutationFn<I, T>,
    service: &Service,
    call: &mut OpenCall,
    input: &I,
    key: &IdempotencyKey<T>,
) -> Result<MutationOutcome<T>, Error> {
    let mut count = 1;
    loop {
        match run(service, &mut *call, input, key).await {
            Err(error) if error.is_worth_again() && count < MAX_ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(u64::from(count) * 10)).await;
                count += 1;
            }
            result => return result,
        }
    }
}

/// An error ends the stream with its status.
async fn next<R: Message>(
    (mut watch, encode): (Watch, fn(WatchEvent) -> R),
) -> Option<(Result<R, Status>, (Watch, fn(WatchEvent) -> R))> {
    let event = watch.next().await?.map(encode).and_then(within_limit);
    Some((event.map_err(Status::from), (watch, encode)))
}

/// The transport would refuse a larger response too, but not say what to do.
fn within_limit<R: Message>(response: R) -> Result<R, Error> {
    let length = response.encoded_len();
    if length > MAX_RESPONSE_BYTES {
        let text =
            format!("the response must be at most {MAX_RESPONSE_BYTES} bytes (got {length}); request less at once");
        return Err(Error::new(Reason::LimitExceeded, text).with("limit", "answer_bytes"));
    }
    Ok(response)
}

async fn until<T>(deadline: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| {
        tracing::error!("the database did not answer within {} s", CALL_TIMEOUT.as_secs());
        let text = "the database does not answer; the change may have been made: repeat it under its request id";
        Err(Error::new(Reason::StorageUnavailable, text))
    })
}
