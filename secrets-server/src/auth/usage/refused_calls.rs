//! The audit events of calls that a limit refused: one a minute for each caller and limit, with their number.

use secrets_core::{
    AccountName, OrganizationId, PrincipalKind, PrincipalName, PrincipalRef, ServiceAccountName, SessionName,
    Timestamp, Uid, UserName,
};

use crate::admission::ConsumerKey;
use crate::audit::{Outcome, Refused};
use crate::crypto::{Random, random_uid};
use crate::error::{Error, Reason};
use crate::store::audit::AuditRecord;
use crate::store::{Store, organization, service_account, user};

/// The action of the event.
const ACTION: &str = "limit_calls";

/// The event of what was counted, which it also logs.
pub(super) async fn event(
    store: &Store,
    random: &dyn Random,
    now: Timestamp,
    refused: Option<Refused>,
    count: u64,
) -> Result<AuditRecord, Error> {
    let event = AuditRecord {
        reason: Reason::RateLimited.as_str().to_owned(),
        detail: format!("{{\"count\":{count}}}"),
        ..AuditRecord::without_call(random_uid(random)?, now, ACTION, Outcome::Denied.as_str())
    };
    let Some(Refused { caller, organization, limit }) = refused else {
        tracing::warn!(count, "limits refused calls of many other callers");
        return Ok(event);
    };
    let principal = principal(caller);
    let name = name(store, organization, principal).await?.map(|name| name.to_string()).unwrap_or_default();
    tracing::warn!(principal = name, organization = ?organization, limit, count, "a limit refused calls of one caller");
    Ok(AuditRecord {
        organization,
        principal_kind: principal.kind.as_str().to_owned(),
        principal_uid: Some(principal.uid),
        principal_name: name,
        detail: format!("{{\"count\":{count},\"limit\":{}}}", serde_json::json!(limit)),
        ..event
    })
}

fn principal(caller: ConsumerKey) -> PrincipalRef {
    let (kind, uid) = match caller {
        ConsumerKey::Operator => (PrincipalKind::Operator, Uid::nil()),
        ConsumerKey::User(uid) => (PrincipalKind::User, uid),
        ConsumerKey::Session(uid) => (PrincipalKind::Session, uid),
        ConsumerKey::ServiceAccount(uid) => (PrincipalKind::ServiceAccount, uid),
    };
    PrincipalRef { kind, uid }
}

/// The caller's name; none if they are gone.
async fn name(store: &Store, within: Option<Uid>, principal: PrincipalRef) -> Result<Option<PrincipalName>, Error> {
    let db = store.reader();
    let organization = match within {
        Some(uid) => organization::by_uid(db, uid).await?.map(|row| row.organization_id),
        None => None,
    };
    let account = |name| PrincipalName::Account(name);
    Ok(match (principal.kind, within, organization) {
        (PrincipalKind::Operator, ..) => Some(PrincipalName::Operator),
        (PrincipalKind::User, Some(within), Some(organization)) => {
            let user = user::by_uids(db, within, [principal.uid]).await?.pop();
            user.map(|user| account(AccountName::User(UserName::new(organization, user.user_id))))
        }
        (PrincipalKind::ServiceAccount, within, organization) => {
            let found = service_account::by_uids(db, within, [principal.uid]).await?.pop();
            let organization: Option<OrganizationId> = organization;
            found.map(|row| {
                let id = row.service_account_id;
                account(AccountName::ServiceAccount(ServiceAccountName { organization, id }))
            })
        }
        (PrincipalKind::Session, _, Some(organization)) => {
            Some(PrincipalName::Session(SessionName { organization, uid: principal.uid }))
        }
        _ => None,
    })
}
