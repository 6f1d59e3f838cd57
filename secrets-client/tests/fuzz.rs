//! Fuzz targets of what the client reads: three seconds each in a test run. `BOLERO_RANDOM_TEST_TIME_MS` makes it longer, and
//! `cargo bolero test NAME` runs one under a fuzzer that follows the code's branches.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use bolero::generator::{ValueGenerator, produce_with};
use prost::Message as _;
use secrets_client::{Question, Repository, ResolvedSet, v1};
use secrets_core::reserved::{self, Grade};
use secrets_core::{Target, TargetKind};

const TEST_TIME: Duration = Duration::from_secs(3);

#[test]
fn secrets_toml() {
    const VALUE: &str = "\"hunter2 value\"";
    const PIECES: &[&str] = &[
        "organization",
        "project",
        "workspace",
        " = ",
        "\"acme\"",
        "\n",
        "[secrets.",
        "[secrets.NAME]\n",
        "NAME",
        "]",
        "description",
        "required",
        "= \"hunter2 value\"\n",
        "true",
        "\"",
        "\"\"\"",
        "'",
        "#",
        ".",
        "{",
        "}",
        "[[",
        "1",
        "1979-05-27",
        "\0",
        "é",
        "\u{feff}",
    ];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(Repository::FILE);
    let documents = produce_with::<Vec<u8>>().len(0_usize..24).map_gen(|choices: Vec<u8>| {
        choices.iter().map(|choice| PIECES[usize::from(*choice) % PIECES.len()]).collect::<String>()
    });
    bolero::check!().with_test_time(TEST_TIME).with_generator(documents).for_each(|document: &String| {
        std::fs::write(&path, document).unwrap();
        match Repository::find(directory.path()) {
            Ok(found) => assert_eq!(found.unwrap().0, path),
            Err(error) => {
                let message = error.to_string();
                assert!(message.len() <= 4_096 && !message.contains(VALUE.trim_matches('"')), "{message}\n{document}");
            }
        }
    });
}

/// A text of pieces that the generator has chosen.
fn text(choices: &mut impl Iterator<Item = u8>, pieces: &[&str]) -> String {
    let count = usize::from(choices.next().unwrap_or_default() % 4);
    choices.take(count).map(|choice| pieces[usize::from(choice) % pieces.len()]).collect()
}

/// A secret as a hostile server may send it.
fn secret(choices: &mut impl Iterator<Item = u8>) -> v1::ResolvedSecret {
    const NAMES: &[&str] = &["API_KEY", "LD_PRELOAD", "PATH", "A", "_", "\n", "$(id)", "=", "\u{1b}[2J", "é"];
    const PATHS: &[&str] =
        &["~/", "/", "..", "a", ".ssh/", "authorized_keys", "etc/", "passwd", "\0", "\u{202e}", "key.pem"];
    const HOSTS: &[&str] = &["ghcr.io", "docker.io", ":", "443", "/", "@", "[::1]", "x", " "];
    let secret_id = text(choices, NAMES);
    let kind = match choices.next().unwrap_or_default() % 5 {
        0 => Some(v1::target::Kind::EnvironmentVariable(v1::EnvironmentVariableTarget {})),
        1 => Some(v1::target::Kind::File(v1::FileTarget {
            path: text(choices, PATHS),
            mode: [0, 0o600, 0o755, 0o666, 0o4755, u32::MAX][usize::from(choices.next().unwrap_or_default() % 6)],
        })),
        2 => Some(v1::target::Kind::Registry(v1::RegistryTarget {
            host: text(choices, HOSTS),
            username: text(choices, NAMES),
        })),
        3 => Some(v1::target::Kind::ApiOnly(v1::ApiOnlyTarget {})),
        _ => None,
    };
    let scope = ["organizations/acme", "organizations/acme/users/bob", "organizations/other", ""];
    v1::ResolvedSecret {
        secret: format!("{}/secrets/{secret_id}", scope[usize::from(choices.next().unwrap_or_default()) % scope.len()]),
        secret_id,
        target: Some(v1::Target { kind }),
        value: text(choices, &["value", "\n", "\0", "é"]).into_bytes(),
        scope: i32::from(choices.next().unwrap_or_default() % 7),
        version: u32::from(choices.next().unwrap_or_default() % 4),
        redaction: i32::from(choices.next().unwrap_or_default() % 4),
    }
}

#[test]
fn answers() {
    let context = v1::Context { organization: "acme".into(), user: "bob".into(), ..Default::default() };
    let question = Question::from(&v1::ResolveRequest { context: Some(context.clone()), ..Default::default() });
    let choices = produce_with::<Vec<u8>>().len(0_usize..64);
    bolero::check!().with_test_time(TEST_TIME).with_generator(choices).for_each(|choices: &Vec<u8>| {
        let mut choices = choices.iter().copied();
        let count = choices.next().unwrap_or_default() % 3;
        let answer = v1::ResolveResponse {
            secrets: (0..count).map(|_| secret(&mut choices)).collect(),
            etag: "etag".into(),
            revision: "1.9a1e2d4c-0f4b-4a57-8d0e-1c7f7b1d9a55".into(),
            context: Some(context.clone()),
            ..Default::default()
        };
        let sent = answer.secrets.len();
        match ResolvedSet::check(answer, &question) {
            Ok(set) => {
                assert_eq!(set.secrets.len() + set.left_out.len(), sent);
                set.secrets.iter().for_each(|secret| is_harmless(secret.secret_id().as_str(), &secret.target));
                // What was checked is accepted again.
                let again = ResolvedSet::check(set.to_response(), &question).unwrap();
                assert_eq!(again.to_response(), set.to_response());
            }
            Err(broken) => assert!(broken.to_string().len() <= 2_048, "{broken}"),
        }
    });
}

/// Nothing that takes over the program which gets it.
fn is_harmless(name: &str, target: &Target) {
    match target.kind() {
        TargetKind::EnvironmentVariable => {
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name:?}");
            assert!(reserved::environment(name).is_none_or(|reserved| reserved.grade != Grade::Hard), "{name}");
        }
        TargetKind::File => {
            let Target::File { path, mode } = target else { return };
            let climbs = path.as_str().split('/').any(|segment| segment == "..");
            assert!(!climbs && !path.as_str().contains(char::is_control), "{path:?}");
            assert_eq!(mode.bits() & !0o775, 0, "{path:?}");
        }
        TargetKind::Registry | TargetKind::ApiOnly => {}
    }
}

#[test]
fn damaged_messages() {
    let question = Question::from(&v1::ResolveRequest::default());
    bolero::check!().with_test_time(TEST_TIME).for_each(|bytes: &[u8]| {
        if let Ok(answer) = v1::ResolveResponse::decode(bytes) {
            let _ = ResolvedSet::check(answer, &question);
        }
    });
}
