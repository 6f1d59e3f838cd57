//! What stands in a pattern's place.

use super::patterns::Patterns;

/// In the order of preference.
const REPLACEMENTS: [&str; 6] = ["***", "•••", "[masked]", "<masked>", "(masked)", "{masked}"];

/// The first replacement that no occurrence of a pattern can touch, whatever stands around it.
pub(super) fn choose(patterns: &Patterns) -> Option<&'static str> {
    REPLACEMENTS
        .into_iter()
        .find(|replacement| !patterns.iter().any(|pattern| can_touch(pattern, replacement.as_bytes())))
}

fn can_touch(pattern: &[u8], replacement: &[u8]) -> bool {
    let begins_within = || (0..replacement.len()).any(|at| overlaps(replacement, at, pattern));
    let reaches_into = || (0..pattern.len()).any(|at| overlaps(pattern, at, replacement));
    begins_within() || reaches_into()
}

/// Whether `second` can begin at the byte `at` of `first`.
fn overlaps(first: &[u8], at: usize, second: &[u8]) -> bool {
    first.iter().skip(at).zip(second).all(|(a, b)| a == b)
}
