//! The identifiers people choose for organizations, projects, workspaces, users and service accounts.
//!
//! They are labels in resource names. What is stored refers to random uids instead, so that whoever is made again under
//! an old identifier inherits nothing.

use std::fmt;
use std::str::FromStr;

use crate::CredentialKind;
use crate::text::Shown;

/// Why a text is not a valid identifier of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", message(*kind, *problem, suggestion.as_deref()))]
pub struct InvalidIdentifier {
    kind: Kind,
    problem: IdentifierProblem,
    suggestion: Option<Box<str>>,
}

/// The rule that an identifier broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierProblem {
    /// It has no characters.
    Empty,
    /// It is longer than its kind may be.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A character is not in the alphabet, or not where it stands.
    Character {
        /// The first invalid character.
        found: char,
        /// Its offset in bytes.
        at: usize,
    },
    /// `..` means a parent folder elsewhere, and nothing here.
    DotDot,
    /// It begins as a credential does: somebody pasted one.
    Credential,
}

impl InvalidIdentifier {
    /// The rule that was broken.
    pub fn problem(&self) -> IdentifierProblem {
        self.problem
    }

    /// The nearest valid identifier, where there is an honest guess: `my-app` for `My App`.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

fn message(kind: Kind, problem: IdentifierProblem, suggestion: Option<&str>) -> String {
    let Kind { noun, rule } = kind;
    let expected = match rule {
        Rule::Slug => "1 to 63 characters of `a-z`, `0-9` and `-`, with a letter or digit at both ends",
        Rule::Login => {
            "1 to 128 characters of `A-Z`, `a-z`, `0-9`, `.`, `_`, `@`, `+` and `-`, with a letter or digit first"
        }
    };
    match problem {
        IdentifierProblem::Empty => format!("{noun} must not be empty; expected {expected}"),
        IdentifierProblem::TooLong { length } => {
            format!("{noun} must be at most {} bytes (got {length})", rule.max_bytes())
        }
        IdentifierProblem::Character { found, at } => match suggestion {
            Some(suggestion) => {
                format!("invalid {} at byte {at} of {noun}; did you mean `{suggestion}`?", Shown(found))
            }
            None => format!("invalid {} at byte {at} of {noun}; expected {expected}", Shown(found)),
        },
        IdentifierProblem::DotDot => format!("{noun} must not contain `..`"),
        IdentifierProblem::Credential => format!("{noun} must not begin as a token does; was one pasted?"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) noun: &'static str,
    pub(crate) rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`, a DNS label in lower case.
    Slug,
    /// `[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}`, which takes e-mail addresses.
    Login,
}

impl Rule {
    const fn max_bytes(self) -> usize {
        match self {
            Self::Slug => 63,
            Self::Login => 128,
        }
    }
}

pub(crate) fn check(text: &str, kind: Kind) -> Result<(), InvalidIdentifier> {
    let Some(problem) = first_problem(text, kind.rule) else { return Ok(()) };
    let suggestion = match problem {
        IdentifierProblem::Character { .. } => suggest(text, kind.rule),
        _ => None,
    };
    Err(InvalidIdentifier { kind, problem, suggestion })
}

/// The identifier that a text of letters, digits, spaces and `-`, `_` and `.` may stand for. Nothing for any other text, since a
/// guess might merge a look-alike with a real name, nor for what begins as a token does.
fn suggest(text: &str, rule: Rule) -> Option<Box<str>> {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    if !text.chars().all(is_usual) || CredentialKind::from_prefix(text.trim_start()).is_some() {
        return None;
    }
    let mut slug = String::with_capacity(text.len() + 4);
    let mut after_lower = false;
    for c in text.trim().chars() {
        match (rule, c) {
            (Rule::Login, ' ') => slug.push('.'),
            (Rule::Login, _) => slug.push(c),
            (Rule::Slug, ' ' | '_' | '.' | '-') if slug.ends_with('-') => {}
            (Rule::Slug, ' ' | '_' | '.') => slug.push('-'),
            (Rule::Slug, 'A'..='Z') if after_lower => slug.extend(['-', c.to_ascii_lowercase()]),
            (Rule::Slug, _) => slug.push(c.to_ascii_lowercase()),
        }
        after_lower = c.is_ascii_lowercase();
    }
    let slug = slug.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (first_problem(slug, rule).is_none() && slug != text).then(|| slug.into())
}

fn first_problem(text: &str, rule: Rule) -> Option<IdentifierProblem> {
    if text.is_empty() {
        Some(IdentifierProblem::Empty)
    } else if text.len() > rule.max_bytes() {
        Some(IdentifierProblem::TooLong { length: text.len() })
    } else if let Some((at, found)) = first_bad(text, rule) {
        Some(IdentifierProblem::Character { found, at })
    } else if text.contains("..") {
        Some(IdentifierProblem::DotDot)
    } else if CredentialKind::from_prefix(text).is_some() {
        Some(IdentifierProblem::Credential)
    } else {
        None
    }
}

fn first_bad(text: &str, rule: Rule) -> Option<(usize, char)> {
    let last = text.len() - 1;
    text.char_indices().find(|&(at, c)| match rule {
        Rule::Slug => !(c.is_ascii_lowercase() || c.is_ascii_digit() || (c == '-' && at != 0 && at != last)),
        Rule::Login => !(c.is_ascii_alphanumeric() || (at != 0 && matches!(c, '.' | '_' | '@' | '+' | '-'))),
    })
}

/// A newtype over text that [`check`] accepted.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The identifier as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidIdentifier;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                check(text, Kind { noun: $noun, rule: $rule })?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// An organization: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
    OrganizationId, "organization identifier", Rule::Slug
}
identifier! {
    /// A project of an organization: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
    ProjectId, "project identifier", Rule::Slug
}
identifier! {
    /// A workspace of an organization: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
    WorkspaceId, "workspace identifier", Rule::Slug
}
identifier! {
    /// A person in an organization: `[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}` without `..`, and not beginning as a token does; case matters.
    UserId, "user identifier", Rule::Login
}
identifier! {
    /// A service account of an organization or of the platform: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
    ServiceAccountId, "service account identifier", Rule::Slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_slugs() {
        let longest = "a".repeat(63);
        for text in ["a", "0", "acme", "a-b", "a--b", "team-42", &longest] {
            assert_eq!(text.parse::<ProjectId>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_slug() {
        use IdentifierProblem::*;
        for (text, problem) in [
            ("", Empty),
            (&*"a".repeat(64), TooLong { length: 64 }),
            ("-a", Character { found: '-', at: 0 }),
            ("a-", Character { found: '-', at: 1 }),
            ("-", Character { found: '-', at: 0 }),
            ("Acme", Character { found: 'A', at: 0 }),
            ("a_b", Character { found: '_', at: 1 }),
            ("..", Character { found: '.', at: 0 }),
            ("a%2e", Character { found: '%', at: 1 }),
            ("a\0", Character { found: '\0', at: 1 }),
            ("\u{0430}cme", Character { found: '\u{0430}', at: 0 }), // CYRILLIC SMALL LETTER A
            ("acme ", Character { found: ' ', at: 4 }),
            ("acme\n", Character { found: '\n', at: 4 }),
        ] {
            assert_eq!(text.parse::<OrganizationId>().unwrap_err().problem(), problem, "{text:?}");
        }
    }

    #[test]
    fn accepts_logins() {
        let longest = "u".repeat(128);
        for text in ["bob", "Bob", "bob@example.com", "b.o_b+x-1", "0", &longest] {
            assert_eq!(text.parse::<UserId>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_login() {
        use IdentifierProblem::*;
        for (text, problem) in [
            ("", Empty),
            (&*"u".repeat(129), TooLong { length: 129 }),
            (".bob", Character { found: '.', at: 0 }),
            ("@bob", Character { found: '@', at: 0 }),
            ("..", Character { found: '.', at: 0 }),
            ("a..b", DotDot),
            ("sper_0123456789", Credential),
            ("bob/x", Character { found: '/', at: 3 }),
            ("bob%40x", Character { found: '%', at: 3 }),
            ("b\u{043E}b", Character { found: '\u{043E}', at: 1 }), // CYRILLIC SMALL LETTER O
        ] {
            assert_eq!(text.parse::<UserId>().unwrap_err().problem(), problem, "{text:?}");
        }
    }

    #[test]
    fn says_which_rule_broke_and_what_is_expected() {
        assert_eq!(
            "a/b".parse::<OrganizationId>().unwrap_err().to_string(),
            "invalid character `/` at byte 1 of organization identifier; expected 1 to 63 characters of `a-z`, `0-9` and \
             `-`, with a letter or digit at both ends"
        );
        assert_eq!(
            "Acme".parse::<OrganizationId>().unwrap_err().to_string(),
            "invalid character `A` at byte 0 of organization identifier; did you mean `acme`?"
        );
        assert_eq!("a..b".parse::<UserId>().unwrap_err().to_string(), "user identifier must not contain `..`");
    }

    #[test]
    fn suggests_the_nearest_identifier() {
        let project = |text: &str| text.parse::<ProjectId>().unwrap_err().suggestion().map(str::to_owned);
        for (text, suggestion) in [
            ("My App", "my-app"),
            ("myApp", "my-app"),
            ("My  App ", "my-app"),
            ("No_Such", "no-such"),
            ("v1.2", "v1-2"),
            ("-a-", "a"),
            ("API", "api"),
        ] {
            assert_eq!(project(text).as_deref(), Some(suggestion), "{text:?}");
        }
        for text in ["", "--", "a/b", "a\n", "\u{0430}cme", "Caf\u{e9}", "sper_0123", " ssvc_0123", &"A".repeat(64)] {
            assert_eq!(project(text), None, "{text:?}");
        }
        let user = |text: &str| text.parse::<UserId>().unwrap_err().suggestion().map(str::to_owned);
        assert_eq!(user("Bob Smith").as_deref(), Some("Bob.Smith"));
        assert_eq!(user(".bob").as_deref(), Some("bob"));
        for text in ["bob/x", "a  b", "b\u{043E}b", " sper_0123"] {
            assert_eq!(user(text), None, "{text:?}");
        }
    }
}
