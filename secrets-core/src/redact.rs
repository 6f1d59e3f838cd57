//! Masks secrets in whatever a program prints: a streaming replacer over bytes.
//!
//! ```
//! use secrets_core::redact::{Masked, Redactor};
//! use secrets_core::Redaction;
//!
//! let token = Masked { name: "LINEAR_API_KEY", value: b"lin_api_0123", redaction: Redaction::Default };
//! let redactor = Redactor::new([token])?;
//!
//! let (mut stream, mut output) = (redactor.stream(), Vec::new());
//! stream.push(b"key=lin_a", &mut output);
//! assert_eq!(output, b"key="); // the rest may become the value
//! stream.push(b"pi_0123\n", &mut output);
//! stream.finish(&mut output);
//! assert_eq!(output, b"key=***\n");
//! # Ok::<(), secrets_core::redact::RedactorError>(())
//! ```
//!
//! # What is masked
//!
//! The fragments of a secret are its value and, where it has several lines or white space around it, each line, without
//! white space and `*` around it, that is neither short nor ordinary (a PEM frame, a common word, punctuation). Each
//! fragment is looked for as it is and in every spelling of these formats. Of a value that is JSON, the strings in it are
//! fragments too, each with its lines: up to 256 of a value, and up to 256 KiB of all.
//!
//! - base64, standard and URL-safe, padded or not, where the value begins at any of the three alignments; also in
//!   lines of 64 and 76 characters, if it begins with them
//! - percent-encoding with upper and lower hexadecimals: of all bytes, or of what URLs, their components, paths and
//!   forms (`+` for a space) reserve
//! - JSON: with and without `\/`, `\u00e9` for what is not ASCII, `\u003c` for what HTML reserves
//! - XML and HTML: named and numeric references, in text and in attributes
//! - SQL, PowerShell and CSV: `''` and `""`
//! - shells: the inside of single quotes, of double quotes and of `$'…'`, and backslashes
//! - hexadecimal, upper and lower
//! - a carriage return before each line feed, as terminals write it, or none
//!
//! Wherever one of these patterns stands, it is masked, and patterns that overlap are masked as one; so a longer one
//! wins over a shorter one within it.
//!
//! Long patterns (over 512 bytes) are looked for in chunks, which bounds what is held back and also masks what somebody
//! prints of a long value. Chunks that follow each other are masked as one.
//!
//! # What is not masked
//!
//! - Secrets whose redaction is off, and values of fewer than 6 bytes: [`Redactor::unmasked`] lists them.
//! - A value in another encoding, in two of them at once, or with other bytes in between, such as colours.
//! - The characters that a value within a longer base64 text shares with its neighbours there.
//! - Part of a value where other text follows it. Only at the end of a text, and where a stream pauses, 6 bytes or more with
//!   which a value begins are not shown, unless values often begin like this: `https://`, a PEM frame, a common word. What
//!   has fewer bytes is, for it may be a prompt; see [`RedactorStream::pause`].
//!
//! # The replacement
//!
//! It is `***`, unless a pattern begins or ends with `*` or has `***` within it. There the replacement could complete
//! the pattern together with the bytes around it, and the output would show a value that nobody printed. So another
//! one is taken, which no occurrence of any pattern can touch; [`Redactor::replacement`] is it. It follows that
//! no pattern is anywhere in the output: its bytes would have to stand together in the input, where they are masked.
//!
//! # Memory
//!
//! Patterns, what is derived from them and what streams hold back are wiped when dropped. Not wiped are the output,
//! which is the caller's, and copies that the compiler or the operating system makes (registers, swap).

mod beginning;
mod chunks;
mod common_word;
mod encoding;
mod fragments;
mod json_strings;
mod patterns;
mod prefilter;
mod replacement;
mod stream;

pub(crate) use self::common_word::is_common as is_common_word;

use std::fmt;
use std::sync::Arc;

use self::fragments::Fragments;
use self::patterns::Patterns;
use self::prefilter::Prefilter;
pub use self::stream::RedactorStream;
use crate::secret::Redaction;

/// Values and lines shorter than this are never masked: too much else looks like them.
pub const MIN_MASKED_BYTES: usize = 6;

/// The most bytes that the patterns of one redactor take. Four full scopes fit.
const MAX_PATTERN_BYTES: usize = 512 * 1024 * 1024;

/// The most bytes of strings within JSON values that are looked for: they must not take the values' memory.
const MAX_JSON_STRING_BYTES: usize = 256 * 1024;

/// The compiled patterns of a set of secrets. Cheap to clone; one serves any number of streams.
#[derive(Clone)]
pub struct Redactor {
    compiled: Arc<Compiled>,
}

/// A secret whose value is to be masked.
#[derive(Clone, Copy)]
pub struct Masked<'a> {
    /// Its name, for [`Redactor::unmasked`].
    pub name: &'a str,
    /// Its value, any bytes.
    pub value: &'a [u8],
    /// Whether it is masked at all.
    pub redaction: Redaction,
}

/// A secret that is not masked, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmasked {
    /// The secret's name.
    pub name: String,
    /// Why.
    pub reason: UnmaskedReason,
}

/// Why a secret is not masked, or not wholly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnmaskedReason {
    /// Its redaction is off.
    Off,
    /// Its value has fewer than 6 bytes, not counting white space around it.
    TooShort,
    /// The value is masked where it stands as a whole, and so are its longer lines; but it has lines too short to be
    /// masked on their own.
    ShortLines,
}

/// Why no redactor can be made. Never says anything of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedactorError {
    /// The patterns would take more memory than a redactor may.
    TooLarge {
        /// The most bytes allowed.
        limit: usize,
    },
    /// Whatever stood in their place, it could complete one of the patterns.
    NoReplacement,
}

crate::wire_enum::wire_enum!(UnmaskedReason, "reason", {
    Off => "OFF",
    TooShort => "TOO_SHORT",
    ShortLines => "SHORT_LINES",
});

struct Compiled {
    patterns: Patterns,
    prefilter: Prefilter,
    replacement: &'static str,
    unmasked: Vec<Unmasked>,
}

impl Redactor {
    /// Compiles the patterns of `secrets`, in time and memory proportional to their size.
    ///
    /// # Errors
    ///
    /// [`RedactorError`], for sets far larger than the service delivers, or made to be impossible.
    pub fn new<'a>(secrets: impl IntoIterator<Item = Masked<'a>>) -> Result<Self, RedactorError> {
        let mut patterns = patterns::Builder::new(MAX_PATTERN_BYTES);
        let (mut unmasked, mut strings) = (Vec::new(), Vec::new());
        for secret in secrets {
            let mut list = |reason| unmasked.push(Unmasked { name: secret.name.to_owned(), reason });
            if secret.redaction == Redaction::Off {
                list(UnmaskedReason::Off);
                continue;
            }
            match fragments::split(secret.value) {
                Fragments::TooShort => list(UnmaskedReason::TooShort),
                Fragments::Fragments { fragments, short_lines } => {
                    if short_lines {
                        list(UnmaskedReason::ShortLines);
                    }
                    fragments.into_iter().try_for_each(|fragment| patterns.add_spellings(fragment))?;
                    strings.extend(json_strings::strings(secret.value));
                }
            }
        }
        // The values come first: where there is no room for more, they alone are masked.
        let mut room = MAX_JSON_STRING_BYTES;
        for string in strings {
            let Some(left) = room.checked_sub(string.len()) else { break };
            room = left;
            let fragments = fragments::of_string(&string);
            if fragments.into_iter().try_for_each(|fragment| patterns.add_spellings(fragment)).is_err() {
                break;
            }
        }
        Self::compile(patterns, unmasked)
    }

    fn compile(patterns: patterns::Builder, unmasked: Vec<Unmasked>) -> Result<Self, RedactorError> {
        let patterns = patterns.build();
        let replacement = replacement::choose(&patterns).ok_or(RedactorError::NoReplacement)?;
        let prefilter = Prefilter::new(&patterns);
        Ok(Self { compiled: Arc::new(Compiled { patterns, prefilter, replacement, unmasked }) })
    }

    /// The secrets that are not masked, in the order given.
    pub fn unmasked(&self) -> &[Unmasked] {
        &self.compiled.unmasked
    }

    /// Whether nothing is ever masked.
    pub fn is_empty(&self) -> bool {
        self.compiled.patterns.is_empty()
    }

    /// What stands in a pattern's place: `***`, or something else where that could complete a pattern.
    pub fn replacement(&self) -> &'static str {
        self.compiled.replacement
    }

    /// A new stream, for instance for one of a child's outputs.
    pub fn stream(&self) -> RedactorStream {
        RedactorStream::new(self.compiled.clone())
    }

    /// Masks a whole text at once.
    pub fn redact(&self, whole: &[u8]) -> Vec<u8> {
        let mut output = Vec::with_capacity(whole.len());
        let mut stream = self.stream();
        stream.push(whole, &mut output);
        stream.finish(&mut output);
        output
    }
}

/// Tells how much is masked, nothing of what.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("unmasked", &self.compiled.unmasked).finish_non_exhaustive()
    }
}

/// Without the value.
impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masked").field("name", &self.name).field("redaction", &self.redaction).finish_non_exhaustive()
    }
}

impl fmt::Display for UnmaskedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("its redaction is off"),
            Self::TooShort => write!(f, "its value is shorter than {MIN_MASKED_BYTES} bytes"),
            Self::ShortLines => {
                write!(
                    f,
                    "lines of its value are shorter than {MIN_MASKED_BYTES} bytes; they are masked only as a chunk of it"
                )
            }
        }
    }
}

impl fmt::Display for RedactorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => {
                write!(f, "the secrets are too large to be masked: their encodings take more than {} MiB", limit >> 20)
            }
            Self::NoReplacement => {
                f.write_str("no text can stand in the secrets' place without completing one of them")
            }
        }
    }
}

impl std::error::Error for RedactorError {}

#[cfg(test)]
mod tests;
