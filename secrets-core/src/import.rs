//! The review of an import: what would become of each entry, before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::dotenv::Entry;
use crate::limits::{Limit, LimitExceeded, Limits};
use crate::name::{InvalidSecretId, MAX_BYTES, NamePolicy, SecretId, looks_like_name};
use crate::target::{InvalidTarget, Target};
use crate::value::{InvalidValue, check_value};

/// What happens to an entry whose name exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictPolicy {
    /// What is stored stays.
    #[default]
    Skip,
    /// It gets a new version, with the target that it has.
    Overwrite,
    /// The entry is rejected.
    Fail,
}

/// What happens to the other entries when one is rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectedPolicy {
    /// Nothing is applied.
    #[default]
    Fail,
    /// They are applied.
    Skip,
}

crate::wire_enum::wire_enum!(ConflictPolicy, "conflict policy", {
    Skip => "SKIP",
    Overwrite => "OVERWRITE",
    Fail => "FAIL",
});
crate::wire_enum::wire_enum!(RejectedPolicy, "rejected policy", { Fail => "FAIL", Skip => "SKIP" });

/// What an import goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The live secrets of the scope, with their targets.
    pub existing: &'a BTreeMap<SecretId, Target>,
    /// The names to import; all if there are none.
    pub only: &'a BTreeSet<SecretId>,
    /// The organization's policy for new names.
    pub name_policy: NamePolicy,
    /// What happens to names that exist.
    pub conflict_policy: ConflictPolicy,
    /// What happens when an entry is rejected.
    pub on_rejected: RejectedPolicy,
    /// The organization's limits.
    pub limits: Limits,
}

/// What would become of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A new secret, delivered as an environment variable.
    Created,
    /// A new version of a secret that exists.
    Updated,
    /// It exists and stays as it is.
    SkippedExists,
    /// It has no value.
    SkippedEmpty,
    /// A later entry has the same name.
    OverriddenLater,
    /// It can't be imported.
    Rejected,
    /// It is not among the names to import.
    SkippedNotSelected,
}

crate::wire_enum::wire_enum!(Outcome, "import outcome", {
    Created => "CREATED",
    Updated => "UPDATED",
    SkippedExists => "SKIPPED_EXISTS",
    SkippedEmpty => "SKIPPED_EMPTY",
    OverriddenLater => "OVERRIDDEN_LATER",
    Rejected => "REJECTED",
    SkippedNotSelected => "SKIPPED_NOT_SELECTED",
});

/// Why an entry would not be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The name is not valid.
    Name(InvalidSecretId),
    /// The name is that of a reserved environment variable.
    Target(InvalidTarget),
    /// The value is not valid.
    Value(InvalidValue),
    /// The name exists.
    Exists,
    /// The entry on this line has the same name.
    Overridden {
        /// The line, counted from 1.
        by: usize,
    },
    /// There is no value, which keeps what is stored.
    Empty,
    /// The name is not among those to import.
    NotSelected,
}

/// An entry, reviewed. It holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// The entry's line, counted from 1.
    pub line: usize,
    /// The name as it was written; nothing where the text does not look like a name, for it may be part of a value.
    pub key: Option<String>,
    /// The name, for entries that would be applied.
    pub secret_id: Option<SecretId>,
    /// What would become of it.
    pub outcome: Outcome,
    /// Why it would not be imported.
    pub reason: Option<Reason>,
    /// A valid name to use in its stead.
    pub suggestion: Option<SecretId>,
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
    let given: BTreeSet<_> = entries.iter().map(Entry::key).collect();
    let missing = rules.only.iter().filter(|name| !given.contains(name.as_str()));
    Ok(Review {
        entries: entries.iter().map(|entry| review_entry(entry, rules)).collect(),
        missing: missing.cloned().collect(),
        on_rejected: rules.on_rejected,
    })
}

fn review_entry(entry: &Entry, rules: &Rules<'_>) -> Reviewed {
    let (outcome, secret_id, reason) = match decide(entry, rules) {
        Ok((outcome, secret_id)) => (outcome, Some(secret_id), None),
        Err((outcome, reason)) => (outcome, None, Some(reason)),
    };
    let suggestion = match &reason {
        Some(Reason::Name(error)) => error.suggestion().cloned(),
        _ => None,
    };
    Reviewed { line: entry.line(), key: presentable(entry.key()), secret_id, outcome, reason, suggestion }
}

fn decide(entry: &Entry, rules: &Rules<'_>) -> Result<(Outcome, SecretId), (Outcome, Reason)> {
    let name = SecretId::parse(entry.key(), NamePolicy::Relaxed).ok();
    if !rules.only.is_empty() && !name.as_ref().is_some_and(|name| rules.only.contains(name)) {
        return Err((Outcome::SkippedNotSelected, Reason::NotSelected));
    }
    if let Some(by) = entry.overridden_by() {
        return Err((Outcome::OverriddenLater, Reason::Overridden { by }));
    }
    if entry.value().is_empty() {
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
            let name =
                SecretId::parse(entry.key(), rules.name_policy).map_err(|error| rejected(Reason::Name(error)))?;
            Target::EnvironmentVariable.check_name(&name).map_err(|error| rejected(Reason::Target(error)))?;
            (Outcome::Created, name, &Target::EnvironmentVariable)
        }
    };
    check_value(target, entry.value().as_bytes(), rules.limits.value_bytes)
        .map_err(|error| rejected(Reason::Value(error)))?;
    Ok((outcome, name))
}

/// The text itself if it looks like a name, and not like a part of a value.
fn presentable(key: &str) -> Option<String> {
    (looks_like_name(key) && key.len() <= MAX_BYTES).then(|| key.to_owned())
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Target(InvalidTarget::ReservedVariable { reserved, .. }) => {
                write!(f, "reserved: {}", reserved.reason)
            }
            Self::Target(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::Exists => f.write_str("exists already; the conflict policy `OVERWRITE` replaces its value"),
            Self::Overridden { by } => write!(f, "line {by} has the same name and is used instead"),
            Self::Empty => f.write_str("has no value; what is stored stays as it is"),
            Self::NotSelected => f.write_str("not among the names to import"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dotenv::parse;

    fn name(text: &str) -> SecretId {
        SecretId::parse(text, NamePolicy::Relaxed).unwrap()
    }

    struct Given {
        existing: BTreeMap<SecretId, Target>,
        only: BTreeSet<SecretId>,
        conflict_policy: ConflictPolicy,
        on_rejected: RejectedPolicy,
        name_policy: NamePolicy,
        limits: Limits,
    }

    impl Given {
        fn existing(names: &[&str]) -> Self {
            Self {
                existing: names.iter().map(|text| (name(text), Target::EnvironmentVariable)).collect(),
                only: BTreeSet::new(),
                conflict_policy: ConflictPolicy::default(),
                on_rejected: RejectedPolicy::default(),
                name_policy: NamePolicy::default(),
                limits: Limits::default(),
            }
        }

        fn review(&self, document: &[u8]) -> Review {
            let rules = Rules {
                existing: &self.existing,
                only: &self.only,
                name_policy: self.name_policy,
                conflict_policy: self.conflict_policy,
                on_rejected: self.on_rejected,
                limits: self.limits,
            };
            review(&parse(document).unwrap(), &rules).unwrap()
        }

        fn outcomes(&self, document: &[u8]) -> Vec<Outcome> {
            self.review(document).entries.iter().map(|entry| entry.outcome).collect()
        }
    }

    #[test]
    fn reviews_the_journey_of_an_import() {
        let document =
            b"# keys\nDATABASE_URL=postgres://x\nSTRIPE_SECRET=sk_1\n\nPATH=/evil\n\nnpm_token=npm_1\nEMPTY=\nA=1\nA=2\n";
        let review = Given::existing(&["STRIPE_SECRET"]).review(document);
        let rows: Vec<_> = review
            .entries
            .iter()
            .map(|row| {
                let reason = row.reason.as_ref().map(Reason::to_string).unwrap_or_default();
                (row.line, row.key.as_deref().unwrap_or_default(), row.outcome, reason)
            })
            .collect();
        use Outcome::*;
        let expected = [
            (2, "DATABASE_URL", Created, ""),
            (3, "STRIPE_SECRET", SkippedExists, "exists already; the conflict policy `OVERWRITE` replaces its value"),
            (5, "PATH", Rejected, "reserved: changes which programs run"),
            (7, "npm_token", Rejected, "names must be upper case; did you mean `NPM_TOKEN`?"),
            (8, "EMPTY", SkippedEmpty, "has no value; what is stored stays as it is"),
            (9, "A", OverriddenLater, "line 10 has the same name and is used instead"),
            (10, "A", Created, ""),
        ];
        assert_eq!(rows, expected.map(|(line, key, outcome, reason)| (line, key, outcome, reason.to_owned())));
        assert_eq!(review.entries[3].suggestion, Some(name("NPM_TOKEN")));
        assert_eq!((review.count(Created), review.may_apply()), (2, false));
    }

    #[test]
    fn applies_the_rest_when_rejected_entries_are_skipped() {
        let mut given = Given::existing(&[]);
        assert!(given.review(b"A=1").may_apply());
        given.on_rejected = RejectedPolicy::Skip;
        assert!(given.review(b"A=1\nPATH=2").may_apply());
    }

    #[test]
    fn treats_existing_names_as_the_policy_says() {
        let mut given = Given::existing(&["A", "old_name"]);
        for (policy, outcome) in [
            (ConflictPolicy::Skip, Outcome::SkippedExists),
            (ConflictPolicy::Overwrite, Outcome::Updated),
            (ConflictPolicy::Fail, Outcome::Rejected),
        ] {
            given.conflict_policy = policy;
            assert_eq!(given.outcomes(b"A=1\nold_name=2\nB=3"), [outcome, outcome, Outcome::Created]);
        }
    }

    #[test]
    fn keeps_the_target_of_what_it_overwrites() {
        let mut given = Given::existing(&["VAR"]);
        given.conflict_policy = ConflictPolicy::Overwrite;
        given.existing.insert(name("PATH"), Target::ApiOnly);
        let review = given.review(b"PATH='a\0b'\nVAR='a\0b'");
        assert_eq!(review.entries[0].outcome, Outcome::Updated);
        assert_eq!(review.entries[1].reason, Some(Reason::Value(InvalidValue::Nul)));
    }

    #[test]
    fn imports_only_the_names_it_is_asked_for() {
        let mut given = Given::existing(&[]);
        given.only = [name("A"), name("NOT_THERE")].into();
        let review = given.review(b"A=1\nPATH=2\nB=3");
        assert_eq!(
            review.entries.iter().map(|entry| entry.outcome).collect::<Vec<_>>(),
            [Outcome::Created, Outcome::SkippedNotSelected, Outcome::SkippedNotSelected]
        );
        assert_eq!(review.missing, [name("NOT_THERE")]);
        assert!(review.may_apply());
    }

    #[test]
    fn takes_the_names_that_the_policy_takes() {
        let mut given = Given::existing(&[]);
        given.name_policy = NamePolicy::Relaxed;
        assert_eq!(
            given.outcomes(b"npm_token=1\nPath=2\na-b=3"),
            [Outcome::Created, Outcome::Rejected, Outcome::Rejected]
        );
    }

    #[test]
    fn bounds_values_and_entries() {
        let mut given = Given::existing(&[]);
        given.limits.lower(Limit::ValueBytes, 3).unwrap();
        assert_eq!(given.outcomes(b"A=123\nB=1234"), [Outcome::Created, Outcome::Rejected]);
        let entries: Vec<_> = (1..=1001).map(|line| Entry::new(line, format!("A{line}"), "x".to_owned())).collect();
        let rules = Rules {
            existing: &given.existing,
            only: &given.only,
            name_policy: NamePolicy::Strict,
            conflict_policy: ConflictPolicy::Skip,
            on_rejected: RejectedPolicy::Fail,
            limits: Limits::default(),
        };
        assert_eq!(
            review(&entries, &rules),
            Err(LimitExceeded { limit: Limit::ImportEntries, most: 1000, given: 1001 })
        );
        assert_eq!(review(&entries[1..], &rules).unwrap().count(Outcome::Created), 1000);
    }

    #[test]
    fn shows_no_key_that_looks_like_a_value() {
        let given = Given::existing(&[]);
        let long = "k".repeat(128);
        for key in ["sk live 1", "a+b/c", "p\u{00E4}ss", "", long.as_str()] {
            let entries = [Entry::new(1, key.to_owned(), "x".to_owned())];
            let rules = Rules {
                existing: &given.existing,
                only: &given.only,
                name_policy: NamePolicy::Strict,
                conflict_policy: ConflictPolicy::Skip,
                on_rejected: RejectedPolicy::Fail,
                limits: given.limits,
            };
            let reviewed = review(&entries, &rules).unwrap().entries.remove(0);
            assert_eq!((reviewed.outcome, reviewed.key), (Outcome::Rejected, None), "{key:?}");
        }
    }
}
