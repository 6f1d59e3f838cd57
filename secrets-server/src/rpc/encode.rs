//! From domain types to messages.

pub mod access;
pub mod audit;
pub mod directory;
pub mod resolve;
pub mod secret;
pub mod target;
pub mod warning;
pub mod watch;

use secrets_core::{ContextName, Timestamp};
use secrets_proto::v1;

use crate::store::revision::Revision;

pub fn time(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.as_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    prost_types::Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

pub fn total(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub fn context(name: &ContextName) -> v1::Context {
    v1::Context {
        organization: name.organization.to_string(),
        project: name.project.as_ref().map(ToString::to_string).unwrap_or_default(),
        workspace: name.workspace.as_ref().map(ToString::to_string).unwrap_or_default(),
        user: name.user.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// Its number, and the change that created it: a history restored from a backup has other changes than the old one.
pub fn revision(revision: &Revision) -> String {
    format!("{}.{}", revision.revision, revision.change_id.simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_keep_positive_nanos() {
        assert_eq!(time(Timestamp::from_micros(-1)), prost_types::Timestamp { seconds: -1, nanos: 999_999_000 });
        assert_eq!(time(Timestamp::from_micros(1_500_000)), prost_types::Timestamp { seconds: 1, nanos: 500_000_000 });
    }
}
