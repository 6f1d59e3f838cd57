//! What would become of an entry, and why it would not be imported.

use std::fmt;

use super::reference::Reference;
use super::renaming::Taken;
use crate::dotenv::ValueKind;
use crate::name::{InvalidSecretId, SecretId};
use crate::target::InvalidTarget;
use crate::value::InvalidValue;

/// What would become of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A new secret, delivered as an environment variable.
    Created,
    /// A new version of a secret that exists.
    Updated,
    /// It exists with this very value, and stays as it is. No review says so: whoever knows the values does.
    Unchanged,
    /// It exists and stays as it is.
    SkippedExists,
    /// It has no value.
    SkippedEmpty,
    /// A later entry has the same name.
    OverriddenLater,
    /// It can't be imported.
    Rejected,
    /// It is not among the names to import.
    SkippedNotSelected,
}

crate::wire_enum::wire_enum!(Outcome, "import outcome", {
    Created => "CREATED",
    Updated => "UPDATED",
    Unchanged => "UNCHANGED",
    SkippedExists => "SKIPPED_EXISTS",
    SkippedEmpty => "SKIPPED_EMPTY",
    OverriddenLater => "OVERRIDDEN_LATER",
    Rejected => "REJECTED",
    SkippedNotSelected => "SKIPPED_NOT_SELECTED",
});

/// Why an entry would not be imported, or what to know before it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The name is not valid.
    Name(InvalidSecretId),
    /// The name is not valid, and the entry can't get the one that is suggested.
    Taken {
        /// The one that is suggested.
        name: SecretId,
        /// Why not.
        taken: Taken,
    },
    /// The name is that of a reserved environment variable.
    Target(InvalidTarget),
    /// The value is not valid.
    Value(InvalidValue),
    /// The value is not a text.
    NotText(ValueKind),
    /// The value is a reference of another tool.
    Reference(Reference),
    /// The value has `${…}`; it is imported.
    Expansion,
    /// The secret has this value.
    Unchanged,
    /// The name exists.
    Exists,
    /// The entry on this line has the same name.
    Overridden {
        /// The line, counted from 1.
        by: usize,
    },
    /// There is no value, which keeps what is stored.
    Empty,
    /// The name is not among those to import.
    NotSelected,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Taken { name, taken } => {
                let why = match taken {
                    Taken::Exists => "it exists already",
                    Taken::Reserved => "it is reserved",
                    Taken::ByAnotherEntry => "another entry has it or would get it",
                };
                write!(f, "must be renamed, and not to `{name}`: {why}")
            }
            Self::Target(InvalidTarget::ReservedVariable { reserved, .. }) => reserved.fmt(f),
            Self::Target(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::NotText(ValueKind::Number) => {
                f.write_str("a number, not a text; `stringify` takes it as it is spelled")
            }
            Self::NotText(ValueKind::Boolean) => {
                f.write_str("a boolean, not a text; `stringify` takes it as it is spelled")
            }
            Self::NotText(ValueKind::List) => f.write_str("a list, not a text; write it as one, in quotes"),
            Self::NotText(_) => f.write_str("an object, not a text; write it as one, in quotes"),
            Self::Reference(reference) => write!(f, "{reference}, `literal` takes it as it stands"),
            Self::Expansion => f.write_str(
                "`${…}` is stored as it stands, and nothing replaces it; `literal` says that it is meant so",
            ),
            Self::Unchanged => f.write_str("has this value already; stays as it is"),
            Self::Exists => f.write_str("exists already; the conflict policy `OVERWRITE` replaces its value"),
            Self::Overridden { by } => write!(f, "line {by} has the same name and is used instead"),
            Self::Empty => f.write_str("has no value; what is stored stays as it is"),
            Self::NotSelected => f.write_str("not among the names to import"),
        }
    }
}
