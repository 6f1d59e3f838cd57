//! Fuzz targets of the decoders that strangers reach: three seconds each in a test run. `BOLERO_RANDOM_TEST_TIME_MS` makes it
//! longer, and `cargo bolero test NAME` runs one under a fuzzer that follows the code's branches.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use bolero::generator::{TypeGenerator, ValueGenerator, produce, produce_with};
use secrets_core::{CredentialKind, Labels, NamePolicy, Scope, ScopeKind, SecretId, Target, TargetKind, Uid};
use secrets_server::auth::token::Token;
use secrets_server::crypto::{MacKey, SymmetricKey, SystemRandom, ValueIdentity, data_key_version};
use secrets_server::keys::DataKey;
use secrets_server::service::page::token;
use secrets_server::service::secret::list::filter::{Filter, Filtered};

const TEST_TIME: Duration = Duration::from_secs(3);

/// Texts made of what the parsers look for, so that more than a few get beyond the first character.
fn texts(pieces: &'static [&'static str]) -> impl ValueGenerator<Output = String> {
    let choices = produce_with::<Vec<u8>>().len(0_usize..40);
    choices.map_gen(|choices| choices.iter().map(|choice| pieces[usize::from(*choice) % pieces.len()]).collect())
}

/// What may happen to bytes on their way.
#[derive(Clone, Debug, TypeGenerator)]
enum Damage {
    Flip { at: u16, bits: u8 },
    Cut { at: u16 },
    Insert { at: u16, byte: u8 },
    Remove { at: u16 },
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: u16, len: usize| usize::from(at) % len.max(1);
        match *self {
            Self::Flip { at, bits } => {
                let at = place(at, bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Self::Cut { at } => bytes.truncate(place(at, bytes.len())),
            Self::Insert { at, byte } => bytes.insert(place(at, bytes.len()), byte),
            Self::Remove { at } if !bytes.is_empty() => drop(bytes.remove(place(at, bytes.len()))),
            Self::Remove { .. } => {}
        }
    }
}

fn damaged(original: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    damages.iter().for_each(|damage| damage.apply(&mut bytes));
    bytes
}

fn key() -> SymmetricKey {
    SymmetricKey::copied_from(&[0x5a; 32]).unwrap()
}

#[test]
fn tokens() {
    let tokens: Vec<_> = CredentialKind::ALL.iter().map(|kind| Token::make(&SystemRandom, *kind).unwrap()).collect();
    let generator = (produce::<u8>(), produce_with::<Vec<Damage>>().len(0_usize..4));
    bolero::check!().with_test_time(TEST_TIME).with_generator(generator).for_each(|(choice, damages)| {
        let token = &tokens[usize::from(*choice) % tokens.len()];
        let bytes = damaged(token.expose().as_bytes(), damages);
        let Ok(text) = std::str::from_utf8(&bytes) else { return };
        match Token::parse(text) {
            Ok(parsed) => assert_eq!(parsed.expose(), text),
            Err(error) => {
                let message = error.to_string();
                let end = text.get(text.len().saturating_sub(8)..).filter(|end| end.len() == 8);
                assert!(end.is_none_or(|end| !message.contains(end)), "{message}");
            }
        }
        assert_eq!(Token::parse(text).is_ok(), text == token.expose(), "a checksum that holds by chance");
    });
}

#[test]
fn page_tokens() {
    const QUERY: &[&str] = &["ListSecrets", "organizations/acme", ""];
    let key = MacKey::new(1, key());
    let generator = (produce_with::<String>().len(0_usize..40), produce_with::<Vec<Damage>>().len(0_usize..4));
    bolero::check!().with_test_time(TEST_TIME).with_generator(generator).for_each(|(cursor, damages)| {
        let made = token::encode(&key, QUERY, cursor);
        assert_eq!(token::decode(&key, QUERY, &made).as_ref(), Some(cursor));
        assert_eq!(token::decode(&key, &["ListSecrets", "organizations/other", ""], &made), None);
        let bytes = damaged(made.as_bytes(), damages);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            assert_eq!(token::decode(&key, QUERY, text).is_some(), text == made, "{text}");
        }
    });
}

#[test]
fn filters() {
    const PIECES: &[&str] = &[
        "secret_id",
        "group",
        "labels.",
        "team",
        "target",
        "disabled",
        "=",
        ":",
        "\"",
        "\\",
        "*",
        "AND",
        " ",
        "\n",
        "API_KEY",
        "FILE",
        "true",
        "é",
        "\0",
        "(",
        "OR",
    ];
    let secret_id = SecretId::parse("API_KEY", NamePolicy::Relaxed).unwrap();
    let labels = Labels::default();
    bolero::check!().with_test_time(TEST_TIME).with_generator(texts(PIECES)).for_each(|text: &String| {
        let secret = Filtered {
            secret_id: &secret_id,
            group: None,
            labels: &labels,
            target: TargetKind::EnvironmentVariable,
            disabled: false,
        };
        match text.parse::<Filter>() {
            Ok(filter) => drop(filter.matches(secret)),
            Err(error) => assert!(text.is_char_boundary(error.at), "{error}"),
        }
    });
}

#[test]
fn sealed_records() {
    let data_key = DataKey::new(7, key());
    let secret_id = SecretId::parse("DEPLOY_KEY", NamePolicy::Relaxed).unwrap();
    let identity = ValueIdentity {
        organization: Uid::from_u128(1),
        scope: Scope { kind: ScopeKind::Workspace, uid: Uid::from_u128(2) },
        secret: Uid::from_u128(3),
        secret_id: &secret_id,
        version: 4,
        target: &Target::EnvironmentVariable,
    };
    let record = data_key.seal(&SystemRandom, &identity, b"correct horse battery staple").unwrap();
    let generator = produce_with::<Vec<Damage>>().len(0_usize..6);
    bolero::check!().with_test_time(TEST_TIME).with_generator(generator).for_each(|damages| {
        let bytes = damaged(&record, damages);
        let _ = data_key_version(&bytes);
        assert_eq!(data_key.open(&identity, &bytes).is_ok(), bytes == record);
    });
}
