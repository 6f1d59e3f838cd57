//! The names that entries can get in the place of names that are not valid.

use std::collections::{BTreeMap, BTreeSet};

use super::Rules;
use crate::dotenv::Entry;
use crate::name::{InvalidSecretId, NamePolicy, SecretId};
use crate::target::Target;

/// Why an entry can't get the name that is suggested for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The scope has a secret of that name.
    Exists,
    /// It is reserved.
    Reserved,
    /// Another entry has it, or would get it as well.
    ByAnotherEntry,
}

/// What the invalid names of a document would become.
pub(super) struct Renaming<'a> {
    new_names: BTreeMap<&'a str, Result<SecretId, (SecretId, Taken)>>,
}

impl<'a> Renaming<'a> {
    pub(super) fn new(entries: &'a [Entry], rules: &Rules<'_>) -> Self {
        let keys: BTreeSet<&str> = entries.iter().map(Entry::key).collect();
        let suggested: BTreeMap<&str, SecretId> =
            keys.iter().filter_map(|key| Some((*key, suggestion(key, rules)?))).collect();
        // As often as a name would be there.
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        for name in keys.iter().copied().chain(suggested.values().map(SecretId::as_str)) {
            *uses.entry(name).or_default() += 1;
        }
        let is_shared = |name: &SecretId| uses.get(name.as_str()).is_some_and(|count| *count > 1);
        let judge = |name: SecretId| {
            let is_storable = Target::EnvironmentVariable.check_storing(&name, rules.allowed_reserved).is_ok();
            if rules.existing.contains_key(&name) {
                Err((name, Taken::Exists))
            } else if !is_storable {
                Err((name, Taken::Reserved))
            } else if is_shared(&name) {
                Err((name, Taken::ByAnotherEntry))
            } else {
                Ok(name)
            }
        };
        Self { new_names: suggested.iter().map(|(key, name)| (*key, judge(name.clone()))).collect() }
    }

    /// The name that an entry can get instead of this one, which is not valid; or the one that is suggested, and why it can't.
    pub(super) fn new_name(&self, key: &str) -> Option<&Result<SecretId, (SecretId, Taken)>> {
        self.new_names.get(key)
    }

    /// The names that entries can get.
    pub(super) fn free(&self) -> impl Iterator<Item = &SecretId> {
        self.new_names.values().filter_map(|name| name.as_ref().ok())
    }
}

/// What is suggested for a name that is not valid, and is not that of a secret from the time of another policy.
fn suggestion(key: &str, rules: &Rules<'_>) -> Option<SecretId> {
    let exists = SecretId::parse(key, NamePolicy::Relaxed).is_ok_and(|name| rules.existing.contains_key(&name));
    // What may be a part of a value is not made into a name.
    super::presentable(key).filter(|_| !exists)?;
    SecretId::parse(key, rules.name_policy).err().as_ref().and_then(InvalidSecretId::suggestion).cloned()
}
