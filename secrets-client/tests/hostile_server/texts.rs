//! An answer of each method whose every text is hostile, as far as no rule refuses it.

mod access;
mod directory;

use prost_types::Timestamp;
use secrets_client::v1::watch_response::Event;
use secrets_client::v1::{self, ExplainResponse};
use tonic::Status;

use super::answers::{answer, variable};
use crate::support::Reply;

/// Colours, a title, C1, a right-to-left override, a carriage return and the word "hi" in tags.
pub(super) const HOSTILE: &str =
    "\u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\u{2066}\rtext\u{e0068}\u{e0069}\u{7f}\nerror: no";

pub(super) fn text() -> String {
    HOSTILE.to_owned()
}

/// A time that no clock counts to.
const fn never() -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::MAX, nanos: i32::MIN })
}

const fn always() -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::MIN, nanos: i32::MAX })
}

/// An answer of each method that a command calls.
pub(super) fn hostile(method: &str) -> Reply {
    let refused = || Reply::Refused(Status::unimplemented(method));
    access::reply(method).or_else(|| directory::reply(method)).or_else(|| reply(method)).unwrap_or_else(refused)
}

/// Answers about secrets, and the audit log.
fn reply(method: &str) -> Option<Reply> {
    Some(match method {
        "ListSecrets" => {
            // A completion takes the one whose name breaks no rule.
            let secrets = vec![secret(), v1::Secret { secret_id: "A".into(), ..secret() }];
            Reply::message(&v1::ListSecretsResponse { secrets, ..Default::default() })
        }
        "GetSecret" => Reply::message(&v1::GetSecretResponse { secret: Some(secret()) }),
        "UpdateSecret" => Reply::message(&v1::UpdateSecretResponse {
            secret: Some(secret()),
            warnings: warnings(),
            revision: text(),
            value_unchanged: false,
        }),
        "DeleteSecret" => Reply::message(&v1::DeleteSecretResponse { secret: Some(secret()), revision: text() }),
        "UndeleteSecret" => Reply::message(&v1::UndeleteSecretResponse {
            secret: Some(secret()),
            warnings: warnings(),
            revision: text(),
        }),
        "RollbackSecret" => Reply::message(&v1::RollbackSecretResponse {
            secret: Some(secret()),
            warnings: warnings(),
            revision: text(),
            value_unchanged: false,
        }),
        "CopySecret" => {
            Reply::message(&v1::CopySecretResponse { secret: Some(secret()), warnings: warnings(), revision: text() })
        }
        "MoveSecret" => Reply::message(&v1::MoveSecretResponse {
            secret: Some(secret()),
            warnings: warnings(),
            revision: text(),
            source: Some(v1::Secret { purge_time: always(), ..secret() }),
        }),
        "Explain" => Reply::message(&explanation()),
        "Resolve" => Reply::message(&v1::ResolveResponse { warnings: warnings(), ..answer(vec![variable("A")]) }),
        "Watch" => Reply::stream(&[watched()]),
        "ListSecretVersions" => {
            let version = v1::SecretVersion {
                version: 1,
                target: secret().target,
                creator: text(),
                masked_value: text(),
                ..Default::default()
            };
            Reply::message(&v1::ListSecretVersionsResponse { versions: vec![version], ..Default::default() })
        }
        "ImportSecrets" => {
            let entry = v1::ImportedEntry {
                secret_id: text(),
                reason: text(),
                suggested_secret_id: text(),
                renamed_secret_id: text(),
                outcome: 99,
                ..Default::default()
            };
            Reply::message(&v1::ImportSecretsResponse {
                entries: vec![entry],
                warnings: warnings(),
                ..Default::default()
            })
        }
        "ListAuditEvents" => {
            Reply::message(&v1::ListAuditEventsResponse { events: vec![event()], ..Default::default() })
        }
        "ListExposure" => {
            let received = v1::ReceivedSecret {
                secret: text(),
                uid: text(),
                version: u32::MAX,
                state: 99,
                first_time: always(),
                last_time: never(),
                count: u64::MAX,
                actions: vec![text()],
                copied_from: text(),
            };
            Reply::message(&v1::ListExposureResponse {
                secrets: vec![received],
                complete_since: never(),
                sessions_complete_since: always(),
                ..Default::default()
            })
        }
        _ => return None,
    })
}

pub(super) fn secret() -> v1::Secret {
    v1::Secret {
        name: text(),
        uid: text(),
        secret_id: text(),
        target: Some(v1::Target {
            kind: Some(v1::target::Kind::File(v1::FileTarget { path: text(), mode: u32::MAX })),
        }),
        description: text(),
        labels: [(text(), text())].into(),
        group: text(),
        etag: text(),
        creator: text(),
        updater: text(),
        masked_value: text(),
        shadowed_by: text(),
        create_time: never(),
        update_time: always(),
        delete_time: never(),
        visibility: Some(v1::Visibility {
            mode: v1::VisibilityMode::Selected.into(),
            projects: vec![text()],
            workspaces: vec![text()],
        }),
        ..Default::default()
    }
}

fn explanation() -> ExplainResponse {
    let explained = v1::ExplainedSecret {
        secret: text(),
        target: secret().target,
        description: text(),
        group: text(),
        ..Default::default()
    };
    let other = v1::NotChosen { secret: Some(explained.clone()), reason: 99, blocked_by: text() };
    let row = v1::Explanation { secret_id: "A".into(), winner: Some(explained), not_chosen: vec![other] };
    ExplainResponse {
        explanations: vec![row],
        context: answer(Vec::new()).context,
        next_change_time: never(),
        revision: text(),
        resolvers: vec![access::binding()],
        ..Default::default()
    }
}

/// An event that breaks no rule: what a watch is told decides what is done.
fn watched() -> v1::WatchResponse {
    let v1::ResolvedSecret { secret, secret_id, target, scope, version, .. } = variable("A");
    let secret = v1::WatchedSecret { secret, secret_id, target, scope, version, ..Default::default() };
    let v1::ResolveResponse { context, etag, revision, .. } = answer(Vec::new());
    let event = Some(Event::Set(v1::WatchedSet { secrets: vec![secret], context }));
    v1::WatchResponse { event, etag, revision, next_change_time: None }
}

fn event() -> v1::AuditEvent {
    v1::AuditEvent {
        uid: text(),
        principal: text(),
        action: text(),
        resource: text(),
        source: text(),
        reason: text(),
        peer: text(),
        request_id: text(),
        delivered: vec![v1::DeliveredSecret { secret: text(), uid: text(), version: 1 }],
        changed_fields: vec![text()],
        purpose: 99,
        ..Default::default()
    }
}

fn warnings() -> Vec<v1::Warning> {
    vec![v1::Warning { code: 99, secret_id: text(), message: text() }; 50]
}
