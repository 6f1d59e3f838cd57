//! A fallback: the last set that the service delivered, sealed in a file under the caller's own key, for when the service is
//! unavailable.
//!
//! Invariants:
//! - it opens only for the binding that it was sealed for (endpoint, credential, context and names), and not after its maximum
//!   age, nor once a secret of it has expired;
//! - without the key, the file is of no use; the library never creates, stores or shows a key;
//! - what it holds is checked as an answer of the service is.
//!
//! Absent: when to use it. A caller must not use it after an answer of the service: what was denied stays denied.

mod key;
mod sealed;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use prost::Message as _;
use prost_types::Timestamp;
use secrets_proto::v1;
use zeroize::{Zeroize as _, Zeroizing};

pub use self::key::{FallbackKey, InvalidFallbackKey};
pub use self::sealed::FallbackBinding;
use self::sealed::OpenError;
use crate::private_file;
use crate::validation::{BrokenRule, Question, ResolvedSet};

/// More than a full set of four scopes takes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// A file for the last set, and what opens it.
pub struct Fallback {
    /// The file.
    pub path: PathBuf,
    /// The key that it is sealed under.
    pub key: FallbackKey,
    /// What the set is for.
    pub binding: FallbackBinding,
    /// How old the set may be.
    pub max_age: Duration,
}

/// A set from a fallback.
#[derive(Debug)]
pub struct FallbackSet {
    /// The set.
    pub set: ResolvedSet,
    /// How long ago the service delivered it.
    pub age: Duration,
}

/// Why a fallback can't be written or used.
#[derive(Debug, thiserror::Error)]
#[error("fallback `{}`: {problem}", path.display())]
pub struct FallbackError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: FallbackProblem,
}

/// What is wrong with a fallback.
#[derive(Debug, thiserror::Error)]
pub enum FallbackProblem {
    /// The file can't be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The set can't be sealed, for instance because the system has no randomness.
    #[error("the set can't be sealed")]
    Seal,
    /// The file is something else.
    #[error("the file is not a fallback")]
    NotAFallback,
    /// The set was sealed under another key.
    #[error("the set is sealed under another key")]
    OtherKey,
    /// The set was sealed for something else.
    #[error("the set is for another endpoint, credential, context or choice of names")]
    OtherBinding,
    /// The file was altered.
    #[error("the file was altered")]
    Altered,
    /// The set is too old.
    #[error("the set is too old")]
    TooOld {
        /// How old it is.
        age: Duration,
        /// How old it may be.
        max_age: Duration,
    },
    /// The set can't be decoded.
    #[error("the set was written by another version")]
    OtherVersion,
    /// The set breaks a rule, for instance one that a newer version has.
    #[error("the set breaks a rule, and nothing of it was used: {0}")]
    Malformed(#[from] BrokenRule),
    /// The set would have changed since, by itself.
    #[error("a secret in the set has expired since")]
    Expired,
}

impl Fallback {
    /// How old a set may be by default.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Seals a set that the service delivered at `now`, and replaces the file in one step.
    pub fn seal(&self, set: &ResolvedSet, now: Timestamp) -> Result<(), FallbackError> {
        self.write(set, now).map_err(|problem| self.error(problem))
    }

    /// Opens the file at `now`, for what `question` asks.
    pub fn open(&self, question: &Question, now: Timestamp) -> Result<FallbackSet, FallbackError> {
        self.read(question, now).map_err(|problem| self.error(problem))
    }

    fn write(&self, set: &ResolvedSet, now: Timestamp) -> Result<(), FallbackProblem> {
        let mut response = set.to_response();
        let mut plain = Zeroizing::new(Vec::with_capacity(response.encoded_len() + sealed::TAG_BYTES));
        let encoded = response.encode(&mut *plain);
        response.secrets.iter_mut().for_each(|secret| secret.value.zeroize());
        encoded.map_err(|_| FallbackProblem::Seal)?;
        let bytes = sealed::seal(&self.key, &self.binding, now.seconds, &mut plain).ok_or(FallbackProblem::Seal)?;
        Ok(private_file::replace(&self.path, &bytes)?)
    }

    fn read(&self, question: &Question, now: Timestamp) -> Result<FallbackSet, FallbackProblem> {
        let mut bytes = Vec::new();
        File::open(&self.path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        let (sealed_at, plain) = sealed::open(&self.key, &self.binding, bytes)?;
        let age = Duration::from_secs(u64::try_from(now.seconds.saturating_sub(sealed_at)).unwrap_or_default());
        if age > self.max_age {
            return Err(FallbackProblem::TooOld { age, max_age: self.max_age });
        }
        let response = v1::ResolveResponse::decode(plain.as_slice()).map_err(|_| FallbackProblem::OtherVersion)?;
        if response.next_change_time.as_ref().is_some_and(|time| time.seconds <= now.seconds) {
            return Err(FallbackProblem::Expired);
        }
        Ok(FallbackSet { set: ResolvedSet::check(response, question)?, age })
    }

    fn error(&self, problem: FallbackProblem) -> FallbackError {
        FallbackError { path: self.path.clone(), problem }
    }
}

impl From<OpenError> for FallbackProblem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotAFallback => Self::NotAFallback,
            OpenError::OtherKey => Self::OtherKey,
            OpenError::OtherBinding => Self::OtherBinding,
            OpenError::Altered => Self::Altered,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use secrets_core::{FileMode, FilePath, Target};

    use super::*;
    use crate::validation::wire_target;

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    fn response(next_change: Option<i64>) -> v1::ResolveResponse {
        let secret = v1::ResolvedSecret {
            secret: "organizations/acme/secrets/A".into(),
            secret_id: "A".into(),
            value: vec![0, 255, 7],
            version: 3,
            scope: v1::ScopeKind::Organization.into(),
            target: Some(wire_target(&"/run/a".parse().map(file).unwrap())),
            ..Default::default()
        };
        v1::ResolveResponse {
            secrets: vec![secret],
            etag: "e".into(),
            revision: "1.a".into(),
            next_change_time: next_change.map(at),
            context: Some(v1::Context { organization: "acme".into(), ..Default::default() }),
            ..Default::default()
        }
    }

    fn file(path: FilePath) -> Target {
        Target::File { path, mode: FileMode::default() }
    }

    fn set(next_change: Option<i64>) -> ResolvedSet {
        ResolvedSet::check(response(next_change), &Question::default()).unwrap()
    }

    fn open(fallback: &Fallback, seconds: i64) -> Result<FallbackSet, FallbackError> {
        fallback.open(&Question::default(), at(seconds))
    }

    fn fallback(path: &Path, key: u8, endpoint: &str) -> Fallback {
        let binding = FallbackBinding::new(&[endpoint], &[]);
        let key = FallbackKey::from_bytes([key; 32]);
        Fallback { path: path.to_owned(), key, binding, max_age: Duration::from_secs(3600) }
    }

    fn problem(result: Result<FallbackSet, FallbackError>) -> FallbackProblem {
        result.unwrap_err().problem
    }

    #[test]
    fn returns_the_sealed_set_until_it_is_too_old() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fallback");
        let fallback = fallback(&path, 1, "http://e");
        fallback.seal(&set(None), at(NOW)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(3).any(|window| window == [0, 255, 7]));
        let FallbackSet { set: found, age } = open(&fallback, NOW + 3600).unwrap();
        assert_eq!((found.secrets[0].expose(), found.secrets[0].version, age.as_secs()), (&[0, 255, 7][..], 3, 3600));
        assert_eq!(
            (found.etag.as_str(), found.secrets[0].name.to_string().as_str()),
            ("e", "organizations/acme/secrets/A")
        );
        assert!(
            matches!(problem(open(&fallback, NOW + 3601)), FallbackProblem::TooOld { age, .. } if age.as_secs() == 3601)
        );
        fallback.seal(&set(Some(NOW + 60)), at(NOW)).unwrap();
        assert!(open(&fallback, NOW + 59).is_ok());
        assert!(matches!(problem(open(&fallback, NOW + 60)), FallbackProblem::Expired));
    }

    #[test]
    fn says_why_it_does_not_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fallback");
        let open = |key, endpoint: &str| open(&fallback(&path, key, endpoint), NOW);
        assert!(open(1, "http://e").unwrap_err().to_string().contains("No such file"));
        fallback(&path, 1, "http://e").seal(&set(None), at(NOW)).unwrap();
        assert!(open(1, "http://e").is_ok());
        assert!(matches!(problem(open(2, "http://e")), FallbackProblem::OtherKey));
        assert!(matches!(problem(open(1, "http://f")), FallbackProblem::OtherBinding));
        std::fs::write(&path, "DATABASE_URL=x").unwrap();
        assert!(matches!(problem(open(1, "http://e")), FallbackProblem::NotAFallback));
    }

    #[test]
    fn checks_what_a_file_holds_as_an_answer() {
        let directory = tempfile::tempdir().unwrap();
        let fallback = fallback(&directory.path().join("fallback"), 1, "http://e");
        let mut malformed = response(None);
        malformed.secrets[0].secret_id = "$(touch x)".into();
        let mut plain = Zeroizing::new(malformed.encode_to_vec());
        let sealed = sealed::seal(&fallback.key, &fallback.binding, NOW, &mut plain).unwrap();
        std::fs::write(&fallback.path, sealed).unwrap();
        let error = problem(open(&fallback, NOW));
        assert!(matches!(error, FallbackProblem::Malformed(BrokenRule::Name(_))), "{error}");
        fallback.seal(&set(None), at(NOW)).unwrap();
        let other = Question::from(&v1::ResolveRequest { secret_ids: vec!["B".into()], ..Default::default() });
        assert!(matches!(problem(fallback.open(&other, at(NOW))), FallbackProblem::Malformed(_)));
    }
}
