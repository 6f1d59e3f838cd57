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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::patterns::Builder;

    fn chosen(patterns: &[&str]) -> Option<&'static str> {
        let mut builder = Builder::new(1 << 20);
        for pattern in patterns {
            builder.add(pattern.as_bytes(), false).unwrap();
        }
        choose(&builder.build())
    }

    #[test]
    fn avoids_what_could_complete_a_pattern() {
        for (patterns, replacement) in [
            (&["p4ss*word", "ab**cdef"][..], "***"),
            (&["*abcdef"], "•••"),
            (&["abcdef**"], "•••"),
            (&["abc***def"], "•••"),
            (&["******"], "•••"),
            (&["*abcdef", "abcdef•"], "[masked]"),
            (&["*abcdef", "abcdef•", "d]abcdef"], "<masked>"),
            (&[], "***"),
        ] {
            assert_eq!(chosen(patterns), Some(replacement), "{patterns:?}");
        }
    }

    #[test]
    fn refuses_patterns_that_touch_all() {
        let patterns: Vec<String> = REPLACEMENTS.iter().map(|replacement| format!("{replacement}abcdef")).collect();
        assert_eq!(chosen(&patterns.iter().map(String::as_str).collect::<Vec<_>>()), None);
    }
}
