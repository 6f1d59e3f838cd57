//! Long patterns in chunks.

/// A chunk has fewer than twice as many bytes, unless it repeats itself.
const CHUNK_BYTES: usize = 512;
/// Chunks that repeat so few bytes are not looked for on their own.
const MAX_PERIOD_BYTES: usize = 6;

/// Calls `chunk` with each chunk of `pattern`, and whether it goes on after another.
///
/// A chunk that only repeats a few bytes would mask what has nothing to do with the value, say, zeros; so it stays with
/// the chunk before it, or the one behind it. And no chunk begins or ends with `*` if the pattern doesn't, so that `***`
/// can stand in its place.
pub(super) fn split<E>(pattern: &[u8], mut chunk: impl FnMut(&[u8], bool) -> Result<(), E>) -> Result<(), E> {
    let mut rest = pattern;
    while !rest.is_empty() {
        let end = first_part(rest);
        let (first, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        chunk(first, rest.len() < pattern.len())?;
        rest = behind;
    }
    Ok(())
}

/// Where the first chunk of `pattern` ends.
fn first_part(pattern: &[u8]) -> usize {
    let is_telling = |chunk: Option<&[u8]>| chunk.is_some_and(|chunk| !repeats_itself(chunk));
    let mut end = CHUNK_BYTES;
    while pattern.len() >= end + CHUNK_BYTES {
        let is_good = is_telling(pattern.get(..end)) && is_telling(pattern.get(end..end + CHUNK_BYTES));
        let touches_asterisk = pattern.get(end - 1..=end).is_some_and(|around| around.contains(&b'*'));
        match (is_good, touches_asterisk) {
            (true, false) => return end,
            (true, true) => end += 1,
            (false, _) => end += CHUNK_BYTES,
        }
    }
    pattern.len()
}

fn repeats_itself(chunk: &[u8]) -> bool {
    (1..=MAX_PERIOD_BYTES).any(|period| chunk.iter().zip(chunk.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(pattern: &[u8]) -> Vec<(usize, bool)> {
        let mut chunks = Vec::new();
        split(pattern, |chunk, continues| {
            chunks.push((chunk.len(), continues));
            Ok::<(), ()>(())
        })
        .unwrap();
        chunks
    }

    /// Bytes that do not repeat themselves.
    fn telling(count: usize) -> Vec<u8> {
        (0..count).map(|index| (index * index / 7 % 251) as u8).collect()
    }

    #[test]
    fn cuts_only_what_is_long() {
        assert_eq!(chunks(&telling(6)), [(6, false)]);
        assert_eq!(chunks(&telling(1023)), [(1023, false)]);
        assert_eq!(chunks(&telling(1024)), [(512, false), (512, true)]);
        assert_eq!(chunks(&telling(1600)), [(512, false), (512, true), (576, true)]);
    }

    #[test]
    fn cuts_beside_asterisks() {
        let mut pattern = telling(1300);
        pattern[510..514].copy_from_slice(b"abc*");
        assert_eq!(chunks(&pattern), [(512, false), (788, true)]);
        pattern[511..514].copy_from_slice(b"*bc");
        assert_eq!(chunks(&pattern), [(513, false), (787, true)]);
        pattern[511..514].copy_from_slice(b"***");
        assert_eq!(chunks(&pattern), [(515, false), (785, true)]);
    }

    #[test]
    fn keeps_what_repeats_itself_with_its_neighbours() {
        assert_eq!(chunks(&[b'A'; 5000]), [(5000, false)]);
        assert_eq!(chunks(&b"%00".repeat(2000)), [(6000, false)]);
        assert_eq!(
            chunks(&[telling(512), vec![0; 2048], telling(1024)].concat()),
            [(2560, false), (512, true), (512, true)]
        );
        assert_eq!(chunks(&[vec![0; 2048], telling(1024)].concat()), [(2560, false), (512, true)]);
    }
}
