//! The review of an import: what would become of each entry, before anything is written.

mod outcome;
mod policy;
mod reference;
mod renaming;

use std::collections::{BTreeMap, BTreeSet};

use self::reference::has_expansion;
use self::renaming::Renaming;
use crate::dotenv::{Entry, ValueKind};
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::name::{MAX_BYTES, NamePolicy, SecretId, looks_like_name};
use crate::reserved::AllowedReserved;
use crate::target::Target;
use crate::value::check_value;

pub use self::outcome::{Outcome, Reason};
pub use self::policy::{ConflictPolicy, RejectedPolicy};
pub use self::reference::Reference;
pub use self::renaming::Taken;

/// What an import goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The live secrets of the scope, with their targets.
    pub existing: &'a BTreeMap<SecretId, Target>,
    /// The names to import; all if there are none.
    pub only: &'a BTreeSet<SecretId>,
    /// The organization's policy for new names.
    pub name_policy: NamePolicy,
    /// The reserved names that the organization allows.
    pub allowed_reserved: &'a AllowedReserved,
    /// What happens to names that exist.
    pub conflict_policy: ConflictPolicy,
    /// What happens when an entry is rejected.
    pub on_rejected: RejectedPolicy,
    /// Whether `${…}` and references of other tools are meant as they stand.
    pub literal: bool,
    /// Whether an entry whose name is not valid gets the one that is suggested.
    pub rename: bool,
    /// The organization's limits.
    pub limits: Limits,
}

/// An entry, reviewed. It holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// The entry's line, counted from 1.
    pub line: usize,
    /// The name as it was written; nothing where the text does not look like a name, for it may be part of a value.
    pub key: Option<String>,
    /// The name, for entries that would be applied; another one than was written for those that are renamed.
    pub secret_id: Option<SecretId>,
    /// What would become of it.
    pub outcome: Outcome,
    /// Why it would not be imported, or what to know before it is.
    pub reason: Option<Reason>,
    /// A valid name that it could get in its stead.
    pub suggestion: Option<SecretId>,
}

impl Reviewed {
    /// The name that it would get in the place of the one that was written.
    pub fn renamed(&self) -> Option<&SecretId> {
        self.secret_id.as_ref().filter(|name| self.key.as_deref().is_some_and(|key| key != name.as_str()))
    }

    /// Takes an entry that would be a new version for one whose secret has this value.
    pub fn keep(&mut self) {
        (self.outcome, self.reason) = (Outcome::Unchanged, Some(Reason::Unchanged));
    }
}

/// The whole import, reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// One for each entry, in their order.
    pub entries: Vec<Reviewed>,
    /// The names to import that no entry has.
    pub missing: Vec<SecretId>,
    on_rejected: RejectedPolicy,
}

impl Review {
    /// How many entries have this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.entries.iter().filter(|entry| entry.outcome == outcome).count()
    }

    /// Whether the entries that are not rejected may be applied.
    pub fn may_apply(&self) -> bool {
        self.on_rejected == RejectedPolicy::Skip || self.count(Outcome::Rejected) == 0
    }
}

/// Says what would become of each of the `entries`; refuses more of them than the limits allow.
///
/// Whether the scope has room for all of them is for the caller to say, who knows what is stored.
pub fn review(entries: &[Entry], rules: &Rules<'_>) -> Result<Review, LimitExceeded> {
    rules.limits.check(Limit::ImportEntries, entries.len() as u64)?;
    let renaming = Renaming::new(entries, rules);
    let mut given: BTreeSet<_> = entries.iter().map(Entry::key).collect();
    if rules.rename {
        given.extend(renaming.free().map(SecretId::as_str));
    }
    let missing = rules.only.iter().filter(|name| !given.contains(name.as_str()));
    Ok(Review {
        entries: entries.iter().map(|entry| review_entry(entry, rules, &renaming)).collect(),
        missing: missing.cloned().collect(),
        on_rejected: rules.on_rejected,
    })
}

fn review_entry(entry: &Entry, rules: &Rules<'_>, renaming: &Renaming<'_>) -> Reviewed {
    let new_name = renaming.new_name(entry.key());
    let (outcome, secret_id, reason) = match decide(entry, rules, new_name) {
        Ok((outcome, secret_id)) => {
            let expands = !rules.literal && has_expansion(entry.value());
            (outcome, Some(secret_id), expands.then_some(Reason::Expansion))
        }
        Err((outcome, reason)) => (outcome, None, Some(reason)),
    };
    let suggestion = match &reason {
        Some(Reason::Name(_)) => new_name.and_then(|name| name.as_ref().ok()).cloned(),
        _ => None,
    };
    Reviewed { line: entry.line(), key: presentable(entry.key()), secret_id, outcome, reason, suggestion }
}

fn decide(
    entry: &Entry,
    rules: &Rules<'_>,
    new_name: Option<&Result<SecretId, (SecretId, Taken)>>,
) -> Result<(Outcome, SecretId), (Outcome, Reason)> {
    let name = SecretId::parse(entry.key(), NamePolicy::Relaxed).ok();
    let renamed = new_name.and_then(|name| name.as_ref().ok()).filter(|_| rules.rename);
    if !rules.only.is_empty() && !name.iter().chain(renamed).any(|name| rules.only.contains(name)) {
        return Err((Outcome::SkippedNotSelected, Reason::NotSelected));
    }
    if let Some(by) = entry.overridden_by() {
        return Err((Outcome::OverriddenLater, Reason::Overridden { by }));
    }
    if entry.kind() == ValueKind::Text && entry.value().is_empty() {
        return Err((Outcome::SkippedEmpty, Reason::Empty));
    }
    let rejected = |reason| (Outcome::Rejected, reason);
    // A name that exists was valid once, perhaps under another policy.
    let existing = name.and_then(|name| rules.existing.get(&name).map(|target| (name, target)));
    let (outcome, name, target) = match (existing, rules.conflict_policy) {
        (Some(_), ConflictPolicy::Skip) => return Err((Outcome::SkippedExists, Reason::Exists)),
        (Some(_), ConflictPolicy::Fail) => return Err(rejected(Reason::Exists)),
        (Some((name, target)), ConflictPolicy::Overwrite) => (Outcome::Updated, name, target),
        (None, _) => {
            let name = match (SecretId::parse(entry.key(), rules.name_policy), renamed, new_name) {
                (Ok(name), ..) => name,
                (Err(_), Some(renamed), _) => renamed.clone(),
                (Err(_), _, Some(Err((name, taken)))) => {
                    return Err(rejected(Reason::Taken { name: name.clone(), taken: *taken }));
                }
                (Err(error), ..) => return Err(rejected(Reason::Name(error))),
            };
            (Outcome::Created, name, &Target::EnvironmentVariable)
        }
    };
    target.check_storing(&name, rules.allowed_reserved).map_err(|error| rejected(Reason::Target(error)))?;
    if entry.kind() != ValueKind::Text {
        return Err(rejected(Reason::NotText(entry.kind())));
    }
    check_value(target, entry.value().as_bytes(), rules.limits.value_bytes)
        .map_err(|error| rejected(Reason::Value(error)))?;
    if let Some(reference) = Reference::find(entry.value()).filter(|_| !rules.literal) {
        return Err(rejected(Reason::Reference(reference)));
    }
    Ok((outcome, name))
}

/// The text itself if it looks like a name, and not like a part of a value.
fn presentable(key: &str) -> Option<String> {
    (looks_like_name(key) && key.len() <= MAX_BYTES).then(|| key.to_owned())
}

#[cfg(test)]
mod tests;
