//! Records in `golden/` that every release has to open, and that sealing makes again, byte for byte, with a source
//! of randomness that counts 0, 1, 2, … from the start of each record.
//!
//! The files were made by an implementation of the layout in another language, not by this code.

use std::sync::Arc;

use secrets_core::{FileMode, NamePolicy, Scope, ScopeKind, SecretId, Target, Uid};

use super::random::CountingRandom;
use super::vectors::{self, Vector, to_hex};
use super::*;
use crate::keys::*;

#[test]
fn values_open_and_are_sealed_again() {
    let vectors = vectors::parse(include_str!("golden/values.txt"));
    assert_eq!(vectors.len(), 4);
    for vector in &vectors {
        let (secret_id, target) = (secret_id(vector), target(vector));
        let identity = ValueIdentity {
            organization: uid(vector, "organization"),
            scope: Scope { kind: scope_kind(vector), uid: uid(vector, "scope uid") },
            secret: uid(vector, "secret uid"),
            secret_id: &secret_id,
            version: number(vector, "version"),
            target: &target,
        };
        let key = DataKey::new(number(vector, "data key version"), key(vector, "data key"));
        let (plaintext, record) = (vector.bytes("plaintext"), vector.bytes("record"));
        assert_eq!(data_key_version(&record).unwrap(), key.version());
        assert_eq!(key.open(&identity, &record).unwrap().expose(), plaintext);
        let sealed = key.seal(&CountingRandom::default(), &identity, &plaintext).unwrap();
        assert_eq!(to_hex(&sealed), vector.text("record"), "{}", secret_id.as_str());
    }
}

#[tokio::test]
async fn keys_open_and_are_sealed_again() {
    let vectors = vectors::parse(include_str!("golden/keys.txt"));
    assert_eq!(vectors.len(), 4);
    for vector in &vectors {
        let purpose = [KeyPurpose::Data, KeyPurpose::Pepper, KeyPurpose::Fingerprint, KeyPurpose::Audit]
            .into_iter()
            .find(|purpose| purpose.as_str() == vector.text("purpose"))
            .unwrap();
        let organization = Some(vector.text("organization")).filter(|text| !text.is_empty());
        let identity = KeyIdentity {
            organization: organization.map(|_| uid(vector, "organization")),
            version: number(vector, "version"),
            purpose,
        };
        let seed = seed_of(vector).await;
        let (key, record) = (key(vector, "key"), vector.bytes("record"));
        assert_eq!(envelope::root_key_version(&record).unwrap(), seed.version());
        assert_eq!(seed.open_key(&identity, &record).unwrap().expose(), key.expose());
        let sealed = seed.seal_key(&CountingRandom::default(), &identity, &key).unwrap();
        assert_eq!(to_hex(&sealed), vector.text("record"));
    }
}

#[tokio::test]
async fn a_seed_wrapped_by_a_file_opens_and_is_wrapped_again() {
    let vectors = vectors::parse(include_str!("golden/seed.txt"));
    assert_eq!(vectors.len(), 1);
    for vector in &vectors {
        let provider = file_provider(&vector.bytes("root key"));
        let record = vector.bytes("record");
        assert_eq!(provider.unwrap(&record).await.unwrap().expose(), vector.bytes("seed"));
        let wrapped = provider.wrap(&vector.bytes("seed").into()).await.unwrap();
        assert_eq!(to_hex(&wrapped), vector.text("record"));
    }
}

/// The seed of a block, the way there is to one: wrapped and unwrapped.
async fn seed_of(vector: &Vector) -> RootSeed {
    let provider = file_provider(&[1; 32]);
    let wrapped = provider.wrap(&vector.bytes("seed").into()).await.unwrap();
    RootSeed::unwrap(&provider, number(vector, "root key version"), &wrapped).await.unwrap()
}

fn file_provider(root_key: &[u8]) -> FileRootKey {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    std::fs::write(&path, root_key).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    FileRootKey::load(&path, Arc::new(CountingRandom::default())).unwrap()
}

fn key(vector: &Vector, name: &str) -> SymmetricKey {
    SymmetricKey::copied_from(&vector.bytes(name)).unwrap()
}

fn number(vector: &Vector, name: &str) -> u32 {
    vector.text(name).parse().unwrap()
}

fn uid(vector: &Vector, name: &str) -> Uid {
    vector.text(name).parse().unwrap()
}

fn secret_id(vector: &Vector) -> SecretId {
    SecretId::parse(vector.text("secret_id"), NamePolicy::Relaxed).unwrap()
}

fn scope_kind(vector: &Vector) -> ScopeKind {
    match vector.text("scope kind") {
        "ORGANIZATION" => ScopeKind::Organization,
        "PROJECT" => ScopeKind::Project,
        "WORKSPACE" => ScopeKind::Workspace,
        "USER" => ScopeKind::User,
        other => panic!("no scope kind `{other}`"),
    }
}

fn target(vector: &Vector) -> Target {
    match vector.text("target kind") {
        "ENVIRONMENT_VARIABLE" => Target::EnvironmentVariable,
        "FILE" => Target::File {
            path: vector.text("path").parse().unwrap(),
            mode: FileMode::new(u32::from_str_radix(vector.text("mode"), 8).unwrap()).unwrap(),
        },
        "REGISTRY" => Target::Registry {
            host: vector.text("host").parse().unwrap(),
            username: vector.text("username").parse().unwrap(),
        },
        "API_ONLY" => Target::ApiOnly,
        other => panic!("no target kind `{other}`"),
    }
}
