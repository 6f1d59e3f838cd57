//! Events of Watch.

use secrets_proto::v1;
use secrets_proto::v1::watch_response::Event;

use super::secret::redaction;
use super::target::{scope_kind, target};
use super::{context, revision, time};
use crate::service::resolve::watch::{Happened, WatchEvent, Watched};

pub fn event(event: WatchEvent) -> v1::WatchResponse {
    let secrets = |list: &[Watched]| list.iter().map(watched).collect();
    let happened = match event.happened {
        Happened::Set { context: name, secrets: all } => {
            Event::Set(v1::WatchedSet { secrets: secrets(&all), context: Some(context(&name)) })
        }
        Happened::Change { added, updated, removed, delivery_changed } => Event::Changed(v1::WatchedChange {
            added: secrets(&added),
            updated: secrets(&updated),
            removed: removed.iter().map(ToString::to_string).collect(),
            delivery_changed,
        }),
        Happened::Nothing => Event::Heartbeat(v1::WatchHeartbeat {}),
    };
    v1::WatchResponse {
        event: Some(happened),
        etag: event.etag,
        revision: revision(&event.revision),
        next_change_time: event.next_change_time.map(time),
    }
}

fn watched(secret: &Watched) -> v1::WatchedSecret {
    v1::WatchedSecret {
        secret: secret.name.to_string(),
        secret_id: secret.name.secret_id.to_string(),
        target: Some(target(&secret.target)),
        scope: scope_kind(secret.name.scope.kind()).into(),
        version: secret.version,
        redaction: redaction(secret.redaction).into(),
        description: secret.description.to_string(),
        group: secret.group.as_ref().map(ToString::to_string).unwrap_or_default(),
        expire_time: secret.expire_time.map(time),
    }
}
