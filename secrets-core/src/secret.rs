//! What is known of a secret beside its name, target and value.

pub(crate) mod labels;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use labels::{InvalidLabel, Labels};

use crate::Uid;
use crate::context::Context;
use crate::text::{Shown, is_deceptive};

/// The length of the longest description, in bytes.
pub(crate) const MAX_DESCRIPTION_BYTES: usize = 1024;
const MAX_GROUP_BYTES: usize = 63;

/// Secrets that are only delivered together from one scope, for instance `aws`: `[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(Box<str>);

/// What people and agents read to choose a secret: at most 1 KiB, possibly empty, without characters that let them read
/// something else than what stands there ([`is_deceptive`]), other than line feed and tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Description(Box<str>);

/// Which contexts an organization's secret reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Every context of the organization.
    #[default]
    All,
    /// Only contexts with one of these projects or workspaces; nobody if there are none.
    Selected {
        /// The uids of the projects.
        projects: BTreeSet<Uid>,
        /// The uids of the workspaces.
        workspaces: BTreeSet<Uid>,
    },
}

/// Whether narrower scopes may replace this secret with one of theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OverridePolicy {
    /// They may.
    #[default]
    Allowed,
    /// They may not; only secrets of organizations and projects can be locked.
    Locked,
}

/// Whether clients mask the value in what they print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Redaction {
    /// They do.
    #[default]
    Default,
    /// They don't, because the value is an ordinary word.
    Off,
}

crate::wire_enum::wire_enum!(OverridePolicy, "override policy", { Allowed => "ALLOWED", Locked => "LOCKED" });
crate::wire_enum::wire_enum!(Redaction, "redaction", { Default => "DEFAULT", Off => "OFF" });

/// Why a text is not a valid group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGroup {
    /// It is empty or longer than 63 bytes.
    #[error("group must be 1 to {MAX_GROUP_BYTES} bytes (got {length})")]
    Length {
        /// Its length in bytes.
        length: usize,
    },
    /// A character is not allowed, or not at its position.
    #[error("invalid {} in group; expected `a-z`, `0-9` and, between its ends, `-` and `_`", Shown(*found))]
    Character {
        /// The first invalid character.
        found: char,
    },
}

/// Why a text is not a valid description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDescription {
    /// It is longer than 1 KiB.
    #[error("description must be at most {MAX_DESCRIPTION_BYTES} bytes (got {length})")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It has a control character, or one that hides or reorders text.
    #[error(
        "invalid {} at byte {at} of description; expected text without characters that hide or reorder it, and without \
         control characters other than line feed and tab",
        Shown(*found)
    )]
    Character {
        /// The first such character.
        found: char,
        /// Its offset in bytes.
        at: usize,
    },
}

impl Group {
    /// The group as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Group {
    type Err = InvalidGroup;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > MAX_GROUP_BYTES {
            return Err(InvalidGroup::Length { length: text.len() });
        }
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        match first_bad(text, alphanumeric, &['-', '_']) {
            Some(found) => Err(InvalidGroup::Character { found }),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Description {
    /// The description as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Description {
    type Err = InvalidDescription;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_DESCRIPTION_BYTES {
            return Err(InvalidDescription::TooLong { length: text.len() });
        }
        match text.char_indices().find(|&(_, c)| is_deceptive(c) && !matches!(c, '\n' | '\t')) {
            Some((at, found)) => Err(InvalidDescription::Character { found, at }),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Visibility {
    /// Whether a secret of the context's own organization with this visibility takes part in `context`.
    pub fn reaches(&self, context: &Context) -> bool {
        match self {
            Self::All => true,
            Self::Selected { projects, workspaces } => {
                context.project.is_some_and(|project| projects.contains(&project))
                    || context.workspace.is_some_and(|workspace| workspaces.contains(&workspace))
            }
        }
    }
}

/// The first character of `text` that is neither `anywhere` nor, between the ends, one of `inside`.
fn first_bad(text: &str, anywhere: impl Fn(char) -> bool, inside: &[char]) -> Option<char> {
    let last = text.len().saturating_sub(1);
    text.char_indices()
        .find(|&(at, c)| !(anywhere(c) || (at != 0 && at != last && inside.contains(&c))))
        .map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_groups() {
        for text in ["aws", "a", "0", "aws-prod_1", &"g".repeat(63)] {
            assert_eq!(text.parse::<Group>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_other_groups() {
        use InvalidGroup::*;
        for (text, error) in [
            ("", Length { length: 0 }),
            (&*"g".repeat(64), Length { length: 64 }),
            ("AWS", Character { found: 'A' }),
            ("-a", Character { found: '-' }),
            ("a_", Character { found: '_' }),
            ("a b", Character { found: ' ' }),
            ("a\0b", Character { found: '\0' }),
            ("\u{0430}ws", Character { found: '\u{0430}' }),
        ] {
            assert_eq!(text.parse::<Group>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn bounds_descriptions_by_bytes() {
        assert!("é".repeat(512).parse::<Description>().is_ok());
        assert_eq!(
            ("é".repeat(512) + "x").parse::<Description>().unwrap_err().to_string(),
            "description must be at most 1024 bytes (got 1025)"
        );
    }

    #[test]
    fn keeps_terminal_commands_out_of_descriptions() {
        assert!("two\nlines\tand a tab".parse::<Description>().is_ok());
        assert_eq!(
            "\u{1b}[2J".parse::<Description>().unwrap_err().to_string(),
            "invalid character U+001B at byte 0 of description; expected text without characters that hide or reorder it, \
             and without control characters other than line feed and tab"
        );
        for hidden in ["a\u{E0041}b", "a\u{202E}b", "a\u{9B}31m", "a\u{2066}b", "a\rb"] {
            assert!(hidden.parse::<Description>().is_err(), "{hidden:?}");
        }
        assert!("👩\u{200D}🔧 ❤\u{FE0F}".parse::<Description>().is_ok());
    }

    #[test]
    fn reaches_whom_it_selects() {
        let [organization, project, workspace, other] = [1, 2, 3, 4].map(Uid::from_u128);
        let context = |project, workspace| Context { organization, project, workspace, user: None };
        let selected = |projects: &[Uid], workspaces: &[Uid]| Visibility::Selected {
            projects: projects.iter().copied().collect(),
            workspaces: workspaces.iter().copied().collect(),
        };
        for (visibility, context, reached) in [
            (Visibility::All, context(None, None), true),
            (selected(&[], &[]), context(Some(project), Some(workspace)), false),
            (selected(&[project], &[]), context(Some(project), None), true),
            (selected(&[project], &[]), context(Some(other), None), false),
            (selected(&[project], &[]), context(None, None), false),
            (selected(&[], &[workspace]), context(None, Some(workspace)), true),
            (selected(&[project], &[workspace]), context(Some(other), Some(workspace)), true),
            (selected(&[workspace], &[project]), context(Some(project), Some(workspace)), false),
        ] {
            assert_eq!(visibility.reaches(&context), reached, "{visibility:?} {context:?}");
        }
    }
}
