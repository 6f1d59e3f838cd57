//! `.env` documents: `NAME=value` a line.
//!
//! - Blank lines and lines that start with `#` say nothing. A byte order mark and CRLF are allowed.
//! - `export ` before a name is ignored, and so are spaces and tabs around name and value.
//! - An unquoted value is taken as it stands, up to the end of its line or ` #`.
//! - `'…'` and, as Node and Bun have them, backticks are taken literally. In `"…"`, `\n`, `\r`, `\t`, `\\`, `\"` and `\$`
//!   are escapes; any other backslash stands for itself. All may span lines; a CRLF within them is a line feed.
//! - Nothing is expanded and no command is run: `$`, and a backtick within a value, stand for themselves.
//! - A line that may be the rest of the value above it is refused.
//!
//! A name may have letters, digits, `_`, `-` and `.` here: whether it is valid for a secret is for [`crate::import`] to
//! say.

mod continuation;
mod parse;
mod write;

use std::collections::HashMap;
use std::fmt;

pub use parse::{DotenvError, DotenvProblem, parse};
pub use write::{Unwritable, UnwritableProblem, write};

/// What a value is, in a document that tells texts from others; in a `.env` all are texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueKind {
    /// A text.
    #[default]
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list of values.
    List,
    /// An object of names and values.
    Object,
}

/// A name with its value. It can't be copied, and its `Debug` shows no value.
pub struct Entry {
    line: usize,
    key: String,
    value: String,
    kind: ValueKind,
    overridden_by: Option<usize>,
}

impl Entry {
    /// An entry that stands on `line`, or, where there are no lines, in that place; counted from 1.
    pub const fn new(line: usize, key: String, value: String) -> Self {
        Self { line, key, value, kind: ValueKind::Text, overridden_by: None }
    }

    /// An entry whose value is not a text, and is not kept.
    pub const fn not_text(line: usize, key: String, kind: ValueKind) -> Self {
        Self { line, key, value: String::new(), kind, overridden_by: None }
    }

    /// The line on which the name stands, counted from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The name as it was written. It need not be a valid name, so whoever shows it checks it first.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What the value is.
    pub const fn kind(&self) -> ValueKind {
        self.kind
    }

    /// The value, possibly empty.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The value as bytes, in the memory in which it was parsed, for the caller to wipe.
    pub fn into_value(self) -> Vec<u8> {
        self.value.into_bytes()
    }

    /// The line of the last entry with the same name, if that is a later one: that one counts.
    pub const fn overridden_by(&self) -> Option<usize> {
        self.overridden_by
    }
}

/// Without the value.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("line", &self.line)
            .field("overridden_by", &self.overridden_by)
            .finish_non_exhaustive()
    }
}

/// Flags every entry whose name comes again later.
pub fn mark_overridden(entries: &mut [Entry]) {
    let mut last_lines: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    for entry in entries.iter_mut().rev() {
        entry.overridden_by = last_lines.get(&entry.key).copied();
        last_lines.entry(entry.key.clone()).or_insert(entry.line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_all_but_the_last_entry_of_a_name() {
        let mut entries: Vec<_> = ["A", "B", "A", "a", "A"]
            .into_iter()
            .enumerate()
            .map(|(at, key)| Entry::new(at + 1, key.to_owned(), String::new()))
            .collect();
        mark_overridden(&mut entries);
        let flags: Vec<_> = entries.iter().map(Entry::overridden_by).collect();
        assert_eq!(flags, [Some(5), None, Some(5), None, None]);
    }

    #[test]
    fn debugs_without_the_value_or_what_may_be_one() {
        let entry = Entry::new(3, "hunter2key".to_owned(), "hunter2".to_owned());
        assert_eq!(format!("{entry:?}"), "Entry { line: 3, overridden_by: None, .. }");
    }
}
