//! The environment variables and paths that are reserved, because what stands there would take over, or redirect, the
//! programs that it is given to.
//!
//! There are two grades. What is [`Grade::Hard`] runs code by itself: it is never stored, and a client refuses an answer
//! that holds it. What is [`Grade::Soft`] has an honest use: an organization may allow it to itself
//! ([`AllowedReserved`]), and a client delivers it.
//!
//! Another row is one more line of a table in `reserved/environment` or `reserved/path`, with the reason a user reads.
//! A row is an exact name where a pattern could cover an ordinary credential. The tables can't be complete: whoever sets
//! a program's variables and files has an influence on it.

mod allowed;
mod environment;
mod path;

use std::fmt;

pub use allowed::{AllowedReserved, InvalidAllowedReserved};

/// What becomes of a secret that would stand at a reserved name or path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Never stored and never delivered.
    Hard,
    /// Stored where the organization allows it, and then delivered.
    Soft,
}

crate::wire_enum::wire_enum!(Grade, "grade", { Hard => "HARD", Soft => "SOFT" });

/// A row of the tables of reserved variables and paths.
#[derive(Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The name of a variable, or with a `*` at its end everything that starts with what precedes it.
    ///
    /// Or a path, which is reserved together with all below it; with a `*` at its end, so is every path whose last part
    /// merely starts like it. A path that starts with `~/` holds below any folder, since any may be a home.
    ///
    /// Case does not matter: some systems ignore it.
    pub pattern: &'static str,
    /// Whether it can be allowed.
    pub grade: Grade,
    /// What a value there would do.
    pub reason: &'static str,
}

impl Reserved {
    const fn hard(pattern: &'static str, reason: &'static str) -> Self {
        Self { pattern, grade: Grade::Hard, reason }
    }

    const fn soft(pattern: &'static str, reason: &'static str) -> Self {
        Self { pattern, grade: Grade::Soft, reason }
    }
}

/// Why, in a few words, and what can be done about it.
impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reserved: {}", self.reason)?;
        match self.grade {
            Grade::Hard => Ok(()),
            Grade::Soft => f.write_str("; an administrator of the organization can allow it"),
        }
    }
}

/// The row that reserves the environment variable `name`, if there is one.
pub fn environment(name: &str) -> Option<&'static Reserved> {
    variables().find(|row| environment::covers(row.pattern, name))
}

/// The row that reserves `path`, a path in normal form, if there is one.
pub fn path(path: &str) -> Option<&'static Reserved> {
    paths().find(|row| path::covers(row.pattern, path))
}

/// Every row that reserves variables, the hard ones first.
pub fn variables() -> impl Iterator<Item = &'static Reserved> {
    environment::TABLES.into_iter().flatten()
}

/// Every row that reserves paths, the hard ones first.
pub fn paths() -> impl Iterator<Item = &'static Reserved> {
    path::TABLES.into_iter().flatten()
}
