//! `Debug` of messages that carry a value, a token or a code, generated from `debug_redact` by `build.rs`.

const REDACTED: Redacted = Redacted;

/// Prints without quotes, so that no value can look like it.
struct Redacted;

impl std::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

include!(concat!(env!("OUT_DIR"), "/redacted_debug.rs"));

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

    use crate::v1;

    include!(concat!(env!("OUT_DIR"), "/debug_by_name.rs"));

    const SECRET: &str = "canary-4f1d";
    const PLAIN: &str = "plain-77";

    #[test]
    fn no_message_prints_a_value_a_token_or_a_code() {
        let pool = DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).unwrap();
        let bytes = format!("{:?}", SECRET.as_bytes());
        let bytes = bytes.trim_matches(['[', ']']);
        let mut with_secrets = 0;
        for message in pool.all_messages().filter(|message| message.package_name() == "secretsapi.v1") {
            if message.is_map_entry() {
                continue;
            }
            let members = message.oneofs().map(|oneof| oneof.fields().len()).max().unwrap_or(1);
            for member in 0..members.max(2) {
                let filled = filled(&message, member).encode_to_vec();
                let printed = debug_by_name(message.full_name(), &filled).unwrap();
                assert!(!printed.contains(SECRET) && !printed.contains(bytes), "{printed}");
                let carries = |text: &str| filled.windows(text.len()).any(|window| window == text.as_bytes());
                assert_eq!(printed.contains("<redacted>"), carries(SECRET), "{printed}");
                assert_eq!(printed.contains(PLAIN), carries(PLAIN), "{printed}");
                with_secrets += usize::from(carries(SECRET));
            }
        }
        assert!(with_secrets >= 20, "{with_secrets} messages with a secret, nested ones included");
    }

    #[test]
    fn what_is_not_secret_is_printed_as_it_is() {
        let resolved =
            v1::ResolvedSecret { secret_id: "A".into(), value: b"x".to_vec(), version: 7, ..Default::default() };
        let printed = format!("{resolved:?}");
        assert!(printed.starts_with("ResolvedSecret { secret: \"\", secret_id: \"A\""), "{printed}");
        assert!(printed.contains("value: <redacted>") && printed.contains("version: 7"), "{printed}");
        let value = v1::SecretValue { value: Some(v1::secret_value::Value::Text("x".into())) };
        assert_eq!(format!("{value:?}"), "SecretValue { value: Some(Text(<redacted>)) }");
    }

    /// A message with every field set, at any depth, and of each oneof the member with this number.
    fn filled(message: &MessageDescriptor, member: usize) -> DynamicMessage {
        let mut filled = DynamicMessage::new(message.clone());
        for field in message.fields() {
            let chosen = field.containing_oneof().is_none_or(|oneof| {
                let chosen = oneof.fields().nth(member % oneof.fields().len());
                chosen.as_ref() == Some(&field)
            });
            if chosen && let Some(value) = value(&field, member) {
                filled.set_field(&field, value);
            }
        }
        filled
    }

    fn value(field: &FieldDescriptor, member: usize) -> Option<Value> {
        let redact = field.options().get_field_by_name("debug_redact").is_some_and(|set| set.as_bool() == Some(true));
        let text = if redact { SECRET } else { PLAIN };
        let one = match field.kind() {
            Kind::String => Value::String(text.into()),
            Kind::Bytes => Value::Bytes(text.into()),
            Kind::Message(entry) if entry.is_map_entry() => {
                let value = value(&entry.map_entry_value_field(), member)?;
                return Some(Value::Map([(MapKey::String(text.into()), value)].into()));
            }
            Kind::Message(inner) if inner.package_name() == "secretsapi.v1" => Value::Message(filled(&inner, member)),
            _ => return None,
        };
        Some(if field.is_list() { Value::List(vec![one]) } else { one })
    }
}
