//! A text that comes in pieces.
//!
//! # What is held back
//!
//! The end of the text from the first byte on at which a pattern begins that could still be completed, and nothing
//! else. So the output does not depend on how the text was cut, and most texts are output at once. How long to wait for
//! the rest is the caller's decision, made with [`RedactorStream::pause`], since there is no clock here.
//!
//! A pause shows what merely begins like a value, as a prompt may. Where 6 bytes or more of a value stand, and they are no
//! ordinary beginning, they stay held back: a program whose own buffer of 4 KiB ends within a value writes the rest when
//! the next 4 KiB are full, however long that takes. At the end of the text, they are masked.
//!
//! Rejected were:
//!
//! - *To mask line by line*: a prompt, a progress bar and a value of several lines have no line end where it would be needed,
//!   and a program that prints no line end would fill the memory.
//! - *To hold back as many bytes as the longest pattern has*: correct, but every prompt would wait, and all output
//!   would lag behind by up to 512 bytes.
//! - *To mask every beginning that is not completed*: nearly every letter begins some pattern in some encoding, so that
//!   ordinary text would be masked. What is shown at a pause of up to 5 bytes of a value is the known gap; the rest is
//!   masked when it comes.
//! - *To mask at a pause what is held back*: on a terminal, a few keys that begin like a value would be replaced while they
//!   are typed, and the program would not know where its cursor is.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Compiled;
use super::beginning::is_telling;
use super::patterns::Match;

/// Masks one text that comes in pieces of any size. The output does not depend on where the pieces end.
pub struct RedactorStream {
    compiled: Arc<Compiled>,
    /// The end of the text so far, from the first place on at which a pattern may still begin that has not ended.
    live: Zeroizing<Vec<u8>>,
    /// How much of `live` is decided: masked, or flushed as it was.
    decided: Decided,
}

/// Bytes from the beginning of a text about which nothing is to be output any more.
#[derive(Clone, Copy, Default)]
struct Decided {
    /// Up to here, everything was output as it was or masked.
    shown: usize,
    /// Up to here it is masked, and what overlaps is masked as one with it. None if that ended before the text.
    masked: Option<usize>,
}

/// What comes after a text.
#[derive(Clone, Copy)]
enum Ending {
    /// Nothing soon.
    Pause,
    /// Nothing.
    Final,
}

/// The most input that is looked at at once: it stays in the processor's cache between copying, scanning and output.
const MAX_STEP_BYTES: usize = 64 * 1024;

impl RedactorStream {
    pub(super) fn new(compiled: Arc<Compiled>) -> Self {
        Self { compiled, live: Zeroizing::default(), decided: Decided::default() }
    }

    /// Takes more of the text, and appends to `output` what is decided by now: all but the end that may become a
    /// pattern once more follows.
    pub fn push(&mut self, input: &[u8], output: &mut Vec<u8>) {
        output.reserve(input.len());
        for input in input.chunks(MAX_STEP_BYTES) {
            if self.live.is_empty() {
                let live = self.advance(input, output);
                self.keep(input.get(live..).unwrap_or_default());
            } else {
                let mut text = std::mem::take(&mut self.live);
                append(&mut text, input);
                let live = self.advance(&text, output);
                text.drain(..live);
                self.live = text;
            }
        }
    }

    /// Appends to `output` what was held back and may be shown, as nothing more follows soon: all but 6 bytes or more with
    /// which a value begins.
    ///
    /// If more text then completes a pattern whose beginning was shown, the rest of it is still masked.
    pub fn pause(&mut self, output: &mut Vec<u8>) {
        let text = std::mem::take(&mut self.live);
        self.output_beginnings(&text, Ending::Pause, output);
        self.live = text;
    }

    /// Appends to `output` what was held back, as nothing more follows. If that is 6 bytes or more with which a value begins,
    /// it is masked.
    ///
    /// The stream can go on afterwards. If more text then completes a pattern whose beginning was output, the rest of it is
    /// still masked.
    pub fn finish(&mut self, output: &mut Vec<u8>) {
        let text = std::mem::take(&mut self.live);
        self.output_beginnings(&text, Ending::Final, output);
        self.live = text;
    }

    /// How many bytes are held back: never more than the longest end of the text with which a pattern begins.
    pub fn held_back(&self) -> usize {
        self.live.len().saturating_sub(self.decided.end())
    }

    /// Outputs `text` up to the place that it returns, from which on it is live. `self.decided` counts from the
    /// beginning of `text` before, and from that place afterwards.
    fn advance(&mut self, text: &[u8], output: &mut Vec<u8>) -> usize {
        let Compiled { patterns, prefilter, replacement, .. } = &*self.compiled;
        let mut decided = self.decided;
        let live = prefilter.scan(patterns, text, |start, found| {
            decided.mask(start, found, text, replacement, output);
        });
        decided.show(live, text, output);
        self.decided = decided.from(live);
        live
    }

    /// Outputs `text`: up to the first beginning of a pattern that tells something as it is, and from there on as the
    /// `ending` demands.
    fn output_beginnings(&mut self, text: &[u8], ending: Ending, output: &mut Vec<u8>) {
        let Compiled { patterns, prefilter, replacement, .. } = &*self.compiled;
        let mut decided = self.decided;
        let (mut start, mut shown) = (0, text.len());
        // Ends with the text: every turn goes beyond at least the byte at which the text is live.
        while start < text.len() {
            let mut mask = |at, found| decided.mask(at, found, text, replacement, output);
            let rest = text.get(start..).unwrap_or_default();
            let live = start + prefilter.scan(patterns, rest, |at, found| mask(start + at, found));
            let beginning = text.get(live..).unwrap_or_default();
            let is_held = is_telling(beginning);
            let whole = Match { length: beginning.len(), continues: true };
            let masked = match ending {
                Ending::Final if is_held => Some(whole),
                _ => patterns.at(beginning, 0..patterns.len()).longest,
            };
            if let Some(found) = masked {
                mask(live, found);
            }
            if is_held {
                shown = live;
                break;
            }
            start = live + 1;
        }
        decided.show(shown, text, output);
        self.decided = decided;
    }

    fn keep(&mut self, text: &[u8]) {
        if !text.is_empty() {
            append(&mut self.live, text);
        }
    }
}

impl Decided {
    fn end(self) -> usize {
        self.shown.max(self.masked.unwrap_or(0))
    }

    /// Masks a match in `text` that starts at `start` or, if it overlaps or continues the last one, prolongs that.
    fn mask(&mut self, start: usize, found: Match, text: &[u8], replacement: &str, output: &mut Vec<u8>) {
        let end = start + found.length;
        if end <= self.end() {
            return;
        }
        let meets = |masked| start < masked || (start == masked && found.continues);
        let is_one_with_the_last = self.masked.is_some_and(|masked| meets(masked) && self.shown <= masked);
        if !is_one_with_the_last {
            self.show(start, text, output);
            output.extend_from_slice(replacement.as_bytes());
        }
        self.masked = Some(end);
    }

    /// Outputs what is still to be output before `end`.
    fn show(&mut self, end: usize, text: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(text.get(self.end()..end).unwrap_or_default());
        self.shown = self.shown.max(end);
    }

    /// The same, counted from `place`.
    fn from(self, place: usize) -> Self {
        Self { shown: self.shown.saturating_sub(place), masked: self.masked.and_then(|end| end.checked_sub(place)) }
    }
}

/// Appends, and wipes what a move to more memory leaves behind.
fn append(text: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    if text.capacity() - text.len() < more.len() {
        let mut moved = Zeroizing::new(Vec::with_capacity(text.len() + more.len()));
        moved.extend_from_slice(text);
        *text = moved;
    }
    text.extend_from_slice(more);
}

/// Shows how much is held back, nothing of what.
impl fmt::Debug for RedactorStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactorStream").field("held_back", &self.held_back()).finish_non_exhaustive()
    }
}
