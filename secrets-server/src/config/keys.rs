//! Every key there is. To add one: a line here, a field in `raw.rs`, its check in `config.rs`.

use config::{Value, ValueKind};

use super::InvalidConfig;

/// The keys of single values; `[]` stands for any element of a list.
const KEYS: [&str; 43] = [
    "data_dir",
    "listen",
    "insecure",
    "tls.cert",
    "tls.key",
    "listeners[].address",
    "listeners[].services",
    "listeners[].insecure",
    "listeners[].tls.cert",
    "listeners[].tls.key",
    "database.url",
    "database.max_connections",
    "root_key.file",
    "limits.connections",
    "limits.handshake_seconds",
    "limits.idle_seconds",
    "limits.request_seconds",
    "limits.response_seconds",
    "limits.pending_request_mib",
    "limits.reflection_seconds",
    "limits.code_attempts_per_minute",
    "limits.calls",
    "limits.calls_per_person",
    "limits.calls_per_service_account",
    "limits.rate_per_person",
    "limits.rate_per_service_account",
    "limits.watches",
    "limits.watches_per_person",
    "limits.watches_per_service_account",
    "limits.sessions_per_session",
    "limits.sessions_per_person",
    "limits.sessions_per_service_account",
    "sessions.renewable_days",
    "retention.audit_changes_days",
    "retention.audit_deliveries_days",
    "retention.audit_reads_days",
    "retention.audit_refusals_days",
    "retention.deleted_organizations_days",
    "retention.request_ids_hours",
    "retention.request_ids_per_principal",
    "log.format",
    "log.level",
    "listeners",
];

/// Whether `key` holds one value that the environment can give: those inside lists can't.
pub(crate) fn is_scalar(key: &str) -> bool {
    key != "listeners" && !key.contains('[') && KEYS.contains(&key)
}

/// The keys that the environment can give.
pub(crate) fn scalars() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().filter(|key| is_scalar(key))
}

/// Refuses a key that means nothing, anywhere below `table`.
pub(crate) fn check(table: &config::Map<String, Value>, origin: &str) -> Result<(), InvalidConfig> {
    // Sorted, so that of several mistakes the same one is reported every time.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.as_str());
    entries.into_iter().try_for_each(|(key, value)| check_value(key, value, origin))
}

fn check_value(key: &str, value: &Value, origin: &str) -> Result<(), InvalidConfig> {
    let is_section = KEYS.iter().any(|known| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')));
    match &value.kind {
        ValueKind::Table(table) if is_section => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(child, _)| child.as_str());
            entries.into_iter().try_for_each(|(child, value)| check_value(&format!("{key}.{child}"), value, origin))
        }
        ValueKind::Array(elements) if key == "listeners" => {
            elements.iter().try_for_each(|element| check_value("listeners[]", element, origin))
        }
        ValueKind::Table(_) if KEYS.contains(&key) => Err(wrong_type(key, origin, "a value")),
        _ if key == "listeners" => Err(wrong_type(key, origin, "a list of tables, each headed by `[[listeners]]`")),
        _ if is_section => Err(wrong_type(key, origin, "a table")),
        _ if KEYS.contains(&key) => Ok(()),
        _ => Err(unknown(key, origin)),
    }
}

fn wrong_type(key: &str, origin: &str, expected: &str) -> InvalidConfig {
    InvalidConfig::WrongType { key: key.to_owned(), origin: origin.to_owned(), expected: expected.to_owned() }
}

fn unknown(key: &str, origin: &str) -> InvalidConfig {
    InvalidConfig::UnknownKey { key: key.to_owned(), origin: origin.to_owned(), known: siblings(key) }
}

/// The keys of the section that `key` is in.
fn siblings(key: &str) -> String {
    let section = key.rsplit_once('.').map_or(String::new(), |(section, _)| format!("{section}."));
    let mut names: Vec<&str> = Vec::new();
    for rest in KEYS.iter().filter_map(|known| known.strip_prefix(section.as_str())) {
        let name = rest.split(['.', '[']).next().unwrap_or(rest);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.iter().map(|name| format!("`{section}{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use config::{File, FileFormat, Source};

    use super::*;

    fn error(text: &str) -> String {
        let table = File::from_str(text, FileFormat::Toml).collect().unwrap();
        check(&table, "`server.toml`").err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn accepts_every_known_key() {
        let text = "data_dir = 'd'\nlisten = 'a'\ninsecure = true\n[tls]\ncert = 'c'\nkey = 'k'\n\
                    [database]\nurl = 'u'\nmax_connections = 3\n[root_key]\nfile = 'f'\n[limits]\nconnections = 1\nhandshake_seconds = 1\nidle_seconds = 1\nrequest_seconds = 1\npending_request_mib = 1\nreflection_seconds = 1\ncode_attempts_per_minute = 1\n\
                    calls = 1\ncalls_per_person = 1\ncalls_per_service_account = 1\nrate_per_person = 1\nrate_per_service_account = 1\nwatches = 1\nwatches_per_person = 1\nwatches_per_service_account = 1\nsessions_per_session = 1\nsessions_per_person = 1\nsessions_per_service_account = 1\n\
                    [sessions]\nrenewable_days = 3\n[log]\nformat = 'json'\nlevel = 'info'\n\
                    [[listeners]]\naddress = 'a'\nservices = ['resolve']\ninsecure = false\ntls = { cert = 'c', key = 'k' }";
        assert_eq!(error(text), "");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_origin_and_the_known_ones() {
        for (text, parts) in [
            ("datadir = 'x'", ["`datadir`", "`server.toml`", "`data_dir`"]),
            ("[database]\nuri = 'x'", ["`database.uri`", "`server.toml`", "`database.url`"]),
            ("[[listeners]]\nadress = 'x'", ["`listeners[].adress`", "`server.toml`", "`listeners[].address`"]),
            ("[[listeners]]\ntls.ca = 'x'", ["`listeners[].tls.ca`", "`server.toml`", "`listeners[].tls.cert`"]),
            ("[caches]\nbytes = 1", ["`caches`", "`server.toml`", "`listen`"]),
        ] {
            let message = error(text);
            assert!(parts.iter().all(|part| message.contains(part)), "{text}: {message}");
        }
    }

    #[test]
    fn a_section_that_is_a_value_is_refused_without_showing_it() {
        let message = error("database = 'postgres://app:hunter2@db/secrets'");
        assert!(message.contains("`database`") && message.contains("a table"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
