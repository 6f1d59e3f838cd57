//! `rules.json`, which the clients in other languages go by: it is core's, and says what core says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use regex::Regex;
use secrets_core::target::FilePath;
use secrets_core::{FileMode, NamePolicy, ProjectId, RegistryHost, RegistryUsername, SecretId, UserId};
use serde_json::Value;

#[path = "../../examples/rules.rs"]
mod example;

#[test]
fn the_file_is_what_core_has_to_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(file == example::rules(), "run `cargo run --example rules > secrets-core/rules.json`");
}

#[test]
fn a_limit_is_the_last_that_core_accepts() {
    let rules = example::rules();
    let limits = &rules["limits"];
    let accepted = |limit: &str, accepts: &dyn Fn(usize) -> bool| {
        let limit = usize::try_from(limits[limit].as_u64().unwrap()).unwrap();
        accepts(limit) && !accepts(limit + 1)
    };
    let long_path =
        |length: usize| format!("/{}", "a/".repeat(2048)).chars().take(length - 1).collect::<String>() + "b";
    assert!(accepted("path_bytes", &|length| long_path(length).parse::<FilePath>().is_ok()));
    assert!(accepted("path_part_bytes", &|length| format!("/{}", "a".repeat(length)).parse::<FilePath>().is_ok()));
    assert!(accepted("user_bytes", &|length| "a".repeat(length).parse::<UserId>().is_ok()));
    assert!(accepted("registry_username_bytes", &|length| "a".repeat(length).parse::<RegistryUsername>().is_ok()));
    let long_host = |length: usize| {
        format!("{}{}", if length.is_multiple_of(2) { "aa" } else { "a" }, ".a".repeat((length - 1) / 2))
    };
    assert!(accepted("registry_host_bytes", &|length| long_host(length).parse::<RegistryHost>().is_ok()));
    for mode in 0..=0o7777 {
        let refused = mode & !(limits["mode_bits"].as_u64().unwrap()) != 0
            || mode & limits["mode_bits_refused"].as_u64().unwrap() != 0;
        assert_eq!(FileMode::new(u32::try_from(mode).unwrap()).is_err(), refused, "{mode:o}");
    }
}

static PATTERNS: LazyLock<BTreeMap<String, Regex>> = LazyLock::new(|| {
    let rules = example::rules();
    let patterns = rules["patterns"].as_object().unwrap().iter();
    let whole = |pattern: &Value| Regex::new(&format!("^(?:{})$", pattern.as_str().unwrap())).unwrap();
    patterns.map(|(name, pattern)| (name.clone(), whole(pattern))).collect()
});

/// Whether a whole text matches a pattern of the file.
fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS[pattern].is_match(text)
}

/// As the clients put the patterns together.
fn is_host(text: &str) -> bool {
    (matches("registry_dns", text) && !matches("registry_number", text))
        || matches("registry_ipv4", text)
        || matches("registry_ipv6", text)
}

#[test]
fn a_pattern_accepts_the_hosts_that_core_writes() {
    for text in [
        "ghcr.io",
        "docker.io",
        "localhost:5000",
        "registry",
        "3.example",
        "a-b.c:65535",
        "192.0.2.1",
        "192.0.2.1:1",
        "[::1]",
        "[::]",
        "[2001:db8::1]:5000",
        "[::ffff:192.0.2.1]",
        "[1:2:3:4:5:6:7:8]",
        "[1::8]",
        "[1:2:3:4:5:6::]",
        "0xg",
        "xn--bcher-kva.example",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    ] {
        assert_eq!(text.parse::<RegistryHost>().unwrap().as_str(), text);
        assert!(is_host(text), "{text}");
    }
    for text in [
        "",
        ":1",
        "https://ghcr.io",
        "ghcr.io/",
        "bob@ghcr.io",
        "ghcr..io",
        "-a",
        "a-",
        "a_b",
        "a\n",
        "127.1",
        "0x7f.1",
        "256.0.0.1",
        "127.0.0.01",
        "2130706433",
        "a:0",
        "a:080",
        "a:65536",
        "a:",
        "::1",
        "[::1",
        "[::1]x",
        "[fe80::1%eth0]",
        "[]",
        "[:::]",
        "[1::2::3]",
        "[1:2:3:4:5:6:7:8:9]",
        "[::ffff:256.0.0.1]",
        "GHCR.io",
    ] {
        assert!(!is_host(text), "{text}");
    }
}

proptest! {
    #[test]
    fn a_pattern_accepts_the_names_that_core_accepts(text in "[A-Za-z0-9_.é-]{0,5}|[A-Z]{126,128}") {
        prop_assert_eq!(matches("name", &text), SecretId::parse(&text, NamePolicy::Relaxed).is_ok());
    }

    #[test]
    fn a_pattern_accepts_the_identifiers_that_core_accepts(text in "[a-zA-Z0-9._@+é-]{0,6}|[a-z]{62,64}") {
        prop_assert_eq!(matches("project", &text), text.parse::<ProjectId>().is_ok());
        prop_assert_eq!(matches("user", &text), text.parse::<UserId>().is_ok());
    }

    #[test]
    fn a_pattern_accepts_a_host_only_if_core_does(
        text in "([a-z0-9-]{1,4}\\.){0,2}[a-z0-9]{1,4}(:[0-9]{1,5})?|\\[[0-9a-f:]{2,12}\\]|([0-9]{1,3}\\.){3}[0-9]{1,3}",
    ) {
        let parsed = text.parse::<RegistryHost>();
        if is_host(&text) {
            prop_assert!(parsed.is_ok());
        } else {
            prop_assert!(parsed.is_err());
        }
    }
}
