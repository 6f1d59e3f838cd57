//! What somebody who can write the database, but has no key, may try: every try has to fail, and with the error that
//! says what was found.

use std::sync::Arc;

use secrets_core::{FileMode, NamePolicy, Scope, ScopeKind, SecretId, Target, Uid};

use super::envelope::OVERHEAD_BYTES;
use super::random::{BrokenRandom, CountingRandom};
use super::*;
use crate::keys::*;

const PLAINTEXT: &[u8] = b"correct horse battery staple";

fn uid(number: u128) -> Uid {
    Uid::from_u128(number)
}

fn data_key() -> DataKey {
    DataKey::new(7, SymmetricKey::copied_from(&[0x5a; 32]).unwrap())
}

fn secret_id(text: &str) -> SecretId {
    SecretId::parse(text, NamePolicy::Relaxed).unwrap()
}

fn file(path: &str, mode: u32) -> Target {
    Target::File { path: path.parse().unwrap(), mode: FileMode::new(mode).unwrap() }
}

fn registry(host: &str, username: &str) -> Target {
    Target::Registry { host: host.parse().unwrap(), username: username.parse().unwrap() }
}

/// An identity that owns its parts, so that each can be changed.
#[derive(Clone)]
struct Owned {
    organization: Uid,
    scope: Scope,
    secret: Uid,
    secret_id: SecretId,
    version: u32,
    target: Target,
}

impl Owned {
    fn new() -> Self {
        Self {
            organization: uid(1),
            scope: Scope { kind: ScopeKind::Workspace, uid: uid(2) },
            secret: uid(3),
            secret_id: secret_id("DEPLOY_KEY"),
            version: 4,
            target: file("~/deploy.pem", 0o600),
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = Self::new();
        change(&mut changed);
        changed
    }

    fn identity(&self) -> ValueIdentity<'_> {
        let Self { organization, scope, secret, secret_id, version, target } = self;
        ValueIdentity {
            organization: *organization,
            scope: *scope,
            secret: *secret,
            secret_id,
            version: *version,
            target,
        }
    }

    fn seal(&self) -> Vec<u8> {
        data_key().seal(&SystemRandom, &self.identity(), PLAINTEXT).unwrap()
    }

    fn open(&self, record: &[u8]) -> Result<SecretBytes, OpenError> {
        data_key().open(&self.identity(), record)
    }
}

fn error<T>(result: Result<T, OpenError>) -> OpenError {
    result.map(drop).unwrap_err()
}

#[test]
fn opens_what_it_sealed_whatever_its_length() {
    let owned = Owned::new();
    for length in (0..300).chain([65_535, 65_536]) {
        let plaintext: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let record = data_key().seal(&SystemRandom, &owned.identity(), &plaintext).unwrap();
        assert_eq!(record.len(), OVERHEAD_BYTES + length);
        assert_eq!(owned.open(&record).unwrap().expose(), plaintext);
    }
}

#[test]
fn the_same_value_is_never_sealed_twice_alike() {
    let owned = Owned::new();
    let (one, other) = (owned.seal(), owned.seal());
    // Salt, commitment, nonce and ciphertext with its tag: all of them differ.
    for range in [10..42, 42..74, 74..86, 86..one.len()] {
        assert_ne!(one[range.clone()], other[range]);
    }
}

#[test]
fn a_record_does_not_hold_its_plaintext_or_key() {
    let record = Owned::new().seal();
    for needle in [PLAINTEXT, &PLAINTEXT[..8], data_key().key().expose().as_slice()] {
        assert!(!record.windows(needle.len()).any(|window| window == needle));
    }
}

#[test]
fn refuses_every_flipped_bit() {
    let owned = Owned::new();
    let record = owned.seal();
    for bit in 0..record.len() * 8 {
        let mut altered = record.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0..4 => OpenError::Magic,
            4 => OpenError::Format(altered[4]),
            5 => OpenError::Suite(altered[5]),
            6..10 => OpenError::KeyVersion { sealed: data_key_version(&altered).unwrap(), given: 7 },
            10..74 => OpenError::Commitment,
            _ => OpenError::Authentication,
        };
        assert_eq!(error(owned.open(&altered)), expected, "bit {bit}");
    }
    assert!(owned.open(&record).is_ok());
}

#[test]
fn refuses_every_other_byte_of_format_and_suite() {
    let owned = Owned::new();
    let record = owned.seal();
    for byte in (0..=u8::MAX).filter(|byte| *byte != 1) {
        let (mut format, mut suite) = (record.clone(), record.clone());
        (format[4], suite[5]) = (byte, byte);
        assert_eq!(error(owned.open(&format)), OpenError::Format(byte));
        assert_eq!(error(owned.open(&suite)), OpenError::Suite(byte));
    }
}

#[test]
fn refuses_every_truncation_at_either_end() {
    let owned = Owned::new();
    let record = owned.seal();
    for length in 0..record.len() {
        let expected =
            if length < OVERHEAD_BYTES { OpenError::Truncated { length } } else { OpenError::Authentication };
        assert_eq!(error(owned.open(&record[..length])), expected);
        assert!(owned.open(&record[record.len() - length..]).is_err(), "last {length} bytes");
    }
}

#[test]
fn refuses_every_removed_and_every_inserted_byte() {
    let owned = Owned::new();
    let record = owned.seal();
    for at in 0..record.len() {
        let mut shorter = record.clone();
        shorter.remove(at);
        assert!(owned.open(&shorter).is_err(), "without byte {at}");
    }
    for at in 0..=record.len() {
        for byte in [0, 1, 0xff] {
            let mut longer = record.clone();
            longer.insert(at, byte);
            assert!(owned.open(&longer).is_err(), "{byte} at {at}");
        }
    }
}

#[test]
fn refuses_extensions() {
    let owned = Owned::new();
    let record = owned.seal();
    for more in 1..64 {
        let mut longer = record.clone();
        longer.extend(vec![0; more]);
        assert_eq!(error(owned.open(&longer)), OpenError::Authentication);
    }
    assert_eq!(error(owned.open(&[record.clone(), record].concat())), OpenError::Authentication);
}

/// One identity and others that each differ from it, and from each other, in one field.
fn neighbours() -> Vec<(&'static str, Owned)> {
    vec![
        ("itself", Owned::new()),
        ("organization", Owned::with(|row| row.organization = uid(99))),
        ("scope kind, broader", Owned::with(|row| row.scope.kind = ScopeKind::Project)),
        ("scope kind, narrower", Owned::with(|row| row.scope.kind = ScopeKind::User)),
        ("scope kind, broadest", Owned::with(|row| row.scope.kind = ScopeKind::Organization)),
        ("scope uid", Owned::with(|row| row.scope.uid = uid(99))),
        ("secret uid", Owned::with(|row| row.secret = uid(99))),
        ("organization and secret exchanged", Owned::with(|row| (row.organization, row.secret) = (uid(3), uid(1)))),
        ("secret_id", Owned::with(|row| row.secret_id = secret_id("DEPLOY_KEZ"))),
        ("secret_id, other case", Owned::with(|row| row.secret_id = secret_id("DEPLOY_KEy"))),
        ("secret_id, longer", Owned::with(|row| row.secret_id = secret_id("DEPLOY_KEY_"))),
        ("version, next", Owned::with(|row| row.version = 5)),
        ("version, before", Owned::with(|row| row.version = 3)),
        ("version, other byte", Owned::with(|row| row.version = 4 << 8)),
        ("path", Owned::with(|row| row.target = file("~/deploy.pen", 0o600))),
        ("path, absolute", Owned::with(|row| row.target = file("/deploy.pem", 0o600))),
        ("mode", Owned::with(|row| row.target = file("~/deploy.pem", 0o644))),
        ("target kind: variable", Owned::with(|row| row.target = Target::EnvironmentVariable)),
        ("target kind: api only", Owned::with(|row| row.target = Target::ApiOnly)),
        ("target kind: registry", Owned::with(|row| row.target = registry("ghcr.io", "robot"))),
        ("registry host", Owned::with(|row| row.target = registry("ghcr.io.example.com", "robot"))),
        ("registry port", Owned::with(|row| row.target = registry("ghcr.io:5000", "robot"))),
        ("registry username", Owned::with(|row| row.target = registry("ghcr.io", "robos"))),
    ]
}

#[test]
fn refuses_every_swap_of_two_rows() {
    let rows: Vec<_> = neighbours().into_iter().map(|(name, row)| (name, row.seal(), row)).collect();
    for (from, record, _) in &rows {
        for (to, _, row) in &rows {
            let opened = row.open(record);
            if from == to {
                assert_eq!(opened.unwrap().expose(), PLAINTEXT);
            } else {
                assert_eq!(error(opened), OpenError::Authentication, "moved from `{from}` to `{to}`");
            }
        }
    }
}

#[test]
fn refuses_every_exchange_of_a_field_between_two_records() {
    let owned = Owned::new();
    let (one, other) = (owned.seal(), owned.seal());
    let end = one.len();
    for (range, expected) in [
        (10..42, OpenError::Commitment),
        (42..74, OpenError::Commitment),
        (10..74, OpenError::Authentication),
        (74..86, OpenError::Authentication),
        (10..86, OpenError::Authentication),
        (86..end - 16, OpenError::Authentication),
        (end - 16..end, OpenError::Authentication),
        (86..end, OpenError::Authentication),
    ] {
        let mut mixed = one.clone();
        mixed[range.clone()].copy_from_slice(&other[range.clone()]);
        assert_eq!(error(owned.open(&mixed)), expected, "bytes {range:?}");
    }
}

#[test]
fn refuses_another_version_of_the_key() {
    let owned = Owned::new();
    let record = owned.seal();
    for version in [0, 1, 6, 8, u32::MAX] {
        let key = DataKey::new(version, SymmetricKey::copied_from(data_key().key().expose()).unwrap());
        let expected = OpenError::KeyVersion { sealed: 7, given: version };
        assert_eq!(error(key.open(&owned.identity(), &record)), expected);
        // SecretMutation the version that is asked for into the record does not help either: it goes into the derivation.
        let mut relabelled = record.clone();
        relabelled[6..10].copy_from_slice(&version.to_be_bytes());
        assert_eq!(error(key.open(&owned.identity(), &relabelled)), OpenError::Commitment);
    }
}

#[test]
fn refuses_another_key_before_it_decrypts() {
    let owned = Owned::new();
    let record = owned.seal();
    for bit in 0..256 {
        let mut bytes = *data_key().key().expose();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let key = DataKey::new(7, SymmetricKey::copied_from(&bytes).unwrap());
        assert_eq!(error(key.open(&owned.identity(), &record)), OpenError::Commitment);
    }
}

#[test]
fn the_commitment_is_of_the_key_and_not_of_the_ciphertext() {
    // The ciphertext of one record, made valid under two keys, is what a commitment is against: with the same salt,
    // two keys have different commitments, and there is room for one only.
    let owned = Owned::new();
    let seal = |byte| {
        let key = DataKey::new(7, SymmetricKey::copied_from(&[byte; 32]).unwrap());
        key.seal(&CountingRandom::default(), &owned.identity(), PLAINTEXT).unwrap()
    };
    let (one, other) = (seal(1), seal(2));
    assert_eq!((&one[..42], &one[74..86]), (&other[..42], &other[74..86]), "the same salt and nonce");
    assert_ne!(one[42..74], other[42..74]);
}

#[test]
fn nothing_is_sealed_without_randomness() {
    let sealed = data_key().seal(&BrokenRandom, &Owned::new().identity(), PLAINTEXT);
    assert_eq!(sealed, Err(SealError::Random(RandomError)));
}

#[test]
fn the_version_is_read_from_values_only() {
    let record = Owned::new().seal();
    assert_eq!(data_key_version(&record), Ok(7));
    assert_eq!(envelope::root_key_version(&record), Err(OpenError::Magic));
    assert_eq!(data_key_version(&record[..50]), Err(OpenError::Truncated { length: 50 }));
    assert_eq!(data_key_version(&[0; 200]), Err(OpenError::Magic));
}

fn key_identities() -> Vec<KeyIdentity> {
    let mut identities = vec![
        KeyIdentity::data(uid(1), 1),
        KeyIdentity::data(uid(1), 2),
        KeyIdentity::data(uid(2), 1),
        KeyIdentity::data(uid(0), 1),
    ];
    for purpose in [KeyPurpose::Pepper, KeyPurpose::Fingerprint, KeyPurpose::Audit, KeyPurpose::Row, KeyPurpose::Data] {
        identities.extend([1, 2].map(|version| KeyIdentity::system(purpose, version)));
    }
    identities
}

#[test]
fn refuses_every_swap_of_two_key_rows() {
    let seed = RootSeed::make(&SystemRandom, 1).unwrap();
    let key = SymmetricKey::make(&SystemRandom).unwrap();
    for from in key_identities() {
        let record = seed.seal_key(&SystemRandom, &from, &key).unwrap();
        for to in key_identities() {
            let opened = seed.open_key(&to, &record);
            if from == to {
                assert_eq!(opened.unwrap().expose(), key.expose());
            } else {
                assert_eq!(error(opened), OpenError::Authentication, "{from:?} as {to:?}");
            }
        }
    }
}

#[test]
fn refuses_every_flipped_bit_and_truncation_of_a_key_row() {
    let seed = RootSeed::make(&SystemRandom, 1).unwrap();
    let identity = KeyIdentity::data(uid(1), 1);
    let record = seed.seal_key(&SystemRandom, &identity, &SymmetricKey::make(&SystemRandom).unwrap()).unwrap();
    for bit in 0..record.len() * 8 {
        let mut altered = record.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(seed.open_key(&identity, &altered).is_err(), "bit {bit}");
    }
    for length in 0..record.len() {
        assert!(seed.open_key(&identity, &record[..length]).is_err(), "{length} bytes");
    }
    assert!(seed.open_key(&identity, &[record.clone(), vec![0]].concat()).is_err());
}

#[test]
fn refuses_a_key_row_under_another_seed() {
    let identity = KeyIdentity::data(uid(1), 1);
    let (one, other) = (RootSeed::make(&SystemRandom, 1).unwrap(), RootSeed::make(&SystemRandom, 1).unwrap());
    let next = RootSeed::make(&SystemRandom, 2).unwrap();
    let record = one.seal_key(&SystemRandom, &identity, &SymmetricKey::make(&SystemRandom).unwrap()).unwrap();
    assert_eq!(error(other.open_key(&identity, &record)), OpenError::Commitment);
    assert_eq!(error(next.open_key(&identity, &record)), OpenError::KeyVersion { sealed: 1, given: 2 });
}

#[tokio::test]
async fn a_record_of_one_kind_is_none_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let provider = FileRootKey::create(&directory.path().join("root.key"), Arc::new(SystemRandom)).unwrap();
    let seed = RootSeed::make(&SystemRandom, 7).unwrap();
    let identity = KeyIdentity::data(uid(1), 1);
    let wrapped = seed.wrap(&provider).await.unwrap();
    let key_row = seed.seal_key(&SystemRandom, &identity, data_key().key()).unwrap();
    let value_row = Owned::new().seal();

    for record in [&wrapped, &value_row] {
        assert_eq!(error(seed.open_key(&identity, record)), OpenError::Magic);
    }
    for record in [&wrapped, &key_row] {
        assert_eq!(error(Owned::new().open(record)), OpenError::Magic);
    }
    for record in [&key_row, &value_row] {
        let error = provider.unwrap(record).await.map(drop).unwrap_err();
        assert_eq!(error, RootKeyError::Corrupt(OpenError::Magic));
    }
}

#[tokio::test]
async fn refuses_every_flipped_bit_and_truncation_of_a_wrapped_seed() {
    let directory = tempfile::tempdir().unwrap();
    let provider = FileRootKey::create(&directory.path().join("root.key"), Arc::new(SystemRandom)).unwrap();
    let wrapped = RootSeed::make(&SystemRandom, 1).unwrap().wrap(&provider).await.unwrap();
    for bit in 0..wrapped.len() * 8 {
        let mut altered = wrapped.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(RootSeed::unwrap(&provider, 1, &altered).await.is_err(), "bit {bit}");
    }
    for length in 0..wrapped.len() {
        assert!(RootSeed::unwrap(&provider, 1, &wrapped[..length]).await.is_err(), "{length} bytes");
    }
}

#[test]
fn a_sealed_record_that_holds_no_key_is_refused_as_one() {
    let short = SecretBytes::from(vec![1; 31]);
    assert_eq!(error(root_seed::key_of(&short)), OpenError::KeyLength { length: 31 });
}
