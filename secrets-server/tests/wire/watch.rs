//! Watch: what would be delivered, each change of it, and an end when the right ends.

mod changes;
mod end;
mod opening;

use std::time::Duration;

use secrets_proto::v1;
use secrets_proto::v1::watch_response::Event;
use tokio::time::timeout;
use tonic::{Response, Status, Streaming};

use crate::support::calls::context;
use crate::support::server::TestServer;
use crate::wire::secrets::{ACME, BOB, creation};

/// Longer than anything here may take: what hangs fails its test.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);

/// `acme` with its administrator ann, and bob, who owns `ws1` of the project `api` and has a Linear key of his own.
struct Acme<'a> {
    server: &'a TestServer,
    ann: String,
    bob: String,
}

impl<'a> Acme<'a> {
    async fn new(server: &'a TestServer) -> Self {
        let ann = server.organization("acme").await;
        let bob = server.person(&ann, "acme", "bob").await;
        server.project(&ann, "api").await;
        server.workspace(&ann, "ws1", "api", "bob").await.unwrap();
        server.bind(&ann, "organizations/acme/projects/api", BOB, v1::Role::Member).await.unwrap();
        let acme = Self { server, ann, bob };
        acme.create(&acme.ann, creation(ACME, "LINEAR_API_KEY", "lin-org")).await;
        acme.create(&acme.ann, creation(ACME, "OPENAI_API_KEY", "sk-org")).await;
        acme.create(&acme.bob, creation(BOB, "LINEAR_API_KEY", "lin-bob")).await;
        acme
    }

    async fn create(&self, token: &str, request: v1::CreateSecretRequest) {
        self.server.secrets(token).create_secret(request).await.unwrap();
    }

    /// Changes what the mask names.
    async fn update(&self, token: &str, secret: v1::Secret, mask: &str) {
        let update_mask = Some(prost_types::FieldMask { paths: vec![mask.to_owned()] });
        let request = v1::UpdateSecretRequest { secret: Some(secret), update_mask, ..Default::default() };
        self.server.secrets(token).update_secret(request).await.unwrap();
    }

    async fn open(&self, token: &str, request: v1::WatchRequest) -> Result<Watching, Status> {
        let opened = timeout(EVENT_TIMEOUT, self.server.resolver(token).watch(request)).await.expect("it opens");
        opened.map(Response::into_inner).map(Watching)
    }

    async fn bob_watches(&self) -> Watching {
        self.open(&self.bob, ws1()).await.unwrap()
    }
}

fn ws1() -> v1::WatchRequest {
    v1::WatchRequest { context: Some(context("ws1", "")), ..Default::default() }
}

/// An open stream.
struct Watching(Streaming<v1::WatchResponse>);

impl Watching {
    /// The next event, heartbeats included.
    async fn hears(&mut self) -> Result<v1::WatchResponse, Status> {
        let next = timeout(EVENT_TIMEOUT, self.0.message()).await.expect("something within half a minute");
        Ok(next?.expect("a stream never ends without a status"))
    }

    /// The next event that is no heartbeat.
    async fn next_event(&mut self) -> v1::WatchResponse {
        loop {
            let event = self.hears().await.unwrap();
            if !matches!(event.event, Some(Event::Heartbeat(_))) {
                return event;
            }
        }
    }

    /// The set that a stream begins with: its answer, and a line a secret.
    async fn set(&mut self) -> (v1::WatchResponse, Vec<String>) {
        let event = self.next_event().await;
        let Some(Event::Set(set)) = &event.event else { panic!("{event:?}") };
        let lines = set.secrets.iter().map(line).collect();
        (event, lines)
    }

    /// The next change: its etag, whether another delivery came of it, and a line a secret.
    async fn change(&mut self) -> (String, bool, Vec<String>) {
        let event = self.next_event().await;
        let Some(Event::Changed(change)) = event.event else { panic!("{event:?}") };
        let mut lines: Vec<String> = change.added.iter().map(|secret| format!("+ {}", line(secret))).collect();
        lines.extend(change.updated.iter().map(|secret| format!("* {}", line(secret))));
        lines.extend(change.removed.iter().map(|name| format!("- {name}")));
        (event.etag, change.delivery_changed, lines)
    }

    /// The status that it ends with.
    async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.hears().await {
                return status;
            }
        }
    }
}

fn line(secret: &v1::WatchedSecret) -> String {
    let scope = secret.scope().as_str_name().trim_start_matches("SCOPE_KIND_").to_lowercase();
    format!("{} v{} of {scope} {}", secret.secret_id, secret.version, secret.description).trim_end().to_owned()
}
