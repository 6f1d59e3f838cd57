//! What a person types: arguments that several commands share, the values that they hold, and help after a mistyped word.

pub(crate) mod executable;
pub(crate) mod global;
mod leading;
pub(crate) mod scope;
pub(crate) mod suggest;
pub(crate) mod target;
pub(crate) mod time;
pub(crate) mod unmask;
pub(crate) mod value;
