//! Fuzz targets of the decoders that strangers reach: three seconds each in a test run. `BOLERO_RANDOM_TEST_TIME_MS` makes it
//! longer, and `cargo bolero test NAME` runs one under a fuzzer that follows the code's branches.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use bolero::generator::{ValueGenerator, produce_with};
use secrets_core::dotenv::{self, Entry};
use secrets_core::import;
use secrets_core::{
    AllowedReserved, BindingName, FilePath, Limits, NamePolicy, OrganizationName, PrincipalName, ProjectName,
    RegistryHost, RegistryUsername, RoleResourceName, ScopeName, SecretId, SecretName, SessionName, Target, TokenName,
    UserName, WorkspaceName,
};

const TEST_TIME: Duration = Duration::from_secs(3);

/// Texts made of what the parsers look for, so that more than a few get beyond the first character.
fn texts(pieces: &'static [&'static str]) -> impl ValueGenerator<Output = String> {
    let choices = produce_with::<Vec<u8>>().len(0_usize..40);
    choices.map_gen(|choices| choices.iter().map(|choice| pieces[usize::from(*choice) % pieces.len()]).collect())
}

/// Whatever is read is written back as it was, and whatever is refused is refused in a few words.
fn writes_what_it_reads<T: FromStr<Err: Display> + Display + Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(parsed) => assert_eq!(parsed.to_string(), text),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() <= 1_024 && !message.contains(char::is_control), "{message:?}");
        }
    }
}

#[test]
fn resource_names() {
    const PIECES: &[&str] = &[
        "organizations/",
        "acme",
        "/projects/",
        "api",
        "/workspaces/",
        "ws1",
        "/users/",
        "bob@example.com",
        "/secrets/",
        "API_KEY",
        "serviceAccounts/",
        "/tokens/",
        "/sessions/",
        "/bindings/",
        "9a1e2d4c-0f4b-4a57-8d0e-1c7f7b1d9a55",
        "platform",
        "/",
        "..",
        "%2f",
        "A",
        "-",
        ".",
        "\0",
        "\u{202e}",
        "é",
    ];
    bolero::check!().with_test_time(TEST_TIME).with_generator(texts(PIECES)).for_each(|text: &String| {
        writes_what_it_reads::<ScopeName>(text);
        writes_what_it_reads::<OrganizationName>(text);
        writes_what_it_reads::<ProjectName>(text);
        writes_what_it_reads::<WorkspaceName>(text);
        writes_what_it_reads::<UserName>(text);
        writes_what_it_reads::<SecretName>(text);
        writes_what_it_reads::<PrincipalName>(text);
        writes_what_it_reads::<RoleResourceName>(text);
        writes_what_it_reads::<TokenName>(text);
        writes_what_it_reads::<SessionName>(text);
        writes_what_it_reads::<BindingName>(text);
    });
}

#[test]
fn targets() {
    const PIECES: &[&str] = &[
        "/",
        "~/",
        "..",
        ".",
        "a",
        "etc",
        "proc",
        ".ssh",
        "config",
        "ghcr.io",
        "docker.io",
        "index.docker.io/v1/",
        "https://",
        ":",
        "443",
        "[::1]",
        "127.0.0.1",
        "-",
        "_",
        "@",
        " ",
        "\0",
        "\n",
        "é",
        "A",
        "registry-1.",
    ];
    bolero::check!().with_test_time(TEST_TIME).with_generator(texts(PIECES)).for_each(|text: &String| {
        writes_what_it_reads::<FilePath>(text);
        writes_what_it_reads::<RegistryUsername>(text);
        if let Ok(host) = text.parse::<RegistryHost>() {
            // A host may be spelled in several ways; the one that is kept stays.
            assert_eq!(host.as_str().parse::<RegistryHost>().unwrap(), host);
        }
    });
}

#[test]
fn dotenv_documents() {
    const PIECES: &[&str] = &[
        "NAME",
        "export ",
        "=",
        "'",
        "\"",
        "`",
        "\\",
        "\n",
        "\r\n",
        "\r",
        "#",
        " ",
        "\t",
        "$",
        "${A}",
        "value",
        "\u{feff}",
        "é",
        "\0",
        "a.b-c",
        "\\n",
        "\"two\nlines\"",
        "`two\nlines`",
        "TUlJRXZRSUJBREFOQmdr",
        "Q2FuYXJ5eA==",
        "-----BEGIN X-----",
    ];
    bolero::check!().with_test_time(TEST_TIME).with_generator(texts(PIECES)).for_each(|document: &String| {
        let lines = document.split('\n').count();
        match dotenv::parse(document.as_bytes()) {
            Ok(entries) => {
                assert!(entries.iter().all(|entry| (1..=lines).contains(&entry.line())));
                reads_back(&entries);
            }
            Err(error) => assert!((1..=lines).contains(&error.line), "{error}"),
        }
    });
}

/// What is read and can be written is read again.
fn reads_back(entries: &[Entry]) {
    for entry in entries {
        let Ok(name) = SecretId::parse(entry.key(), NamePolicy::Relaxed) else { continue };
        let Ok(document) = dotenv::write(&[(&name, entry.value().as_bytes())]) else { continue };
        let read = dotenv::parse(document.as_bytes()).unwrap();
        assert_eq!(
            read.iter().map(|entry| (entry.key(), entry.value())).collect::<Vec<_>>(),
            [(entry.key(), entry.value())]
        );
    }
}

/// What a review says is of names alone, and no two entries get one.
#[test]
fn import_reviews() {
    const PIECES: &[&str] = &[
        "A=",
        "a=",
        "a-b=",
        "A_B=",
        "path=",
        "PATH=",
        "2=",
        "_2=",
        "x",
        "op://v/i",
        "{{x}}",
        "${X}",
        "ENC[",
        "]",
        "vault:a/b",
        "encrypted:",
        "\n",
        "\n",
        "\n",
        "'",
        "`",
        "\"",
        " ",
        "sses_",
    ];
    let existing = BTreeMap::from([(SecretId::parse("A_B", NamePolicy::Strict).unwrap(), Target::ApiOnly)]);
    bolero::check!().with_test_time(TEST_TIME).with_generator(texts(PIECES)).for_each(|document: &String| {
        let Ok(entries) = dotenv::parse(document.as_bytes()) else { return };
        let rules = import::Rules {
            existing: &existing,
            only: &BTreeSet::new(),
            name_policy: NamePolicy::Strict,
            allowed_reserved: &AllowedReserved::default(),
            conflict_policy: import::ConflictPolicy::Overwrite,
            on_rejected: import::RejectedPolicy::Skip,
            literal: false,
            rename: true,
            limits: Limits::default(),
        };
        let review = import::review(&entries, &rules).unwrap();
        let names: Vec<_> = review.entries.iter().filter_map(|entry| entry.secret_id.as_ref()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for (reviewed, entry) in review.entries.iter().zip(&entries) {
            let is_renamed = reviewed.secret_id.as_ref().is_some_and(|name| name.as_str() != entry.key());
            assert!(!is_renamed || !existing.contains_key(reviewed.secret_id.as_ref().unwrap()));
            let is_reference = import::Reference::find(entry.value()).is_some();
            assert!(!is_reference || reviewed.secret_id.is_none());
        }
    });
}

#[test]
fn dotenv_bytes() {
    bolero::check!().with_test_time(TEST_TIME).for_each(|document: &[u8]| {
        if let Ok(entries) = dotenv::parse(document) {
            reads_back(&entries);
        }
    });
}
