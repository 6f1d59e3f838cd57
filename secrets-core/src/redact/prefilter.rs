//! Passes quickly over text in which no pattern begins.
//!
//! Only every few bytes of a text is looked at: each pattern has, near its beginning, a window of a few bytes at every
//! place at which such a look can fall. A bitmap of the windows' hashes says of nearly all places in ordinary text that
//! no pattern begins around them. What remains is looked up by the first bytes of a pattern, exactly.
//!
//! An Aho–Corasick automaton over the same patterns has to look at every byte: it read ordinary text at 0.3 GB/s for 10
//! values and at 0.2 GB/s for 500 where this reads it ten times as fast, and took several times the memory, for it
//! keeps a state for each byte of each pattern.

use std::ops::Range;

use zeroize::Zeroizing;

use super::MIN_MASKED_BYTES;
use super::patterns::{Match, Patterns};

pub(super) struct Prefilter {
    /// The distance of looks.
    stride: usize,
    /// Keeps the bytes of a window of a look's eight.
    mask: u64,
    windows: Bitmap,
    heads: Heads,
}

/// How many bytes a look reads.
const WINDOW_BYTES: usize = 8;
/// The bits of the bitmap for each window in it: at most one look in sixteen is in vain.
const BITS_PER_WINDOW: usize = 16;

impl Prefilter {
    pub(super) fn new(patterns: &Patterns) -> Self {
        let shortest = patterns.shortest().max(MIN_MASKED_BYTES);
        // Wide windows are rare in text, far ones quickly skipped; every pattern has to hold a window at each of
        // `stride` places.
        let width = (shortest / 2 + 1).min(WINDOW_BYTES);
        let stride = (shortest - width + 1).min(8);
        let mask = u64::MAX >> (8 * (WINDOW_BYTES - width));
        let mut windows = Bitmap::new(patterns.len() * stride * BITS_PER_WINDOW);
        for pattern in patterns.iter() {
            for window in pattern.windows(width).take(stride) {
                windows.insert(little_endian(window));
            }
        }
        Self { stride, mask, windows, heads: Heads::new(patterns) }
    }

    /// Calls `found` with the place of each match in `text`, in order, until a place from which on the text may become
    /// a pattern once more follows. Returns that place, or the text's length.
    pub(super) fn scan(&self, patterns: &Patterns, text: &[u8], mut found: impl FnMut(usize, Match)) -> usize {
        if patterns.is_empty() {
            return text.len();
        }
        let mut is_live_at = |start: usize| {
            let rest = text.get(start..).unwrap_or_default();
            let Some(range) = self.heads.beginning(patterns, rest) else { return false };
            let here = patterns.at(rest, range);
            if let (Some(longest), false) = (here.longest, here.is_live) {
                found(start, longest);
            }
            here.is_live
        };
        let mut look = self.stride - 1;
        while let Some(window) = text.get(look..).and_then(|rest| rest.first_chunk::<WINDOW_BYTES>()) {
            if self.windows.contains(u64::from_le_bytes(*window) & self.mask)
                && let Some(start) = (look + 1 - self.stride..=look).find(|&start| is_live_at(start))
            {
                return start;
            }
            look += self.stride;
        }
        (look + 1 - self.stride..text.len()).find(|&start| is_live_at(start)).unwrap_or(text.len())
    }
}

fn little_endian(window: &[u8]) -> u64 {
    window.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A set of numbers that knows some which are not in it.
struct Bitmap {
    words: Zeroizing<Vec<u64>>,
    shift: u32,
}

/// Spreads a number over the upper bits (the golden ratio's).
fn hash(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Bitmap {
    fn new(bits: usize) -> Self {
        let bits = bits.next_power_of_two().max(64);
        Self { words: Zeroizing::new(vec![0; bits / 64]), shift: 64 - bits.trailing_zeros() }
    }

    fn insert(&mut self, number: u64) {
        let bit = hash(number) >> self.shift;
        if let Some(word) = self.words.get_mut((bit / 64) as usize) {
            *word |= 1 << (bit % 64);
        }
    }

    #[inline]
    fn contains(&self, number: u64) -> bool {
        let bit = hash(number) >> self.shift;
        self.words.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

/// Finds the patterns by their first bytes, as many as the shortest has at least.
struct Heads {
    /// Where patterns with the same first bytes begin among all; at the end, their number.
    groups: Vec<u32>,
    /// A hash table with linear probing; each slot holds an index into `groups` plus one, or 0.
    slots: Vec<u32>,
    shift: u32,
}

type Head = [u8; MIN_MASKED_BYTES];

impl Heads {
    fn new(patterns: &Patterns) -> Self {
        let mut groups: Vec<u32> = Vec::new();
        let mut last: Option<&[u8]> = None;
        for (index, pattern) in (0u32..).zip(patterns.iter()) {
            let head = pattern.get(..MIN_MASKED_BYTES);
            if head != last || index == 0 {
                groups.push(index);
                last = head;
            }
        }
        let size = (4 * groups.len()).next_power_of_two().max(2);
        let mut heads = Self { groups, slots: vec![0; size], shift: 64 - size.trailing_zeros() };
        for (group, &first) in (1u32..).zip(&heads.groups) {
            let Some(head) = patterns.get(first as usize).and_then(|pattern| pattern.first_chunk()) else { continue };
            let mut slot = slot_of(head, heads.shift);
            while heads.slots.get(slot).is_some_and(|&taken| taken != 0) {
                slot = (slot + 1) % size;
            }
            if let Some(free) = heads.slots.get_mut(slot) {
                *free = group;
            }
        }
        heads.groups.push(patterns.len() as u32);
        heads
    }

    /// The patterns that can stand at the beginning of `text`, or that it can become.
    fn beginning(&self, patterns: &Patterns, text: &[u8]) -> Option<Range<usize>> {
        let Some(head) = text.first_chunk() else { return Some(0..patterns.len()) };
        let mut slot = slot_of(head, self.shift);
        loop {
            let group = match self.slots.get(slot) {
                None | Some(0) => return None,
                Some(&group) => group as usize,
            };
            if let Some(&[first, end]) = self.groups.get(group - 1..=group)
                && patterns.get(first as usize)?.starts_with(head)
            {
                return Some(first as usize..end as usize);
            }
            slot = (slot + 1) % self.slots.len();
        }
    }
}

fn slot_of(head: &Head, shift: u32) -> usize {
    (hash(little_endian(head)) >> shift) as usize
}
