//! ImportSecrets: a `.env` or JSON document, reviewed as a whole and applied in one transaction.

mod document;

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::import::{ConflictPolicy, Outcome, RejectedPolicy, Review, Reviewed, Rules, review};
use secrets_core::limits::Limit;
use secrets_core::{ScopeName, SecretId, Target};

pub use document::Document;

use super::mutation::{BegunSecretMutation, SecretMutation};
use super::overlap;
use super::quota::{self, QuotaDelta, answer_size, exceeded};
use crate::crypto::SecretBytes;
use crate::error::{Error, Reason, name_list};
use crate::keys::DataKey;
use crate::service::Service;
use crate::service::mutation::{IdempotencyKey, MutationOutcome};
use crate::service::open_call::OpenCall;
use crate::service::warning::Warning;
use crate::store::revision::Revision;
use crate::store::secret::{self, SecretWithVersion, Stamp};
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
        let mut mutation = match self.mutate_secrets(call, &input.scope, None, input.validate_only, key).await? {
            BegunSecretMutation::Replayed(outcome) => return Ok(outcome),
            BegunSecretMutation::New(mutation) => mutation,
        };
        let limits = mutation.limits;
        limits
            .check(Limit::ImportBytes, input.document.len() as u64)
            .map_err(|error| exceeded("the document", error))?;
        let entries = input.document.entries()?;
        let (organization, scope) = (mutation.located.organization.uid, mutation.located.scope);
        let existing = secret::candidates(mutation.db(), organization, &[scope]).await?;
        let existing: BTreeMap<SecretId, SecretWithVersion> =
            existing.into_iter().map(|current| (current.secret.secret_id.clone(), current)).collect();
        let targets: BTreeMap<SecretId, Target> =
            existing.iter().map(|(name, current)| (name.clone(), current.version.target.clone())).collect();
        let rules = Rules {
            existing: &targets,
            only: &input.only,
            name_policy: mutation.located.organization.name_policy,
            allowed_reserved: &mutation.located.organization.allowed_reserved,
            conflict_policy: input.conflict_policy,
            on_rejected: input.on_rejected,
            limits,
        };
        let review = review(&entries, &rules).map_err(|error| exceeded("the document", error))?;
        if !review.missing.is_empty() {
            let names = name_list(review.missing.iter().map(SecretId::as_str));
            return Err(Error::invalid("only_secret_ids", format!("the document has no {names}")));
        }
        if !review.may_apply() && !input.validate_only {
            return Err(rejected(&review));
        }

        let values = entries.into_values();
        let chosen: Vec<_> = review
            .entries
            .iter()
            .zip(&values)
            .filter_map(|(entry, value)| Some((entry.secret_id.as_ref()?, value)))
            .collect();
        let size = answer_size(&mutation.located);
        let size_of = |(name, value): &(&SecretId, &SecretBytes)| match existing.get(*name) {
            Some(old) => size.of(&old.secret, &old.version.target, value.len() as u64),
            None => size.of_new_variable(name, value.len() as u64),
        };
        let overwritten = chosen.iter().filter_map(|(name, _)| existing.get(*name));
        let delta = QuotaDelta {
            secrets: review.count(Outcome::Created) as u64,
            bytes: chosen.iter().map(size_of).sum(),
            freed: overwritten.map(|old| size.current(old)).sum(),
        };
        quota::check(mutation.db(), &mutation.located, &limits, delta).await?;
        let applies = !chosen.is_empty() && review.may_apply();
        let warnings = if applies { mutation.apply(&chosen, &existing).await? } else { Vec::new() };
        let applied = applies && !input.validate_only;
        let result = Imported { review, applied, revision: mutation.revision(), warnings };
        mutation.finish(key, result).await
    }
}

impl SecretMutation<'_> {
    /// Creates and overwrites. The review accepts them, and there is room.
    async fn apply(
        &mut self,
        chosen: &[(&SecretId, &SecretBytes)],
        existing: &BTreeMap<SecretId, SecretWithVersion>,
    ) -> Result<Vec<Warning>, Error> {
        let data_key = self.service.keys.active_data_key(self.db(), self.located.organization.uid).await?;
        let overlaps = self.service.overlaps(self.db(), self.call, &self.located).await?;
        let stamp = self.stamp().await?;
        let mut warnings = Vec::new();
        for (name, value) in chosen {
            let current = match existing.get(*name) {
                Some(current) => self.overwrite(current, value, &data_key, &stamp).await?,
                None => self.add(name, value, &data_key, &stamp).await?,
            };
            let (secret, target) = (&current.secret, &current.version.target);
            // Exposed to be looked at; no warning holds any of it.
            warnings.extend(overlap::value_warnings(secret, target, value.expose()));
            warnings.extend(overlaps.warnings(secret, target, self.call.now));
        }
        warnings.truncate(MAX_WARNINGS);
        Ok(warnings)
    }

    async fn add(
        &self,
        name: &SecretId,
        value: &SecretBytes,
        key: &DataKey,
        stamp: &Stamp,
    ) -> Result<SecretWithVersion, Error> {
        let mut secret = self.new_secret(self.service.uid()?, name);
        secret.stamp(stamp);
        // Exposed to be sealed.
        let version =
            self.service.seal_version(self.call, key, &secret, 1, &Target::EnvironmentVariable, value.expose())?;
        secret::insert(self.db(), &secret, &version).await?;
        Ok(SecretWithVersion { secret, version })
    }

    async fn overwrite(
        &self,
        current: &SecretWithVersion,
        value: &SecretBytes,
        key: &DataKey,
        stamp: &Stamp,
    ) -> Result<SecretWithVersion, Error> {
        let mut secret = current.secret.clone();
        let before = &current.version;
        let number = before.version.checked_add(1).ok_or_else(|| Error::internal("version numbers are used up"))?;
        // Exposed to be sealed.
        let version = self.service.seal_version(self.call, key, &secret, number, &before.target, value.expose())?;
        secret.current_version = number;
        secret.stamp(stamp);
        secret::add_version(self.db(), &secret, &version).await?;
        version::remove_oldest(self.db(), secret.organization, secret.uid, self.limits.versions_per_secret).await?;
        Ok(SecretWithVersion { secret, version })
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
    let text = format!("{count} entries are rejected and nothing was imported: {list}");
    let first = rejected.map(|entry| entry.line.to_string()).next().unwrap_or_default();
    Error::new(Reason::EntriesRejected, text).with("rejected", count.to_string()).with("line", first)
}

fn in_words(entry: &Reviewed) -> String {
    let name = entry.key.as_ref().map(|key| format!(" `{key}`")).unwrap_or_default();
    let reason = entry.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("line {}{name}: {reason}", entry.line)
}
