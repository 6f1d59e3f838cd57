use std::os::unix::fs::symlink;

use super::*;
use crate::crypto::random::{BrokenRandom, CountingRandom, SystemRandom};
use crate::keys::root_seed::RootSeed;

fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

fn write(path: &Path, content: &[u8], mode: u32) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The message of a refusal, without the path.
fn refusal(path: &Path) -> String {
    let error = FileRootKey::load(path, random()).map(drop).unwrap_err();
    assert!(error.to_string().starts_with(&format!("root key file `{}` ", path.display())));
    error.problem.to_string()
}

fn entries(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_created_key_is_32_bytes_for_its_owner_and_loads_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    let created = FileRootKey::create(&path, random()).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o7777), (32, 0o600));
    assert_eq!(entries(directory.path()), ["root.key"], "no draft is left");

    let loaded = FileRootKey::load(&path, random()).unwrap();
    assert_eq!(loaded.name(), "file");
    let seed = RootSeed::make(&SystemRandom, 1).unwrap();
    let wrapped = seed.wrap(&created).await.unwrap();
    let identity = crate::keys::KeyIdentity::system(crate::keys::KeyPurpose::Pepper, 1);
    let key = SymmetricKey::make(&SystemRandom).unwrap();
    let sealed = seed.seal_key(&SystemRandom, &identity, &key).unwrap();
    let unwrapped = RootSeed::unwrap(&loaded, 1, &wrapped).await.unwrap();
    assert_eq!(unwrapped.open_key(&identity, &sealed).unwrap().expose(), key.expose());
}

#[test]
fn never_overwrites_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    FileRootKey::create(&path, random()).unwrap();
    let before = fs::read(&path).unwrap();
    let error = FileRootKey::create(&path, random()).map(drop).unwrap_err();
    assert_eq!(error.problem.to_string(), "exists already; a root key is never overwritten");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(entries(directory.path()), ["root.key"]);
}

#[test]
fn removes_drafts_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    let kept = ["root.key", ".root.key.backup", ".other.key.0123456789abcdef", ".root.key.0123456789abcdef.old"];
    for name in kept.into_iter().chain([".root.key.0123456789abcdef", ".root.key.fedcba9876543210"]) {
        write(&directory.path().join(name), &[7; 32], 0o600);
    }
    FileRootKey::remove_drafts(&path);
    let mut left = entries(directory.path());
    left.sort();
    let mut kept = kept.map(str::to_owned);
    kept.sort();
    assert_eq!(left, kept);
}

#[test]
fn does_not_create_through_a_dangling_link() {
    let directory = tempfile::tempdir().unwrap();
    let (link, elsewhere) = (directory.path().join("root.key"), directory.path().join("elsewhere"));
    symlink(&elsewhere, &link).unwrap();
    let error = FileRootKey::create(&link, random()).map(drop).unwrap_err();
    assert!(matches!(error.problem, RootKeyFileProblem::Exists));
    assert!(!elsewhere.exists());
}

#[test]
fn leaves_nothing_behind_when_it_can_not_create() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    let error = FileRootKey::create(&path, Arc::new(BrokenRandom)).map(drop).unwrap_err();
    assert_eq!(error.problem.to_string(), "was not made: the source of randomness failed");
    assert!(entries(directory.path()).is_empty());
    let error = FileRootKey::create(&directory.path().join("absent/root.key"), random()).map(drop).unwrap_err();
    assert!(error.problem.to_string().starts_with("could not be written: "), "{error}");
    assert!(matches!(
        FileRootKey::create(&path, Arc::new(Zeros)).map(drop).unwrap_err().problem,
        RootKeyFileProblem::Zeros
    ));
    assert!(entries(directory.path()).is_empty());
}

struct Zeros;

impl Random for Zeros {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(0);
        Ok(())
    }
}

#[test]
fn refuses_every_mode_but_0600_and_0400() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    write(&path, &[1; 32], 0o600);
    for mode in (0..=0o777).filter(|mode| mode & 0o400 != 0) {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        if mode == 0o600 || mode == 0o400 {
            assert!(FileRootKey::load(&path, random()).is_ok(), "{mode:04o}");
        } else {
            let expected =
                format!("has mode {mode:04o}; must be 0600 or 0400, so that nobody but its owner can read it");
            assert_eq!(refusal(&path), expected);
        }
    }
}

#[test]
fn refuses_every_other_length() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    for length in (0..100).filter(|length| *length != 32) {
        write(&path, &vec![1; length], 0o600);
        assert_eq!(refusal(&path), format!("has {length} bytes; a root key is 32 raw bytes"));
    }
}

#[test]
fn refuses_what_is_no_regular_file_and_what_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let (key, link) = (directory.path().join("root.key"), directory.path().join("link"));
    assert_eq!(refusal(&key), "does not exist");
    write(&key, &[1; 32], 0o600);
    symlink(&key, &link).unwrap();
    assert_eq!(refusal(&link), "is a symbolic link; name the file it points to");
    assert_eq!(refusal(directory.path()), "is not a regular file");
    write(&key, &[0; 32], 0o600);
    assert_eq!(refusal(&key), "holds nothing but zeros, which is no key");
    let pipe = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(refusal(&pipe), "is not a regular file", "without waiting for a writer");
}

#[tokio::test]
async fn another_root_key_is_told_from_a_damaged_seed() {
    let directory = tempfile::tempdir().unwrap();
    let key = FileRootKey::create(&directory.path().join("one.key"), random()).unwrap();
    let other = FileRootKey::create(&directory.path().join("other.key"), random()).unwrap();
    let seed = RootSeed::make(&CountingRandom::default(), 1).unwrap();
    let mut wrapped = seed.wrap(&key).await.unwrap();
    assert_eq!(RootSeed::unwrap(&other, 1, &wrapped).await.map(drop).unwrap_err(), RootKeyError::WrongKey);
    *wrapped.last_mut().unwrap() ^= 1;
    assert_eq!(
        RootSeed::unwrap(&key, 1, &wrapped).await.map(drop).unwrap_err(),
        RootKeyError::Corrupt(envelope::OpenError::Authentication)
    );
}

#[tokio::test]
async fn a_seed_says_whether_the_rows_of_its_database_have_macs() {
    let directory = tempfile::tempdir().unwrap();
    let key = FileRootKey::create(&directory.path().join("root.key"), random()).unwrap();
    let unwrap = async |bytes: &[u8]| {
        let wrapped = key.wrap(&bytes.to_vec().into()).await.unwrap();
        RootSeed::unwrap(&key, 1, &wrapped).await.map(|seed| seed.rows_have_macs())
    };
    assert_eq!(
        unwrap(&[1; 32]).await,
        Ok(false),
        "of an earlier program, also when its last byte is the one that says so"
    );
    assert_eq!(unwrap(&[1; 33]).await, Ok(true));
    for bytes in [vec![1; 31], vec![2; 33], vec![1; 34]] {
        assert!(matches!(unwrap(&bytes).await, Err(RootKeyError::Corrupt(_))), "{} bytes", bytes.len());
    }
    let made = RootSeed::make(&SystemRandom, 1).unwrap();
    let wrapped = made.wrap(&key).await.unwrap();
    assert!(RootSeed::unwrap(&key, 1, &wrapped).await.unwrap().rows_have_macs());
}

#[tokio::test]
async fn wrapping_needs_randomness() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root.key");
    FileRootKey::create(&path, random()).unwrap();
    let key = FileRootKey::load(&path, Arc::new(BrokenRandom)).unwrap();
    let seed = RootSeed::make(&SystemRandom, 1).unwrap();
    assert!(matches!(seed.wrap(&key).await, Err(RootKeyError::Wrap(_))));
}
