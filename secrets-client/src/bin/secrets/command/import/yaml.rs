//! Reads the part of YAML that a list of names and values needs: `NAME: value` a line.
//!
//! - Values are plain, in quotes that end on their line, or blocks (`|`, `>`). What readers of YAML 1.1 or 1.2 take for
//!   something else than a text (`5432`, `yes`, `2026-01-01`) is told apart, and nothing is no value.
//! - Anchors, aliases, tags, lists, mappings within mappings, several documents and plain values of several lines are
//!   refused by their line, which is never shown. So nothing is repeated, included or built.

mod block;
mod kind;
mod quoted;

use std::collections::BTreeSet;

use zeroize::Zeroizing;

pub(super) use kind::Kind;

/// A name with its value.
pub(super) struct Member {
    /// Where the name stands, counted from 1.
    pub(super) line: usize,
    pub(super) name: String,
    /// The value as it is spelled.
    pub(super) value: Zeroizing<String>,
    pub(super) kind: Kind,
}

/// Why a document can't be read. Names the line, never what stands there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {problem}")]
pub(super) struct YamlError {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    #[error("has a character that YAML does not take as it stands; write it as `\\u…` in double quotes")]
    Character,
    #[error("has a carriage return without a line feed; end lines with LF or CRLF")]
    CarriageReturn,
    #[error("has a tab outside of quotes; use spaces")]
    Tab,
    #[error("is indented; expected `NAME: value`, without nested values, and `|` before a value of several lines")]
    Indented,
    #[error("is no `NAME: value`; expected a mapping of names and values alone")]
    NoMember,
    #[error("has a name that is given already")]
    Repeated,
    #[error("has an anchor or an alias, which is not read; write the value itself")]
    Anchor,
    #[error("has a tag, which is not read; write the value without it")]
    Tag,
    #[error("has a list or a mapping as its value; expected a text, a number or a boolean")]
    Nested,
    #[error("has a plain value that begins or goes on as no plain value does; put quotes around it")]
    Plain,
    #[error(
        "begins a quoted value that does not end on that line; add the closing quote, or use `|` for several lines"
    )]
    OpenQuote,
    #[error("has an escape that is not known; expected one of YAML's")]
    Escape,
    #[error("has text behind its value; expected nothing, or a space and a `#` comment")]
    Behind,
    #[error(
        "begins a block in a way that is not read; expected `|` or `>`, a digit and one of `-` and `+`, and deeper lines"
    )]
    Block,
    #[error("begins another document, or has a directive; expected one document")]
    Document,
}

/// Reads a document; the members come in its order.
pub(super) fn parse(document: &[u8]) -> Result<Vec<Member>, YamlError> {
    let text = std::str::from_utf8(document).map_err(|error| YamlError {
        line: 1 + document.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count(),
        problem: Problem::NotUtf8,
    })?;
    let Lines { lines, is_open } = split(text.strip_prefix('\u{FEFF}').unwrap_or(text))?;
    let mut members = Vec::new();
    let mut names = BTreeSet::new();
    let (mut at, mut has_begun, mut has_ended) = (0, false, false);
    while let Some(content) = lines.get(at).copied() {
        at += 1;
        let line = at;
        let fails = |problem| YamlError { line, problem };
        if is_empty(content) {
            continue;
        }
        if content.starts_with('%') || has_ended {
            return Err(fails(Problem::Document));
        }
        match marker(content) {
            Some("---") if !has_begun => has_begun = true,
            Some("...") if has_begun => has_ended = true,
            Some(_) => return Err(fails(Problem::Document)),
            None => {
                has_begun = true;
                let (name, value) = member(content).map_err(fails)?;
                if !names.insert(name.clone()) {
                    return Err(fails(Problem::Repeated));
                }
                let (value, kind, more) = read(value, lines.get(at..).unwrap_or_default(), is_open).map_err(fails)?;
                members.push(Member { line, name, value, kind });
                at += more;
            }
        }
    }
    Ok(members)
}

struct Lines<'a> {
    lines: Vec<&'a str>,
    /// Whether the last one has no end, so that no block that it belongs to has one either.
    is_open: bool,
}

/// The lines without their ends. All that may end a line in one version of YAML and not in the other is refused.
fn split(text: &str) -> Result<Lines<'_>, YamlError> {
    let is_open = !text.ends_with(['\n', '\r']);
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let lines: Vec<&str> = lines.map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    for (at, line) in lines.iter().enumerate() {
        let fails = |problem| Err(YamlError { line: at + 1, problem });
        if line.contains('\r') {
            return fails(Problem::CarriageReturn);
        }
        if !line.chars().all(is_printable) {
            return fails(Problem::Character);
        }
    }
    Ok(Lines { lines, is_open })
}

const fn is_printable(c: char) -> bool {
    matches!(c, '\t' | ' '..='~' | '\u{A0}'..='\u{2027}' | '\u{202A}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether it has nothing but a comment.
fn is_empty(line: &str) -> bool {
    let content = line.trim_start_matches(' ');
    content.is_empty() || content.starts_with('#')
}

/// `---` or `...`, which stand alone or have a space behind them.
fn marker(line: &str) -> Option<&str> {
    let (marker, behind) = line.split_at_checked(3)?;
    let stands_alone = behind.is_empty() || behind.starts_with([' ', '\t']);
    // What else stands on its line would be a value without a name.
    let is_marker = matches!(marker, "---" | "...") && stands_alone;
    is_marker.then(|| if is_empty(behind) { marker } else { "" })
}

/// Splits a line into its name and what stands behind the colon.
fn member(line: &str) -> Result<(String, &str), Problem> {
    let (name, behind) = match line.chars().next() {
        Some(' ') => return Err(Problem::Indented),
        Some('\t') => return Err(Problem::Tab),
        Some('&' | '*') => return Err(Problem::Anchor),
        Some('!') => return Err(Problem::Tag),
        Some('{' | '[') => return Err(Problem::Nested),
        Some('-') if line == "-" || line.starts_with("- ") => return Err(Problem::Nested),
        Some('\'') => quoted::single(line)?,
        Some('"') => quoted::double(line)?,
        _ => {
            let end =
                line.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.')).unwrap_or(line.len());
            let (name, behind) = line.split_at_checked(end).ok_or(Problem::NoMember)?;
            (Zeroizing::new(name.to_owned()), behind)
        }
    };
    let behind = behind.trim_start_matches(' ').strip_prefix(':').ok_or(Problem::NoMember)?;
    let is_plain_hyphen = name.starts_with('-') && !line.starts_with(['\'', '"']);
    if name.is_empty() || is_plain_hyphen || !(behind.is_empty() || behind.starts_with([' ', '\t'])) {
        return Err(Problem::NoMember);
    }
    Ok((name.to_string(), behind))
}

/// Reads a value from what stands behind the colon and the lines below, the last of which may have no end (`is_open`), and
/// says how many of those it took.
fn read(behind: &str, below: &[&str], is_open: bool) -> Result<(Zeroizing<String>, Kind, usize), Problem> {
    let text = behind.trim_start_matches(' ');
    let one_line = |(value, rest)| nothing_behind(rest).map(|()| (value, Kind::Text, 0));
    match text.chars().next() {
        None | Some('#') => match is_nested(below) {
            true => Err(Problem::Nested),
            false => Ok((Zeroizing::default(), Kind::Nothing, 0)),
        },
        Some('\t') => Err(Problem::Tab),
        Some('&' | '*') => Err(Problem::Anchor),
        Some('!') => Err(Problem::Tag),
        Some('{' | '[') => Err(Problem::Nested),
        Some('\'') => quoted::single(text).and_then(one_line),
        Some('"') => quoted::double(text).and_then(one_line),
        Some('|' | '>') => block::read(text, below, is_open).map(|(value, lines)| (value, Kind::Text, lines)),
        Some(_) => {
            let value = plain(text)?;
            Ok((Zeroizing::new(value.to_owned()), Kind::of_plain(value), 0))
        }
    }
}

/// Whether a value without text has a list or a mapping below: the next line that is not empty is deeper, or an item.
fn is_nested(below: &[&str]) -> bool {
    let next = below.iter().find(|line| !is_empty(line));
    next.is_some_and(|line| line.starts_with([' ', '\t']) || *line == "-" || line.starts_with("- "))
}

/// A value without quotes, which reaches to a comment or the end of its line.
fn plain(text: &str) -> Result<&str, Problem> {
    let value = text.split_once(" #").map_or(text, |(value, _)| value).trim_end_matches(' ');
    if value.contains('\t') {
        return Err(Problem::Tab);
    }
    // An indicator, but for those three where something follows them.
    let mut characters = value.chars();
    let begins_plain = match (characters.next(), characters.next()) {
        (Some('-' | '?' | ':'), second) => second.is_some_and(|c| c != ' '),
        (Some(',' | ']' | '}' | '#' | '@' | '`' | '%'), _) => false,
        _ => true,
    };
    if !begins_plain || value.contains(": ") || value.ends_with(':') {
        return Err(Problem::Plain);
    }
    Ok(value)
}

/// Refuses what is no comment behind a value that has ended.
fn nothing_behind(rest: &str) -> Result<(), Problem> {
    let behind = rest.trim_start_matches(' ');
    match behind.is_empty() || (behind.starts_with('#') && behind.len() < rest.len()) {
        true => Ok(()),
        false => Err(Problem::Behind),
    }
}

#[cfg(test)]
mod tests;
