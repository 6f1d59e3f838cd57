//! Small closed sets of words, each with one stable spelling for stores and tools.

/// A text that is none of the words of its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {noun}; expected one of `{}`", expected.join("`, `"))]
pub struct InvalidEnumValue {
    /// What the word should have named, for instance `scope kind`.
    pub noun: &'static str,
    /// The words that exist.
    pub expected: &'static [&'static str],
}

/// Gives a field-less enum `ALL`, `as_str` and `FromStr` over one table of words.
macro_rules! wire_enum {
    ($type:ident, $noun:literal, { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable spelling, as the API's enums and the store write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::wire_enum::InvalidEnumValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::wire_enum::InvalidEnumValue { noun: $noun, expected: &[$($word),+] }),
                }
            }
        }
    };
}

pub(crate) use wire_enum;
