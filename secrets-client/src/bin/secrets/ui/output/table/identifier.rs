//! Identifiers on a terminal: as much of each as tells it from the others of its column.

/// Fewer characters than this are easily met again tomorrow.
const MIN_CHARACTERS: usize = 8;

/// How many characters of the identifiers tell them apart. No identifier ends in a hyphen that way, and what is short stays
/// whole.
pub(super) fn distinct_length(identifiers: &[&str]) -> usize {
    let mut sorted = identifiers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let shared = |pair: &[&str]| match pair {
        [a, b] => a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    let needed = sorted.windows(2).map(shared).max().map_or(0, |shared| shared + 1).max(MIN_CHARACTERS);
    let ends_in_hyphen = |length: usize| sorted.iter().any(|id| id.chars().nth(length - 1) == Some('-'));
    if ends_in_hyphen(needed) { needed + 1 } else { needed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_as_much_as_tells_them_apart() {
        let [a, b] = ["7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "7c2a51d2-0a5d-4d9d-9f3b-1d1f6b7c2e11"];
        assert_eq!(distinct_length(&[a]), 8);
        assert_eq!(distinct_length(&[a, a]), 8);
        assert_eq!(distinct_length(&[a, "11111111-0a5c-4d9d-9f3b-1d1f6b7c2e11"]), 8);
        assert_eq!(distinct_length(&[a, b]), 13);
        assert_eq!(distinct_length(&["7c2a51d2-0a5c", "7c2a51d2-1a5c"]), 10);
        assert_eq!(distinct_length(&["12345678-1", "12345679-1"]), 8);
        assert_eq!(distinct_length(&[]), 8);
    }
}
