//! ImportSecrets: a `.env` or JSON document, reviewed as a whole and applied in one transaction.

mod document;
mod plan;

use std::collections::BTreeSet;

use secrets_core::import::{ConflictPolicy, Outcome, RejectedPolicy, Review, Reviewed};
use secrets_core::{ScopeName, SecretId};

pub use document::Document;

use self::document::Entries;
use self::plan::{ImportPlan, PlannedChange};
use super::mutation::{BegunSecretMutation, SecretMutation};
use super::preparation::Preparation;
use super::quota;
use crate::audit::DeliveredSet;
use crate::error::{Error, Reason};
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::service::warning::Warning;
use crate::store::revision::Revision;
use crate::store::secret;
use crate::store::version;

/// At most this many warnings are warnings of one import, so that its answer fits a message.
const MAX_WARNINGS: usize = 2_000;

/// What ImportSecrets is asked for.
pub struct ImportSecrets {
    /// Into which scope.
    pub scope: ScopeName,
    pub document: Document,
    /// What happens to names that exist.
    pub conflict_policy: ConflictPolicy,
    /// What happens when an entry is rejected.
    pub on_rejected: RejectedPolicy,
    /// Only these names; all if there are none.
    pub only: BTreeSet<SecretId>,
    /// Whether `${…}` and references of other tools are meant as they stand.
    pub literal: bool,
    /// Whether an entry whose name is not valid gets the one that is suggested.
    pub rename: bool,
    /// The review alone.
    pub validate_only: bool,
}

/// An import, reviewed and perhaps applied.
pub struct Imported {
    /// One for each entry, in their order.
    pub review: Review,
    /// Whether anything was written.
    pub applied: bool,
    /// Where the organization's history stands.
    pub revision: Revision,
    pub warnings: Vec<Warning>,
}

impl Service {
    /// Reviews a document and applies what is accepted, all in one transaction; a rejected entry applies nothing, unless it is to
    /// be skipped.
    pub async fn import_secrets(
        &self,
        call: &mut OpenCall,
        input: &ImportSecrets,
        key: &IdempotencyKey<Imported>,
    ) -> Result<MutationOutcome<Imported>, Error> {
        let preparation = self.prepare_secrets(call, &input.scope, None).await?;
        let entries = input.document.entries()?;
        let prepared = match preparation.located.must_exist() {
            Ok(()) => self.prepare_import(call, &preparation, &entries, input).await?,
            // It is said under the lock, to who may know.
            Err(_) => None,
        };
        let mut mutation = match self.mutate_secrets(call, preparation, None, input.validate_only, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        let (organization, scope) = (mutation.located.organization.uid, mutation.located.scope);
        let existing = secret::candidates_in_pieces(mutation.db(), organization, &[scope]).await?;
        let key_of_now = self.keys.active_data_key(mutation.db(), organization).await?;
        let mut plan = match prepared.filter(|plan| plan.still_holds(&mutation.located, &existing, &key_of_now)) {
            Some(plan) => plan,
            None => {
                let (call, located) = (&*mutation.call, &mutation.located);
                ImportPlan::new(self, mutation.inner.db(), call, &key_of_now, located, existing, (&entries, input))
                    .await?
            }
        };
        mutation.compare(&mut plan).await?;
        quota::check(mutation.db(), &mutation.located, &mutation.limits, plan.delta()).await?;
        let applies = !plan.changes.is_empty() && plan.review.may_apply();
        let review = plan.review;
        let warnings = if applies { mutation.apply(plan.changes).await? } else { Vec::new() };
        let applied = applies && !input.validate_only;
        let result = Imported { review, applied, revision: mutation.revision(), warnings };
        mutation.finish(key, result).await
    }

    /// Plans an import before the lock. Whether its plan still holds, and what is in its way, is decided under the lock.
    async fn prepare_import(
        &self,
        call: &OpenCall,
        preparation: &Preparation,
        entries: &Entries,
        input: &ImportSecrets,
    ) -> Result<Option<ImportPlan>, Error> {
        let (db, located) = (&preparation.db, &preparation.located);
        let key = self.keys.current_data_key(db, located.organization.uid).await?;
        let existing = secret::candidates_in_pieces(db, located.organization.uid, &[located.scope]).await?;
        Ok(ImportPlan::new(self, db, call, &key, located, existing, (entries, input)).await.ok())
    }
}

impl SecretMutation<'_> {
    /// Leaves out what has the value already. Which secrets the caller learns that of, or that it is not so, is decided under the lock
    /// and recorded as a delivery, for a review too.
    async fn compare(&mut self, plan: &mut ImportPlan) -> Result<(), Error> {
        let overwritten = plan.overwritten();
        let receivable = self.service.receivable(self.db(), self.call, &self.located, &overwritten).await?;
        let delivered: Vec<_> = overwritten
            .iter()
            .filter(|current| receivable.contains(&current.secret.uid))
            .map(|current| (current.secret.uid, current.version.version))
            .collect();
        if !delivered.is_empty() {
            self.call.deliver(DeliveredSet::new(delivered));
        }
        plan.keep_unchanged(&receivable);
        Ok(())
    }

    /// Creates and overwrites. The review accepts them, and there is room.
    async fn apply(&mut self, changes: Vec<PlannedChange>) -> Result<Vec<Warning>, Error> {
        let overlaps = self.service.overlaps(self.db(), self.call, &self.located).await?;
        let stamp = self.stamp().await?;
        let mut warnings = Vec::new();
        let (mut new, mut newer) = (Vec::new(), Vec::new());
        for PlannedChange { mut secret, is_new, warnings: of_value, .. } in changes {
            secret.secret.stamp(&stamp);
            warnings.extend(of_value);
            warnings.extend(overlaps.warnings(&secret.secret, &secret.version.target, self.call.now));
            let kind = if is_new { &mut new } else { &mut newer };
            kind.push(secret);
        }
        warnings.truncate(MAX_WARNINGS);
        secret::insert_many(self.db(), &new).await?;
        let overwritten: Vec<_> = newer.iter().map(|newer| newer.secret.uid).collect();
        if secret::overwrite_many(self.db(), &newer, &stamp).await? != overwritten.len() as u64 {
            return Err(Error::internal("a secret that was there under the lock is gone"));
        }
        let keep = self.limits.versions_per_secret;
        version::remove_oldest(self.db(), self.located.organization.uid, &overwritten, keep).await?;
        Ok(warnings)
    }
}

/// Nothing was applied; says of the first rejected entries why.
fn rejected(review: &Review) -> Error {
    const MAX_SHOWN: usize = 20;
    let count = review.count(Outcome::Rejected);
    let rejected = review.entries.iter().filter(|entry| entry.outcome == Outcome::Rejected);
    let mut list = rejected.clone().take(MAX_SHOWN).map(in_words).collect::<Vec<_>>().join("; ");
    if count > MAX_SHOWN {
        list.push_str(&format!("; and {} more", count - MAX_SHOWN));
    }
    let entries = if count == 1 { "entry is" } else { "entries are" };
    let text = format!("{count} {entries} rejected and nothing was imported: {list}");
    let first = rejected.map(|entry| entry.line.to_string()).next().unwrap_or_default();
    Error::new(Reason::EntriesRejected, text).with("rejected", count.to_string()).with("line", first)
}

fn in_words(entry: &Reviewed) -> String {
    let name = entry.key.as_ref().map(|key| format!(" `{key}`")).unwrap_or_default();
    let reason = entry.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("line {}{name}: {reason}", entry.line)
}
