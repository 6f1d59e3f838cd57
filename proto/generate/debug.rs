//! `Debug` of messages and oneofs that have a field marked `debug_redact`: every other field, and `<redacted>` in its place.

use std::fmt::Write as _;

use protox::prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, OneofDescriptor};

use super::rust;

/// The messages that prost must not derive `Debug` for; it takes their oneofs for meant too.
pub fn redacted_paths(pool: &DescriptorPool) -> Vec<String> {
    redacted_messages(pool).map(|message| format!(".{}", message.full_name())).collect()
}

/// An implementation for each of them, and for their oneofs.
pub fn redacted(pool: &DescriptorPool) -> String {
    let mut code = String::new();
    for message in redacted_messages(pool) {
        code += &message_debug(&message);
        code.extend(message.oneofs().map(|oneof| oneof_debug(&oneof)));
    }
    code
}

/// For the test that nothing is printed: the `Debug` of every message, by its full name, from its encoding.
pub fn by_name(pool: &DescriptorPool) -> String {
    let mut arms = String::new();
    for message in rust::messages(pool) {
        let (name, path) = (message.full_name(), rust::message(&message));
        let _ =
            writeln!(arms, "        {name:?} => format!(\"{{:?}}\", <{path} as prost::Message>::decode(encoded)?),");
    }
    format!(
        "fn debug_by_name(name: &str, encoded: &[u8]) -> Result<String, prost::DecodeError> {{\n    Ok(match name {{\n{arms}        \
         _ => unreachable!(\"no message `{{name}}`\"),\n    }})\n}}\n"
    )
}

fn redacted_messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> + '_ {
    rust::messages(pool).filter(|message| message.fields().any(|field| is_redacted(&field)))
}

fn is_redacted(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").is_some_and(|redact| redact.as_bool() == Some(true))
}

fn message_debug(message: &MessageDescriptor) -> String {
    let mut fields = String::new();
    for field in message.fields().filter(|field| field.containing_oneof().is_none()) {
        let name = field.name();
        let value = if is_redacted(&field) { "&REDACTED".to_owned() } else { format!("&self.{name}") };
        let _ = write!(fields, ".field({name:?}, {value})");
    }
    for oneof in message.oneofs() {
        let _ = write!(fields, ".field({0:?}, &self.{0})", oneof.name());
    }
    implementation(&rust::message(message), &format!("f.debug_struct({:?}){fields}.finish()", message.name()))
}

fn oneof_debug(oneof: &OneofDescriptor) -> String {
    let mut arms = String::new();
    for field in oneof.fields() {
        let variant = rust::variant(&field);
        let (binding, value) = if is_redacted(&field) { ("_", "&REDACTED") } else { ("value", "value") };
        let _ = write!(arms, "Self::{variant}({binding}) => f.debug_tuple({variant:?}).field({value}).finish(),");
    }
    implementation(&rust::oneof(oneof), &format!("match self {{ {arms} }}"))
}

fn implementation(path: &str, body: &str) -> String {
    format!(
        "impl std::fmt::Debug for {path} {{\n    \
             fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n        {body}\n    }}\n}}\n\n"
    )
}
