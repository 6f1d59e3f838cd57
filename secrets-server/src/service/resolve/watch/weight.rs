//! How often a watch counts: by the memory that it keeps for as long as it is open.

use std::collections::BTreeMap;

use secrets_core::{SecretId, Target};

use super::WatchQuestion;
use super::event::Watched;

/// A watch counts once for each of these that it keeps, begun. A set of fifty secrets takes less than one.
const UNIT_BYTES: usize = 32 * 1024;
/// What a name takes apart from its text.
const NAME_BYTES: usize = 64;

/// How often a watch that was asked this, and has notified of these secrets, counts.
pub(super) fn weight(question: &WatchQuestion, notified: &BTreeMap<SecretId, Watched>) -> u32 {
    let filter = &question.filter;
    let names = filter.secret_ids.iter().chain(&filter.required);
    let asked: usize = names.map(|name| NAME_BYTES + name.as_str().len()).sum();
    let kept: usize = notified.values().map(bytes).sum();
    u32::try_from((asked + kept) / UNIT_BYTES).unwrap_or(u32::MAX).saturating_add(1)
}

fn bytes(secret: &Watched) -> usize {
    let target = match &secret.target {
        Target::EnvironmentVariable | Target::ApiOnly => 0,
        Target::File { path, .. } => path.as_str().len(),
        Target::Registry { host, username } => host.as_str().len() + username.as_str().len(),
    };
    // The name is there twice, as the key too.
    let text = 2 * secret.name.secret_id.as_str().len() + secret.description.as_str().len() + target;
    size_of::<Watched>() + NAME_BYTES + text
}

#[cfg(test)]
mod tests {
    use secrets_core::{Filter, NamePolicy};

    use super::*;

    fn question(names: usize) -> WatchQuestion {
        let secret_ids =
            (0..names).map(|n| SecretId::parse(&format!("NAME_{n:0100}"), NamePolicy::Strict).unwrap()).collect();
        WatchQuestion {
            context: None,
            filter: Filter { secret_ids, ..Filter::default() },
            if_none_match: String::new(),
        }
    }

    #[test]
    fn counts_once_unless_it_keeps_much() {
        assert_eq!(weight(&question(0), &BTreeMap::new()), 1);
        assert_eq!(weight(&question(100), &BTreeMap::new()), 1);
        assert_eq!(weight(&question(4_000), &BTreeMap::new()), 21);
    }
}
