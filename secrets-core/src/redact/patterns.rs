//! The patterns, sorted, and which of them stand at a place in a text.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{RedactorError, chunks, encoding};

/// Collects patterns; in any order, and as often as they come.
pub(super) struct Builder {
    bytes: Zeroizing<Vec<u8>>,
    entries: Vec<Entry>,
    limit: usize,
}

/// All patterns, each once, sorted by their bytes.
pub(super) struct Patterns {
    bytes: Zeroizing<Vec<u8>>,
    entries: Vec<Entry>,
    shortest: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    length: u32,
    /// The longest other pattern that this one begins with: its index, or [`NONE`].
    prefix: u32,
    continues: bool,
}

const NONE: u32 = u32::MAX;
/// So many patterns are sooner compared one by one than searched.
const MAX_LISTED: usize = 8;

/// What stands at the beginning of a text.
pub(super) struct Found {
    /// The longest pattern there.
    pub(super) longest: Option<Match>,
    /// Whether the whole text is the beginning of a longer pattern.
    pub(super) is_live: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Match {
    pub(super) length: usize,
    /// Whether it goes on where another part of the same value ended.
    pub(super) continues: bool,
}

impl Builder {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Zeroizing::default(), entries: Vec::new(), limit }
    }

    /// Adds what `fragment` looks like in every format that is looked for.
    pub(super) fn add_spellings(&mut self, fragment: &[u8]) -> Result<(), RedactorError> {
        for pattern in encoding::all(fragment) {
            chunks::split(&pattern, |chunk, continues| self.add(chunk, continues))?;
        }
        Ok(())
    }

    /// Adds a pattern; with `continues`, it is masked as one with a pattern right before it.
    pub(super) fn add(&mut self, pattern: &[u8], continues: bool) -> Result<(), RedactorError> {
        let too_large = || RedactorError::TooLarge { limit: self.limit };
        if pattern.len() > self.limit.saturating_sub(self.bytes.len()) {
            return Err(too_large());
        }
        let start = u32::try_from(self.bytes.len()).map_err(|_| too_large())?;
        let length = u32::try_from(pattern.len()).map_err(|_| too_large())?;
        grow(&mut self.bytes, pattern.len());
        self.bytes.extend_from_slice(pattern);
        self.entries.push(Entry { start, length, prefix: NONE, continues });
        Ok(())
    }

    pub(super) fn build(self) -> Patterns {
        let Self { bytes: unsorted, mut entries, .. } = self;
        entries.sort_unstable_by_key(|entry| (bytes_of(&unsorted, entry), !entry.continues));
        entries.dedup_by(|later, kept| bytes_of(&unsorted, later) == bytes_of(&unsorted, kept));
        // In the order of the entries, which a search then walks through as they lie in memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(entries.iter().map(|entry| entry.length as usize).sum()));
        for entry in &mut entries {
            let pattern = bytes_of(&unsorted, entry);
            entry.start = bytes.len() as u32;
            bytes.extend_from_slice(pattern);
        }
        link_prefixes(&bytes, &mut entries);
        entries.shrink_to_fit();
        let shortest = entries.iter().map(|entry| entry.length as usize).min().unwrap_or(0);
        Patterns { bytes, entries, shortest }
    }
}

impl Patterns {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The length of the shortest; 0 if there is none.
    pub(super) fn shortest(&self) -> usize {
        self.shortest
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| bytes_of(&self.bytes, entry))
    }

    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        self.entries.get(index).map(|entry| bytes_of(&self.bytes, entry))
    }

    /// What stands at the beginning of `text`, of which only the patterns of `range` can be the beginning.
    pub(super) fn at(&self, text: &[u8], range: Range<usize>) -> Found {
        if range.len() <= MAX_LISTED { self.at_among_few(text, range) } else { self.at_among_many(text, range) }
    }

    fn at_among_few(&self, text: &[u8], range: Range<usize>) -> Found {
        let candidates = self.entries.get(range).unwrap_or_default();
        let is_live = candidates.iter().any(|entry| {
            let pattern = bytes_of(&self.bytes, entry);
            pattern.len() > text.len() && pattern.starts_with(text)
        });
        // Of patterns that begin with each other the longest comes last.
        let longest = candidates.iter().rfind(|entry| begins_with(text, bytes_of(&self.bytes, entry)));
        Found { longest: longest.map(Entry::found), is_live }
    }

    fn at_among_many(&self, text: &[u8], range: Range<usize>) -> Found {
        let candidates = self.entries.get(range.clone()).unwrap_or_default();
        // All patterns that begin `text` sort at or before it, and are the nearest one there or begin it; all that
        // `text` begins sort right behind it.
        let behind = range.start + candidates.partition_point(|entry| bytes_of(&self.bytes, entry) <= text);
        let is_live = self.get(behind).is_some_and(|pattern| pattern.starts_with(text));
        let mut nearest = behind.checked_sub(1);
        let longest = loop {
            let Some(entry) = nearest.and_then(|index| self.entries.get(index)) else { break None };
            if begins_with(text, bytes_of(&self.bytes, entry)) {
                break Some(entry.found());
            }
            nearest = (entry.prefix != NONE).then_some(entry.prefix as usize);
        };
        Found { longest, is_live }
    }
}

impl Entry {
    fn found(&self) -> Match {
        Match { length: self.length as usize, continues: self.continues }
    }
}

/// Looks at the pattern's end first: where text repeats itself, the beginnings of many patterns stand at every byte, for
/// instance zeros.
fn begins_with(text: &[u8], pattern: &[u8]) -> bool {
    text.get(..pattern.len()).is_some_and(|beginning| {
        let end = pattern.len().saturating_sub(8);
        beginning.get(end..) == pattern.get(end..) && beginning == pattern
    })
}

fn bytes_of<'a>(bytes: &'a [u8], entry: &Entry) -> &'a [u8] {
    let start = entry.start as usize;
    bytes.get(start..start + entry.length as usize).unwrap_or_default()
}

/// In sorted order, the patterns that begin a pattern lie before it, and those between begin with them as well: so the
/// ones still open form a stack.
fn link_prefixes(bytes: &[u8], entries: &mut [Entry]) {
    let mut open: Vec<(u32, Entry)> = Vec::new();
    for (index, entry) in (0u32..).zip(entries) {
        let pattern = bytes_of(bytes, entry);
        while open.last().is_some_and(|(_, last)| !pattern.starts_with(bytes_of(bytes, last))) {
            open.pop();
        }
        entry.prefix = open.last().map_or(NONE, |&(last, _)| last);
        open.push((index, *entry));
    }
}

/// Makes room for `more` bytes, wiping what a move leaves behind.
fn grow(bytes: &mut Zeroizing<Vec<u8>>, more: usize) {
    if bytes.capacity() - bytes.len() < more {
        let mut moved = Zeroizing::new(Vec::with_capacity((bytes.len() + more).max(2 * bytes.capacity())));
        moved.extend_from_slice(bytes);
        *bytes = moved;
    }
}
