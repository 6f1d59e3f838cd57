//! Which versions have one and the same value, because it was carried from one into another: by a rollback, a change of the target
//! alone, a copy or a move.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::Uid;

use crate::error::Error;
use crate::store::KeyedConnection;
use crate::store::version::{self, ValueSource};

/// How many secrets are looked at for a page, unless more were received. What was carried on to more is not found. The interface
/// promises it.
const MAX_SECRETS: usize = 5_000;
/// How many versions with their sources are read for a page. The interface promises it.
const MAX_SOURCES: usize = 100_000;

/// A secret and the number of a version.
pub(super) type Version = (Uid, u32);

/// From which version another has its value.
#[derive(Debug, Default)]
pub(super) struct Lineage(BTreeMap<Version, Version>);

/// The lineage of what was received.
pub(super) struct Related {
    pub(super) lineage: Lineage,
    /// The secrets that it is about.
    pub(super) secrets: BTreeSet<Uid>,
    /// Whether there is more of it.
    pub(super) is_incomplete: bool,
}

impl Lineage {
    /// That of all that has its value from these secrets, or theirs from it, over however many steps.
    pub(super) async fn load(
        db: &impl KeyedConnection,
        organization: Uid,
        received: &BTreeSet<Uid>,
    ) -> Result<Related, Error> {
        let mut related = Related { lineage: Self::default(), secrets: received.clone(), is_incomplete: false };
        let mut left = MAX_SOURCES;
        let mut new: Vec<Uid> = received.iter().copied().collect();
        while !new.is_empty() {
            let sources = version::value_sources(db, organization, &new, left).await?;
            left -= sources.len().min(left);
            new.clear();
            for source in sources {
                for uid in [source.version.0, source.source.0] {
                    if related.secrets.contains(&uid) {
                        continue;
                    }
                    match related.secrets.len() < MAX_SECRETS {
                        true => new.extend(related.secrets.insert(uid).then_some(uid)),
                        false => related.is_incomplete = true,
                    }
                }
                related.lineage.add(source);
            }
            if left == 0 {
                related.is_incomplete = true;
                break;
            }
        }
        Ok(related)
    }

    pub(super) fn add(&mut self, source: ValueSource) {
        self.0.insert(source.version, source.source);
    }

    /// The version that had the value of this one first.
    pub(super) fn origin(&self, version: Version) -> Version {
        let mut at = version;
        // Whatever is stored, it ends.
        for _ in 0..self.0.len() {
            match self.0.get(&at) {
                Some(source) => at = *source,
                None => break,
            }
        }
        at
    }
}
