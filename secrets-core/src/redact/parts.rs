//! Long patterns in parts.

/// A part has fewer than twice as many bytes, unless it repeats itself.
const PART: usize = 512;
/// Parts that repeat so few bytes are not looked for on their own.
const SHORT_PERIOD: usize = 6;

/// Calls `part` with each part of `pattern`, and whether it goes on after another.
///
/// A part that only repeats a few bytes would mask what has nothing to do with the value, say, zeros; so it stays with
/// the part before it, or the one behind it.
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
        if is_telling(pattern.get(..end)) && is_telling(pattern.get(end..end + PART)) {
            return end;
        }
        end += PART;
    }
    pattern.len()
}

fn repeats_itself(part: &[u8]) -> bool {
    (1..=SHORT_PERIOD).any(|period| part.iter().zip(part.iter().skip(period)).all(|(a, b)| a == b))
}
