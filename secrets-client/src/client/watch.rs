//! Watching what a context gets, and each change of it, through every interruption.

use std::time::Duration;

use prost_types::Timestamp;
use secrets_proto::v1;
use secrets_proto::v1::resolve_service_client::ResolveServiceClient;
use secrets_proto::v1::watch_response::Event;
use tokio::time::{sleep, timeout};
use tonic::{Code, Request, Streaming};

use super::{Client, MAX_RESPONSE_BYTES};
use crate::error::ClientError;
use crate::retry::{self, RetryPolicy};
use crate::validation::{self, Question};

/// How long the service may take to answer with the first event.
const FIRST_EVENT_TIMEOUT: Duration = Duration::from_secs(10);
/// Three heartbeats: a stream without an event for longer is dead, though nobody closed it.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);
/// A watch waits for its service without end, with short waits so that it returns soon after the service.
pub(super) const RECONNECT_POLICY: RetryPolicy = RetryPolicy {
    attempts: u32::MAX,
    base: Duration::from_millis(200),
    cap: Duration::from_secs(10),
    unanswered_connections: u32::MAX,
};

/// A watch. It reconnects by itself, for as long as it takes.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    /// Its `if_none_match` is the etag of the last event.
    request: v1::WatchRequest,
    stream: Option<Streaming<v1::WatchResponse>>,
    /// Connections that failed since the last event.
    failures: u32,
    has_begun: bool,
    context: Option<v1::Context>,
}

/// An event of a watch.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchEvent {
    /// What happened.
    pub kind: WatchEventKind,
    /// Whether a resolve would deliver something else than at the previous event, or than the `if_none_match` of the request
    /// says: false when only metadata changed, for instance a description.
    pub delivery_changed: bool,
    /// Identifies what would be delivered, as the etag of a resolve with the same filters does.
    pub etag: String,
    /// The organization's revision that was read.
    pub revision: String,
    /// The next time at which the set changes by itself; none: never.
    pub next_change_time: Option<Timestamp>,
}

/// What a watch found.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEventKind {
    /// The whole set: at the beginning, and when another one is delivered after an interruption.
    Set(v1::WatchedSet),
    /// The difference from the set so far.
    Changed(v1::WatchedChange),
    /// Only at the beginning: the set is still the one that the request's `if_none_match` identifies.
    Unchanged,
}

impl Client {
    /// Watches what [`resolve`](Self::resolve) would deliver: metadata, never a value.
    pub fn watch(&self, request: v1::WatchRequest) -> Watch {
        Watch { client: self.clone(), request, stream: None, failures: 0, has_begun: false, context: None }
    }
}

impl Watch {
    /// Waits for the next event. While the service is unavailable, it waits and reconnects. An error is final, above all a
    /// denial or an event that breaks a rule: the watch has ended. Dropping the future loses no event.
    pub async fn next(&mut self) -> Result<WatchEvent, ClientError> {
        loop {
            let is_first = self.stream.is_none();
            let received = match self.stream.as_mut() {
                None => self.open().await,
                Some(stream) => match timeout(SILENCE_TIMEOUT, stream.message()).await {
                    Ok(Ok(event)) => Ok(event),
                    Ok(Err(status)) => Err(ClientError::from_status(status, self.client.endpoint())),
                    Err(_) => Ok(None),
                },
            };
            let retry_after = match received {
                Ok(Some(mut response)) => {
                    let question = Question::from(&self.request);
                    if let Err(rule) = validation::check_event(&mut response, &question, is_first) {
                        self.stream = None;
                        return Err(rule.into());
                    }
                    self.failures = 0;
                    if let Some(event) = self.event(response) {
                        return Ok(event);
                    }
                    continue;
                }
                Ok(None) => None,
                Err(error) if is_final(&error) => {
                    self.stream = None;
                    return Err(error);
                }
                Err(error) => error.retry_after(),
            };
            self.stream = None;
            self.failures = self.failures.saturating_add(1);
            sleep(RECONNECT_POLICY.delay(self.failures, retry::random_unit(), retry_after)).await;
        }
    }

    /// Opens a stream, and returns its first event.
    async fn open(&mut self) -> Result<Option<v1::WatchResponse>, ClientError> {
        let mut request = Request::new(self.request.clone());
        if let Some(authorization) = &self.client.0.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        let mut stub =
            ResolveServiceClient::new(self.client.0.channel.clone()).max_decoding_message_size(MAX_RESPONSE_BYTES);
        let opened = timeout(FIRST_EVENT_TIMEOUT, async {
            let mut stream = stub.watch(request).await?.into_inner();
            let first = stream.message().await?;
            Ok((stream, first))
        });
        let opened = opened.await.map_err(|_| timed_out(self.client.endpoint()))?;
        let (stream, first) =
            opened.map_err(|status: tonic::Status| ClientError::from_status(status, self.client.endpoint()))?;
        self.stream = Some(stream);
        Ok(first)
    }

    /// Returns the event for the caller; none for most heartbeats.
    fn event(&mut self, response: v1::WatchResponse) -> Option<WatchEvent> {
        let v1::WatchResponse { event, etag, revision, next_change_time } = response;
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let is_other = etag != self.request.if_none_match;
        self.request.if_none_match.clone_from(&etag);
        let (kind, delivery_changed) = match event? {
            Event::Set(set) => {
                self.context.clone_from(&set.context);
                (WatchEventKind::Set(set), is_other)
            }
            Event::Changed(change) => {
                let changed = change.delivery_changed;
                (WatchEventKind::Changed(change), changed)
            }
            Event::Heartbeat(_) if is_first => (WatchEventKind::Unchanged, false),
            Event::Heartbeat(_) => return None,
        };
        if delivery_changed {
            // A resolve that follows this event must not be older than it, whether it names its context or not.
            for context in [self.context.as_ref(), self.request.context.as_ref()] {
                let organization = context.map(|context| context.organization.as_str()).unwrap_or_default();
                self.client.0.freshness.record(organization, &revision);
            }
        }
        Some(WatchEvent { kind, delivery_changed, etag, revision, next_change_time })
    }
}

fn timed_out(endpoint: &str) -> ClientError {
    ClientError::TimedOut { endpoint: endpoint.to_owned(), after: FIRST_EVENT_TIMEOUT }
}

/// Whether the service would answer the same again: it knows the caller, the call and what it asks for, and refuses.
pub(super) fn is_final(error: &ClientError) -> bool {
    match error {
        ClientError::Answered(answer) => matches!(
            answer.code,
            Code::Unauthenticated
                | Code::PermissionDenied
                | Code::InvalidArgument
                | Code::NotFound
                | Code::FailedPrecondition
                | Code::OutOfRange
                | Code::Unimplemented
                | Code::DataLoss
        ),
        ClientError::Malformed(_) => true,
        ClientError::Unreachable { .. } | ClientError::TimedOut { .. } | ClientError::Lost { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    fn watching() -> Watch {
        let client = Client::builder("http://127.0.0.1:1").build().unwrap();
        let context = Some(v1::Context { organization: "acme".into(), ..Default::default() });
        client.watch(v1::WatchRequest { context, ..Default::default() })
    }

    fn response(etag: &str, event: Event) -> v1::WatchResponse {
        v1::WatchResponse { event: Some(event), etag: etag.into(), revision: format!("1.{etag}"), ..Default::default() }
    }

    fn heartbeat(etag: &str) -> v1::WatchResponse {
        response(etag, Event::Heartbeat(v1::WatchHeartbeat {}))
    }

    #[tokio::test]
    async fn returns_changes_and_hides_heartbeats() {
        let mut watch = watching();
        let first = watch.event(response("a", Event::Set(v1::WatchedSet::default()))).unwrap();
        assert!(first.delivery_changed);
        assert_eq!(watch.event(heartbeat("a")), None);
        let described = response("a", Event::Changed(v1::WatchedChange::default()));
        assert!(!watch.event(described).unwrap().delivery_changed);
        let changed = v1::WatchedChange { delivery_changed: true, ..Default::default() };
        assert!(watch.event(response("b", Event::Changed(changed))).unwrap().delivery_changed);
        assert_eq!(watch.client.revisions()["acme"], "1.b");
        assert_eq!(watch.client.revisions().len(), 1);
        // After an interruption in which nothing happened, and after one in which something did.
        assert_eq!(watch.event(heartbeat("b")), None);
        assert!(watch.event(response("c", Event::Set(v1::WatchedSet::default()))).unwrap().delivery_changed);
        assert_eq!(watch.request.if_none_match, "c");
    }

    /// A session names no context, and resolves its own again because of an event.
    #[tokio::test]
    async fn a_session_resolves_nothing_older_than_its_last_event() {
        let mut watch = watching();
        watch.request.context = None;
        let context = Some(v1::Context { organization: "acme".into(), ..Default::default() });
        watch.event(response("a", Event::Set(v1::WatchedSet { context, ..Default::default() })));
        let changed = v1::WatchedChange { delivery_changed: true, ..Default::default() };
        watch.event(response("b", Event::Changed(changed)));
        let demanded = std::sync::Mutex::new(None);
        let answer: Result<(), ClientError> = watch
            .client
            .with_freshness(None, None, |consistency, _| {
                *demanded.lock().unwrap() = consistency;
                async { Ok(()) }
            })
            .await;
        assert!(answer.is_ok());
        let requirement = demanded.into_inner().unwrap().and_then(|consistency| consistency.requirement);
        assert_eq!(requirement, Some(v1::consistency::Requirement::AtLeastAsFresh("1.b".into())));
    }

    #[tokio::test]
    async fn reports_once_that_the_known_set_is_unchanged() {
        let mut watch = watching();
        watch.request.if_none_match = "a".into();
        assert_eq!(watch.event(heartbeat("a")).unwrap().kind, WatchEventKind::Unchanged);
        assert_eq!(watch.event(heartbeat("a")), None);
    }

    #[test]
    fn ends_only_with_an_answer_that_would_be_the_same_again() {
        let answered = |code| ClientError::from_status(Status::new(code, "no"), "http://e");
        for code in [Code::PermissionDenied, Code::Unauthenticated, Code::InvalidArgument, Code::Unimplemented] {
            assert!(is_final(&answered(code)), "{code:?}");
        }
        for code in [Code::Unavailable, Code::Internal, Code::Unknown, Code::Cancelled, Code::ResourceExhausted] {
            assert!(!is_final(&answered(code)), "{code:?}");
        }
        assert!(is_final(&validation::BrokenRule::NoContext.into()));
        assert!(!is_final(&timed_out("http://e")));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_a_service_that_is_unavailable() {
        let mut watch = watching();
        let waited = timeout(Duration::from_secs(300), watch.next()).await;
        assert!(waited.is_err(), "{waited:?}");
        assert!(watch.failures > 10, "{}", watch.failures);
    }
}
