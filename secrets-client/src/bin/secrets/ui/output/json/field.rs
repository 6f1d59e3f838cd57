//! Values that many messages have.

use prost_types::Timestamp;
use serde_json::Value;

pub(crate) fn time(time: Option<&Timestamp>) -> Value {
    time.map_or(Value::Null, |time| Value::String(time.to_string()))
}

/// The name of an enumeration's value without the prefix that all of them share; `null` when it is not set.
pub(crate) fn word(name: &str, prefix: &str) -> Value {
    match name.strip_prefix(prefix).unwrap_or(name) {
        "UNSPECIFIED" => Value::Null,
        word => Value::String(word.to_owned()),
    }
}

pub(super) fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::String(text.to_owned()) }
}
