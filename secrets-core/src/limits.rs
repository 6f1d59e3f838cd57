//! How much there may be of what.
//!
//! [`Limits::default`] is what the service is built for: four full scopes still fit one message. An installation or an
//! organization may only go below it.

use std::fmt;

use crate::secret::MAX_DESCRIPTION_BYTES;
use crate::secret::labels::MAX_LABELS;

const KIB: u64 = 1024;

/// For how many days the service keeps a deleted secret for an undelete, and the own secrets of a user who was deleted.
pub const DELETED_KEPT_DAYS: u32 = 7;

/// One of the things that are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Bytes of one value.
    ValueBytes,
    /// Bytes of one description.
    DescriptionBytes,
    /// Labels of one secret.
    Labels,
    /// Secrets in one scope.
    SecretsPerScope,
    /// Bytes that the secrets of one scope take in an answer.
    BytesPerScope,
    /// Versions kept of one secret.
    VersionsPerSecret,
    /// Entries of one import.
    ImportEntries,
    /// Bytes of the document of one import.
    ImportBytes,
}

crate::wire_enum::wire_enum!(Limit, "limit", {
    ValueBytes => "value_bytes",
    DescriptionBytes => "description_bytes",
    Labels => "labels",
    SecretsPerScope => "secrets_per_scope",
    BytesPerScope => "bytes_per_scope",
    VersionsPerSecret => "versions_per_secret",
    ImportEntries => "import_entries",
    ImportBytes => "import_bytes",
});

/// The most allowed of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// See [`Limit::ValueBytes`].
    pub value_bytes: u64,
    /// See [`Limit::DescriptionBytes`].
    pub description_bytes: u64,
    /// See [`Limit::Labels`].
    pub labels: u64,
    /// See [`Limit::SecretsPerScope`].
    pub secrets_per_scope: u64,
    /// See [`Limit::BytesPerScope`].
    pub bytes_per_scope: u64,
    /// See [`Limit::VersionsPerSecret`].
    pub versions_per_secret: u64,
    /// See [`Limit::ImportEntries`].
    pub import_entries: u64,
    /// See [`Limit::ImportBytes`].
    pub import_bytes: u64,
}

/// There is more of something than its limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit `{limit}` is {most} (got {given})")]
pub struct LimitExceeded {
    /// Of what.
    pub limit: Limit,
    /// The most allowed.
    pub most: u64,
    /// How much there is, or would be.
    pub given: u64,
}

/// A limit was to be set to zero or raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the limit `{limit}` must be from 1 to {most} (got {given})")]
pub struct InvalidLimit {
    /// Which one.
    pub limit: Limit,
    /// The most it may be set to.
    pub most: u64,
    /// What it was to be set to.
    pub given: u64,
}

impl Limits {
    /// The most allowed of `limit`.
    pub const fn get(&self, limit: Limit) -> u64 {
        match limit {
            Limit::ValueBytes => self.value_bytes,
            Limit::DescriptionBytes => self.description_bytes,
            Limit::Labels => self.labels,
            Limit::SecretsPerScope => self.secrets_per_scope,
            Limit::BytesPerScope => self.bytes_per_scope,
            Limit::VersionsPerSecret => self.versions_per_secret,
            Limit::ImportEntries => self.import_entries,
            Limit::ImportBytes => self.import_bytes,
        }
    }

    /// Refuses more of `limit` than allowed.
    pub const fn check(&self, limit: Limit, given: u64) -> Result<(), LimitExceeded> {
        let most = self.get(limit);
        if given > most { Err(LimitExceeded { limit, most, given }) } else { Ok(()) }
    }

    /// Sets `limit` to `most`, which is neither zero nor more than it was.
    pub fn lower(&mut self, limit: Limit, most: u64) -> Result<(), InvalidLimit> {
        let field = self.field(limit);
        if most == 0 || most > *field {
            return Err(InvalidLimit { limit, most: *field, given: most });
        }
        *field = most;
        Ok(())
    }

    /// The smaller of both in each.
    #[must_use]
    pub fn lowered_by(mut self, other: &Self) -> Self {
        for &limit in Limit::ALL {
            let field = self.field(limit);
            *field = (*field).min(other.get(limit));
        }
        self
    }

    const fn field(&mut self, limit: Limit) -> &mut u64 {
        match limit {
            Limit::ValueBytes => &mut self.value_bytes,
            Limit::DescriptionBytes => &mut self.description_bytes,
            Limit::Labels => &mut self.labels,
            Limit::SecretsPerScope => &mut self.secrets_per_scope,
            Limit::BytesPerScope => &mut self.bytes_per_scope,
            Limit::VersionsPerSecret => &mut self.versions_per_secret,
            Limit::ImportEntries => &mut self.import_entries,
            Limit::ImportBytes => &mut self.import_bytes,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            value_bytes: 64 * KIB,
            description_bytes: MAX_DESCRIPTION_BYTES as u64,
            labels: MAX_LABELS as u64,
            secrets_per_scope: 1000,
            bytes_per_scope: 960 * KIB,
            versions_per_secret: 100,
            import_entries: 1000,
            import_bytes: 960 * KIB,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_from_what_the_design_says() {
        let limits = Limits::default();
        for (limit, most) in [
            (Limit::ValueBytes, 65_536),
            (Limit::DescriptionBytes, 1024),
            (Limit::Labels, 64),
            (Limit::SecretsPerScope, 1000),
            (Limit::BytesPerScope, 983_040),
            (Limit::VersionsPerSecret, 100),
            (Limit::ImportEntries, 1000),
            (Limit::ImportBytes, 983_040),
        ] {
            assert_eq!(limits.get(limit), most);
            assert_eq!(limits.check(limit, most), Ok(()));
            assert_eq!(limits.check(limit, most + 1), Err(LimitExceeded { limit, most, given: most + 1 }));
        }
    }

    #[test]
    fn goes_down_and_never_up() {
        let mut limits = Limits::default();
        for &limit in Limit::ALL {
            let most = limits.get(limit);
            assert_eq!(limits.lower(limit, most + 1), Err(InvalidLimit { limit, most, given: most + 1 }));
            assert_eq!(limits.lower(limit, 0), Err(InvalidLimit { limit, most, given: 0 }));
            limits.lower(limit, 7).unwrap();
            assert_eq!(limits.get(limit), 7);
            assert!(limits.lower(limit, 8).is_err());
        }
    }

    #[test]
    fn takes_the_smaller_of_two_in_each() {
        let mut narrow = Limits::default();
        narrow.lower(Limit::Labels, 3).unwrap();
        let mut other = Limits::default();
        other.lower(Limit::ValueBytes, 10).unwrap();
        let both = narrow.lowered_by(&other);
        assert_eq!((both.labels, both.value_bytes), (3, 10));
        assert_eq!(both.import_entries, 1000);
        assert_eq!(other.lowered_by(&narrow), both);
    }

    #[test]
    fn names_the_limit_and_what_was_given() {
        let error = Limits::default().check(Limit::SecretsPerScope, 1001).unwrap_err();
        assert_eq!(error.to_string(), "the limit `secrets_per_scope` is 1000 (got 1001)");
        let error = Limits::default().lower(Limit::ValueBytes, 70_000).unwrap_err();
        assert_eq!(error.to_string(), "the limit `value_bytes` must be from 1 to 65536 (got 70000)");
    }
}
