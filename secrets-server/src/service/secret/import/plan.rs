//! What an import comes to, in one state of its scope: the review, and what is accepted, sealed and ready to be stored.

use std::collections::BTreeMap;

use secrets_core::import::{Outcome, Review, Rules, review};
use secrets_core::limits::Limit;
use secrets_core::{SecretId, Target};

use super::document::Entries;
use super::{ImportSecrets, rejected};
use crate::call::Call;
use crate::error::{Error, name_list};
use crate::keys::DataKey;
use crate::service::Service;
use crate::service::locate::LocatedScope;
use crate::service::secret::overlap;
use crate::service::secret::quota::{QuotaDelta, answer_size, exceeded};
use crate::service::warning::Warning;
use crate::store::secret::SecretWithVersion;

/// How many entries are sealed before something else has the processor.
const SEALED_AT_ONCE: usize = 32;

pub(super) struct ImportPlan {
    pub review: Review,
    pub changes: Vec<PlannedChange>,
    pub delta: QuotaDelta,
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
}

impl ImportPlan {
    pub(super) async fn new(
        service: &Service,
        call: &Call,
        key: &DataKey,
        located: &LocatedScope,
        existing: Vec<SecretWithVersion>,
        entries: &Entries,
        input: &ImportSecrets,
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
        let size = answer_size(located);
        let mut delta = QuotaDelta { secrets: review.count(Outcome::Created) as u64, ..QuotaDelta::default() };
        let mut changes = Vec::new();
        for (index, (reviewed, entry)) in review.entries.iter().zip(entries.iter()).enumerate() {
            if index % SEALED_AT_ONCE == SEALED_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let Some(name) = &reviewed.secret_id else { continue };
            let value = entry.value().as_bytes();
            let current = known.get(name).copied();
            delta.bytes += match current {
                Some(old) => size.of(&old.secret, &old.version.target, value.len() as u64),
                None => size.of_new_variable(name, value.len() as u64),
            };
            delta.freed += current.map_or(0, |old| size.current(old));
            changes.push(PlannedChange::new(service, call, key, located, (name, value), current)?);
        }
        Ok(Self { review, changes, delta, located: located.clone(), existing, key_version: key.version() })
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
        Ok(Self { secret: SecretWithVersion { secret, version }, is_new: current.is_none(), warnings })
    }
}
