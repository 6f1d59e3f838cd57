//! The names that prost gives to what a descriptor names.

use protox::prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, OneofDescriptor};

/// The package whose types are generated into `crate::v1`.
pub(super) const PACKAGE: &str = "secretsapi.v1";

/// The package's messages, without the entries of maps, which are no types of their own in Rust.
pub(super) fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> + '_ {
    pool.all_messages().filter(|message| message.package_name() == PACKAGE && !message.is_map_entry())
}

/// `crate::v1::outer::Inner`.
pub(super) fn message(message: &MessageDescriptor) -> String {
    format!("{}::{}", module(message.parent_message()), message.name())
}

/// `crate::v1::import_secrets_request::Source`.
pub(super) fn oneof(oneof: &OneofDescriptor) -> String {
    format!("{}::{}", module(Some(oneof.parent_message().clone())), camel_case(oneof.name()))
}

/// `Dotenv`, the variant of a field in its oneof.
pub(super) fn variant(field: &FieldDescriptor) -> String {
    camel_case(field.name())
}

/// The module of what is nested in `outer`.
fn module(outer: Option<MessageDescriptor>) -> String {
    match outer {
        None => "crate::v1".to_owned(),
        Some(outer) => format!("{}::{}", module(outer.parent_message()), snake_case(outer.name())),
    }
}

fn camel_case(snake: &str) -> String {
    let word = |word: &str| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
    snake.split('_').map(word).collect()
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
