//! Responses of `AuditService`.

use secrets_proto::v1;

use super::time;
use crate::audit::{Detail, Outcome};
use crate::call::purpose::Purpose;
use crate::service::audit::ExposureState;
use crate::service::audit::list_events::{DeliveredSecret, EventPage, ListedEvent};
use crate::service::audit::list_exposure::{ExposedSecret, ExposurePage};

pub fn event_page(page: EventPage) -> v1::ListAuditEventsResponse {
    v1::ListAuditEventsResponse {
        events: page.events.into_iter().map(event).collect(),
        next_page_token: page.next_page_token,
        excluded_count: u32::try_from(page.excluded).unwrap_or(u32::MAX),
    }
}

pub fn exposure_page(page: ExposurePage) -> v1::ListExposureResponse {
    v1::ListExposureResponse {
        secrets: page.secrets.into_iter().map(exposed).collect(),
        next_page_token: page.next_page_token,
        complete_since: page.complete_since.map(time),
        sessions_complete_since: page.sessions_complete_since.map(time),
        copies_incomplete: page.copies_incomplete,
    }
}

fn event(event: ListedEvent) -> v1::AuditEvent {
    let ListedEvent { row, resource, source, delivered } = event;
    let detail = Detail::from_text(&row.detail);
    v1::AuditEvent {
        uid: row.uid.to_string(),
        event_time: Some(time(row.create_time)),
        outcome: outcome(&row.outcome).into(),
        request_id: row.request_id,
        caller_request_id: row.caller_request_id,
        principal: row.principal_name,
        credential_uid: row.credential.map(|uid| uid.to_string()).unwrap_or_default(),
        peer: row.peer,
        action: row.action,
        resource,
        reason: row.reason,
        delivered: delivered.into_iter().map(delivered_secret).collect(),
        allowed_reserved: detail.allowed_reserved,
        disallowed_reserved: detail.disallowed_reserved,
        changed_fields: detail.changed_fields,
        source,
        purpose: purpose(row.purpose).into(),
    }
}

fn purpose(purpose: Option<Purpose>) -> v1::CallPurpose {
    match purpose {
        None => v1::CallPurpose::Unspecified,
        Some(Purpose::Completion) => v1::CallPurpose::Completion,
    }
}

/// An unknown word stays unspecified, so that it is not taken for an outcome.
fn outcome(word: &str) -> v1::AuditOutcome {
    let known = [
        (Outcome::Allowed, v1::AuditOutcome::Allowed),
        (Outcome::Denied, v1::AuditOutcome::Denied),
        (Outcome::Failed, v1::AuditOutcome::Failed),
    ];
    known
        .iter()
        .find(|(outcome, _)| outcome.as_str() == word)
        .map_or(v1::AuditOutcome::Unspecified, |(_, known)| *known)
}

fn delivered_secret(secret: DeliveredSecret) -> v1::DeliveredSecret {
    v1::DeliveredSecret {
        secret: secret.name.map(|name| name.to_string()).unwrap_or_default(),
        uid: secret.uid.to_string(),
        version: secret.version,
    }
}

fn exposed(secret: ExposedSecret) -> v1::ReceivedSecret {
    let state = match secret.state {
        ExposureState::Current => v1::ExposureState::Current,
        ExposureState::Replaced => v1::ExposureState::Replaced,
        ExposureState::Inactive => v1::ExposureState::Inactive,
        ExposureState::Deleted => v1::ExposureState::Deleted,
    };
    v1::ReceivedSecret {
        secret: secret.name.map(|name| name.to_string()).unwrap_or_default(),
        uid: secret.uid.to_string(),
        version: secret.version,
        state: state.into(),
        first_time: Some(time(secret.tally.first_time)),
        last_time: Some(time(secret.tally.last_time)),
        count: secret.tally.count,
        actions: secret.tally.actions.into_iter().collect(),
        copied_from: secret.copied_from.map(|uid| uid.to_string()).unwrap_or_default(),
    }
}
