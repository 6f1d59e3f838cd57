//! Long patterns in parts.

/// A part has fewer than twice as many bytes, unless it repeats itself.
const PART: usize = 512;
/// Parts that repeat so few bytes are not looked for on their own.
const SHORT_PERIOD: usize = 6;

/// Calls `part` with each part of `pattern`, and whether it goes on after another.
///
/// A part that only repeats a few bytes would mask what has nothing to do with the value, say, zeros; so it stays with
/// the part before it, or the one behind it. And no part begins or ends with `*` if the pattern doesn't, so that `***`
/// can stand in its place.
pub(super) fn of<E>(pattern: &[u8], mut part: impl FnMut(&[u8], bool) -> Result<(), E>) -> Result<(), E> {
    let mut rest = pattern;
    while !rest.is_empty() {
        let end = first_part(rest);
        let (first, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        part(first, rest.len() < pattern.len())?;
        rest = behind;
    }
    Ok(())
}

/// Where the first part of `pattern` ends.
fn first_part(pattern: &[u8]) -> usize {
    let is_telling = |part: Option<&[u8]>| part.is_some_and(|part| !repeats_itself(part));
    let mut end = PART;
    while pattern.len() >= end + PART {
        let is_good = is_telling(pattern.get(..end)) && is_telling(pattern.get(end..end + PART));
        let touches_asterisk = pattern.get(end - 1..=end).is_some_and(|around| around.contains(&b'*'));
        match (is_good, touches_asterisk) {
            (true, false) => return end,
            (true, true) => end += 1,
            (false, _) => end += PART,
        }
    }
    pattern.len()
}

fn repeats_itself(part: &[u8]) -> bool {
    (1..=SHORT_PERIOD).any(|period| part.iter().zip(part.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(pattern: &[u8]) -> Vec<(usize, bool)> {
        let mut parts = Vec::new();
        of(pattern, |part, continues| {
            parts.push((part.len(), continues));
            Ok::<(), ()>(())
        })
        .unwrap();
        parts
    }

    /// Bytes that do not repeat themselves.
    fn telling(count: usize) -> Vec<u8> {
        (0..count).map(|index| (index * index / 7 % 251) as u8).collect()
    }

    #[test]
    fn cuts_only_what_is_long() {
        assert_eq!(parts(&telling(6)), [(6, false)]);
        assert_eq!(parts(&telling(1023)), [(1023, false)]);
        assert_eq!(parts(&telling(1024)), [(512, false), (512, true)]);
        assert_eq!(parts(&telling(1600)), [(512, false), (512, true), (576, true)]);
    }

    #[test]
    fn cuts_beside_asterisks() {
        let mut pattern = telling(1300);
        pattern[510..514].copy_from_slice(b"abc*");
        assert_eq!(parts(&pattern), [(512, false), (788, true)]);
        pattern[511..514].copy_from_slice(b"*bc");
        assert_eq!(parts(&pattern), [(513, false), (787, true)]);
        pattern[511..514].copy_from_slice(b"***");
        assert_eq!(parts(&pattern), [(515, false), (785, true)]);
    }

    #[test]
    fn keeps_what_repeats_itself_with_its_neighbours() {
        assert_eq!(parts(&[b'A'; 5000]), [(5000, false)]);
        assert_eq!(parts(&b"%00".repeat(2000)), [(6000, false)]);
        assert_eq!(
            parts(&[telling(512), vec![0; 2048], telling(1024)].concat()),
            [(2560, false), (512, true), (512, true)]
        );
        assert_eq!(parts(&[vec![0; 2048], telling(1024)].concat()), [(2560, false), (512, true)]);
    }
}
