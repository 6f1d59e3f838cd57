//! Which versions have one and the same value, because it was carried from one into another: by a rollback, a change of the target
//! alone, a copy or a move.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::Uid;

use crate::error::Error;
use crate::store::KeyedConnection;
use crate::store::version::{self, ValueSource};

/// How many secrets are looked at for a page, unless more were received. What was carried on to more is not found.
const MAX_SECRETS: usize = 5_000;

/// A secret and the number of a version.
pub(super) type Version = (Uid, u32);

/// From which version another has its value.
#[derive(Debug, Default)]
pub(super) struct Lineage(BTreeMap<Version, Version>);

impl Lineage {
    /// That of all that has its value from these secrets, or theirs from it, over however many steps; with the secrets that it is
    /// about.
    pub(super) async fn load(
        db: &impl KeyedConnection,
        organization: Uid,
        received: &BTreeSet<Uid>,
    ) -> Result<(Self, BTreeSet<Uid>), Error> {
        let (mut lineage, mut known) = (Self::default(), received.clone());
        let mut new: Vec<Uid> = received.iter().copied().collect();
        while !new.is_empty() {
            let sources = version::value_sources(db, organization, &new).await?;
            new.clear();
            for source in sources {
                for uid in [source.version.0, source.source.0] {
                    if known.len() < MAX_SECRETS && known.insert(uid) {
                        new.push(uid);
                    }
                }
                lineage.add(source);
            }
        }
        if known.len() >= MAX_SECRETS {
            tracing::warn!(secrets = known.len(), "copies of what was received may be missing in the answer");
        }
        Ok((lineage, known))
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
