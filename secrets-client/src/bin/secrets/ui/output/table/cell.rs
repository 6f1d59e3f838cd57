//! One cell: what a pipe gets of it, and what a person on a terminal does.

use prost_types::Timestamp;

use crate::ui::escape::escape;
use crate::ui::output::text;

/// What a cell's colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something that was refused, is missing or has ended.
    Bad,
    /// Something that keeps a secret from being used, or from being changed.
    Warning,
}

impl Tone {
    /// The beginning of the colour on a terminal.
    pub(super) const fn start(self) -> &'static str {
        match self {
            Self::Bad => "\x1b[31m",
            Self::Warning => "\x1b[33m",
        }
    }
}

/// A text without anything that a terminal would obey.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Option<Tone>,
    /// Set when `text` is this moment, which a terminal shows as its distance from now.
    time: Option<Timestamp>,
}

impl Cell {
    /// A moment: `2026-11-21 05:41Z` in a pipe, `3 days ago` on a terminal; nothing if there is none.
    pub(crate) fn time(time: Option<&Timestamp>) -> Self {
        Self { text: text::moment(time), tone: None, time: time.copied() }
    }

    /// The same cell in a colour.
    pub(crate) fn toned(mut self, tone: Option<Tone>) -> Self {
        self.tone = tone;
        self
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) const fn tone(&self) -> Option<Tone> {
        self.tone
    }

    /// The cell as a person reads it who sits at a terminal.
    pub(super) fn relative_to(&self, now: &Timestamp) -> Self {
        let text = self.time.map_or_else(|| self.text.clone(), |time| text::distance(&time, now));
        Self { text, ..self.clone() }
    }

    pub(super) fn with_text(&self, text: String) -> Self {
        Self { text, ..self.clone() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self { text: escape(text), tone: None, time: None }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}
