//! Prints `rules.json`: the rules of an answer of `Resolve` as data, for clients in languages that core is not there for.
//!
//! ```shell
//! cargo run --example rules > secrets-core/rules.json
//! ```
//!
//! A pattern is for a whole text, in what all regular expressions have in common. `tests/policy/rules.rs` compares file and core.

use std::collections::BTreeMap;

use secrets_core::reserved::{self, Reserved};
use secrets_core::text::is_invisible;
use secrets_core::{Limits, Redaction, ScopeKind, TargetKind};
use serde_json::{Value, json};

#[allow(dead_code, reason = "the test that compares it has a main function of its own")]
fn main() {
    println!("{:#}", rules());
}

/// The content of `rules.json`.
pub(crate) fn rules() -> Value {
    let limits = Limits::default();
    json!({
        "about": "Generated from secrets-core by examples/rules.rs; do not edit.",
        "rules": sentences(),
        "limits": {
            "secrets": ScopeKind::ALL.len() as u64 * limits.secrets_per_scope,
            "value_bytes": limits.value_bytes,
            "path_bytes": 4096,
            "path_part_bytes": 255,
            "user_bytes": 128,
            "registry_host_bytes": 253,
            "registry_username_bytes": 256,
            "mode_bits": 0o777,
            "mode_bits_refused": 0o002,
            "first_second": -62_135_596_800_i64,
            "last_second": 253_402_300_799_i64,
        },
        "patterns": patterns(),
        "invisible": ranges(is_invisible),
        "target_kinds": TargetKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "scopes": ScopeKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "redactions": Redaction::ALL.iter().map(|redaction| redaction.as_str()).collect::<Vec<_>>(),
        "reserved": { "variables": groups(reserved::variables()), "paths": groups(reserved::paths()) },
    })
}

/// What each rule demands, behind the name of a secret or alone.
fn sentences() -> Value {
    json!({
        "context": "context must be valid, and the one that was asked for",
        "destination": "no two secrets may have the same target",
        "environment_bytes": "environment_bytes must not be negative",
        "etag": "etag must be 1 to 256 visible ASCII characters",
        "event_order": "a watch must begin with the whole set, or with nothing new for a known etag, and go on with changes",
        "expire_time": "expire_time must be a time of the years 1 to 9999",
        "missing": "a required name must be there",
        "mode": "mode must have no bits outside 0777, and not let everybody write",
        "name": "a name must be 1 to 127 characters of `A-Z`, `a-z`, `0-9` and `_`, not starting with a digit",
        "next_change_time": "next_change_time must be a time of the years 1 to 9999",
        "not_modified": "not_modified must answer the etag of an earlier answer, and come without secrets",
        "not_requested": "a secret must have been asked for, by its name and by its kind of target",
        "path": "path must start with `/` or `~/`, and have visible characters and no `..`, `.` or empty parts",
        "registry_host": "registry host must be a DNS name in lower case or an IP address, with a port if need be",
        "registry_username": "registry user name must be 1 to 256 bytes of visible characters without `:`",
        "repeated": "a name must be there once",
        "reserved": "a variable or path that runs code must not be there",
        "resource": "resource path must be that of the name, in the scope and in the context",
        "revision": "revision must be 1 to 256 visible ASCII characters",
        "target": "target must be set",
        "too_many": "there must be at most 4000 secrets",
        "unknown": "a secret that was asked for must have a known kind of target, kind of scope and redaction",
        "value": "value must be 1 to 65536 bytes, and that of a variable UTF-8 without NUL",
        "version": "version must be at least 1",
    })
}

fn patterns() -> Value {
    let slug = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
    let port = "(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?";
    let byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    json!({
        "name": "[A-Za-z_][A-Za-z0-9_]{0,126}",
        "organization": slug,
        "project": slug,
        "workspace": slug,
        "user": r"[A-Za-z0-9](?:\.?[A-Za-z0-9_@+-])*\.?",
        "token": "[!-~]{1,256}",
        // A host is a DNS name whose last part is no number, or an address.
        "registry_dns": format!(r"{slug}(?:\.{slug})*{port}"),
        "registry_number": format!(r"(?:[^:]*\.)?[0-9][0-9a-fx]*{port}"),
        "registry_ipv4": format!(r"{byte}(?:\.{byte}){{3}}{port}"),
        "registry_ipv6": format!(r"\[{}\]{port}", ipv6(byte)),
    })
}

/// RFC 4291 §2.2 in lower case: eight groups, of which `::` stands for some.
fn ipv6(byte: &str) -> String {
    let group = "[0-9a-f]{1,4}";
    let short = (1..7).map(|before| format!("(?:{group}:){{1,{before}}}(?::{group}){{1,{}}}", 7 - before));
    let ends = [format!("(?:{group}:){{7}}{group}"), format!("(?:{group}:){{1,7}}:"), format!(":(?::{group}){{1,7}}")];
    let mapped = format!(r"::ffff:{byte}(?:\.{byte}){{3}}");
    let all: Vec<String> = ends.into_iter().chain(short).chain(["::".to_owned(), mapped]).collect();
    format!("(?:{})", all.join("|"))
}

/// The code points that `wanted` picks, as pairs of the first and the last of a range.
fn ranges(wanted: fn(char) -> bool) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for c in ('\0'..=char::MAX).filter(|c| wanted(*c)).map(u32::from) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == c => *last = c,
            _ => ranges.push((c, c)),
        }
    }
    ranges
}

/// The rows, by what they have in common.
fn groups(rows: impl Iterator<Item = &'static Reserved>) -> Value {
    let mut groups: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in rows {
        groups.entry((row.grade.as_str(), row.reason)).or_default().push(row.pattern);
    }
    let group = |((grade, reason), patterns)| json!({ "grade": grade, "reason": reason, "patterns": patterns });
    groups.into_iter().map(group).collect()
}
