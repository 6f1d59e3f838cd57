//! What an import comes to, in one state of its scope: the review, and what is accepted, sealed and ready to be stored.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::import::{Outcome, Review, Rules, review};
use secrets_core::limits::Limit;
use secrets_core::{SecretId, Target, Uid};

use super::document::Entries;
use super::{ImportSecrets, rejected};
use crate::call::Call;
use crate::error::{Error, name_list};
use crate::keys::DataKey;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::secret::quota::{QuotaDelta, answer_size, exceeded};
use crate::service::secret::{overlap, sealing};
use crate::service::warning::Warning;
use crate::store::KeyedConnection;
use crate::store::secret::SecretWithVersion;

/// How many entries are sealed before something else has the processor.
const SEALED_AT_ONCE: usize = 32;

pub(super) struct ImportPlan {
    pub review: Review,
    pub changes: Vec<PlannedChange>,
    /// The state that it was made for.
    located: LocatedScope,
    existing: Vec<SecretWithVersion>,
    key_version: u32,
}

/// A secret as it will be, but for the revision.
pub(super) struct PlannedChange {
    pub secret: SecretWithVersion,
    pub is_new: bool,
    pub warnings: Vec<Warning>,
    /// What it adds to the scope, and takes from it.
    delta: QuotaDelta,
    /// Of which entry it comes.
    entry: usize,
    /// The secret has this value. For whoever may receive that alone.
    is_same: bool,
}

impl ImportPlan {
    pub(super) async fn new(
        service: &Service,
        db: &impl KeyedConnection,
        call: &Call,
        key: &DataKey,
        located: &LocatedScope,
        existing: Vec<SecretWithVersion>,
        (entries, input): (&Entries, &ImportSecrets),
    ) -> Result<Self, Error> {
        let limits = service.limits_in(&located.organization)?;
        limits
            .check(Limit::ImportBytes, input.document.len() as u64)
            .map_err(|error| exceeded("the document", error))?;
        let known: BTreeMap<&SecretId, &SecretWithVersion> =
            existing.iter().map(|current| (&current.secret.secret_id, current)).collect();
        let targets: BTreeMap<SecretId, Target> =
            existing.iter().map(|current| (current.secret.secret_id.clone(), current.version.target.clone())).collect();
        let rules = Rules {
            existing: &targets,
            only: &input.only,
            name_policy: located.organization.name_policy,
            allowed_reserved: &located.organization.allowed_reserved,
            conflict_policy: input.conflict_policy,
            on_rejected: input.on_rejected,
            literal: input.literal,
            rename: input.rename,
            limits,
        };
        let review = review(entries, &rules).map_err(|error| exceeded("the document", error))?;
        if !review.missing.is_empty() {
            let names = name_list(review.missing.iter().map(SecretId::as_str));
            return Err(Error::invalid("only_secret_ids", format!("the document has no {names}")));
        }
        if !review.may_apply() && !input.validate_only {
            return Err(rejected(&review));
        }
        let overwritten = review.entries.iter().filter(|entry| entry.outcome == Outcome::Updated);
        let overwritten: Vec<_> =
            overwritten.filter_map(|entry| known.get(entry.secret_id.as_ref()?)).copied().collect();
        let receivable = service.receivable(db, call, located, &overwritten).await?;
        let keys = if receivable.is_empty() {
            Vec::new()
        } else {
            service.keys.data_keys(db, located.organization.uid).await?
        };
        let size = answer_size(located);
        let mut changes = Vec::new();
        for (index, (reviewed, entry)) in review.entries.iter().zip(entries.iter()).enumerate() {
            if index % SEALED_AT_ONCE == SEALED_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let Some(name) = &reviewed.secret_id else { continue };
            let value = entry.value().as_bytes();
            let current = known.get(name).copied();
            let mut change = PlannedChange::new(service, call, key, located, (name, value), current)?;
            change.entry = index;
            change.delta = match current {
                Some(old) => QuotaDelta {
                    secrets: 0,
                    bytes: size.of(&old.secret, &old.version.target, value.len() as u64),
                    freed: size.current(old),
                },
                None => QuotaDelta { secrets: 1, bytes: size.of_new_variable(name, value.len() as u64), freed: 0 },
            };
            change.is_same =
                current.is_some_and(|old| receivable.contains(&old.secret.uid) && has_value(&keys, old, value));
            changes.push(change);
        }
        Ok(Self { review, changes, located: located.clone(), existing, key_version: key.version() })
    }

    /// The secrets that get another value, if it is another one.
    pub(super) fn overwritten(&self) -> Vec<&SecretWithVersion> {
        let uids: BTreeSet<_> =
            self.changes.iter().filter(|change| !change.is_new).map(|change| change.secret.secret.uid).collect();
        self.existing.iter().filter(|current| uids.contains(&current.secret.uid)).collect()
    }

    /// Takes out what would change nothing, as far as the caller may receive what they would learn.
    pub(super) fn keep_unchanged(&mut self, receivable: &BTreeSet<Uid>) {
        let entries = &mut self.review.entries;
        self.changes.retain(|change| {
            let is_kept = change.is_same && receivable.contains(&change.secret.secret.uid);
            if is_kept && let Some(entry) = entries.get_mut(change.entry) {
                entry.keep();
            }
            !is_kept
        });
    }

    /// What all changes add to the scope, and take from it.
    pub(super) fn delta(&self) -> QuotaDelta {
        self.changes.iter().fold(QuotaDelta::default(), |sum, PlannedChange { delta, .. }| QuotaDelta {
            secrets: sum.secrets + delta.secrets,
            bytes: sum.bytes + delta.bytes,
            freed: sum.freed + delta.freed,
        })
    }

    /// Whether the scope is still as it was, and the same key seals.
    pub(super) fn still_holds(&self, located: &LocatedScope, existing: &[SecretWithVersion], key: &DataKey) -> bool {
        self.located.organization == located.organization
            && self.located.scope == located.scope
            && self.existing == existing
            && self.key_version == key.version()
    }
}

impl PlannedChange {
    fn new(
        service: &Service,
        call: &Call,
        key: &DataKey,
        located: &LocatedScope,
        (name, value): (&SecretId, &[u8]),
        current: Option<&SecretWithVersion>,
    ) -> Result<Self, Error> {
        let (mut secret, number, target) = match current {
            Some(SecretWithVersion { secret, version }) => {
                let next = version.version.checked_add(1);
                let number = next.ok_or_else(|| Error::internal("version numbers are used up"))?;
                (secret.clone(), number, version.target.clone())
            }
            None => (located.new_secret(call, service.uid()?, name), 1, Target::EnvironmentVariable),
        };
        let version = service.seal_version(call, key, &secret, number, &target, value)?;
        secret.current_version = number;
        // No warning holds any of the value.
        let warnings = overlap::value_warnings(&secret, &target, value);
        Ok(Self {
            secret: SecretWithVersion { secret, version },
            is_new: current.is_none(),
            warnings,
            delta: QuotaDelta::default(),
            entry: 0,
            is_same: false,
        })
    }
}

/// Whether this is the value that a secret has. One that does not open is mended by another one.
fn has_value(keys: &[DataKey], current: &SecretWithVersion, value: &[u8]) -> bool {
    let SecretWithVersion { secret, version } = current;
    version.value_bytes as usize == value.len()
        && sealing::open(keys, secret, version).is_ok_and(|stored| stored.has_bytes(value))
}
