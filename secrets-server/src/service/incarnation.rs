//! A database that was restored: a new incarnation of the service. What was true between the backup and now is not known
//! to it, so that nobody is to take its history for the one that went on, and no credential of before opens anything.

use std::collections::BTreeSet;

use secrets_core::{OrganizationId, PrincipalKind, PrincipalName, Scope, ScopeKind, Timestamp, Uid};

use super::Service;
use crate::audit::Outcome;
use crate::error::Error;
use crate::store::audit::{self, AuditRecord};
use crate::store::{self, PLATFORM, WriteTransaction, credential, organization, revision};

/// How a restored database begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewIncarnation {
    /// Tokens, sessions and invitations stay as they were at the time of the backup.
    pub keeps_credentials: bool,
    /// Organizations that were deleted since: they are deleted again.
    pub deleted: BTreeSet<Uid>,
}

/// What it has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incarnation {
    /// How many credentials ended.
    pub ended_credentials: u64,
    /// The organizations that were deleted again.
    pub deleted: Vec<OrganizationId>,
    /// The organizations that live. One that was deleted since the backup, and was not listed, is among them.
    pub live: Vec<OrganizationId>,
}

impl Service {
    /// Begins a new incarnation of a restored database, before anybody is served: every history goes on with a change that
    /// no other history has.
    pub async fn begin_incarnation(&self, new: &NewIncarnation) -> Result<Incarnation, Error> {
        let now = self.clock.now();
        let transaction = self.store.begin().await?;
        let db = &transaction;
        let mut platform = revision::lock_platform(db).await?;
        let (mut deleted, mut live) = (Vec::new(), Vec::new());
        for row in organization::all(db).await? {
            if new.deleted.contains(&row.uid) {
                self.end_organization(db, row.uid, now).await?;
                deleted.push(row.organization_id);
            } else {
                let mut history = revision::lock(db, row.uid)
                    .await?
                    .ok_or_else(|| Error::internal(format!("organization {} has no revision", row.uid)))?;
                history.bump(db, Scope::new(ScopeKind::Organization, row.uid), self.uid()?, now).await?;
                live.push(row.organization_id);
            }
        }
        platform.bump(db, Scope::new(ScopeKind::Organization, PLATFORM), self.uid()?, now).await?;
        let ended_credentials = if new.keeps_credentials { 0 } else { credential::revoke_all(db, now).await?.total() };
        let incarnation = Incarnation { ended_credentials, deleted, live };
        self.record_restore(db, &incarnation, now).await?;
        store::commit(transaction).await?;
        Ok(incarnation)
    }

    async fn record_restore(&self, db: &WriteTransaction, new: &Incarnation, now: Timestamp) -> Result<(), Error> {
        let event = AuditRecord {
            principal_kind: PrincipalKind::Operator.as_str().to_owned(),
            principal_uid: Some(Uid::nil()),
            principal_name: PrincipalName::Operator.to_string(),
            resource_name: "platform".to_owned(),
            detail: serde_json::json!({
                "ended_credentials": new.ended_credentials,
                "deleted_organizations": new.deleted.len(),
            })
            .to_string(),
            ..AuditRecord::without_call(self.uid()?, now, "restore", Outcome::Allowed.as_str())
        };
        Ok(audit::insert_many(db, &[event]).await?)
    }
}
