//! Texts that are kept and sent back to the service as they came, and times.

use prost_types::Timestamp;

use super::BrokenRule;

/// More than an etag or a revision takes.
pub(super) const MAX_TOKEN_BYTES: usize = 256;
/// The first second of the year 1.
const FIRST_SECOND: i64 = -62_135_596_800;
/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// Whether a text may be an etag or a revision.
pub(crate) fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Refuses a text that is not an etag or a revision.
pub(super) fn token(field: &'static str, text: &str) -> Result<(), BrokenRule> {
    if is_token(text) { Ok(()) } else { Err(BrokenRule::Token { field }) }
}

/// Refuses a time that RFC 3339 could not write.
pub(super) fn time(field: &'static str, time: Option<&Timestamp>) -> Result<(), BrokenRule> {
    let is_valid = |time: &Timestamp| {
        (FIRST_SECOND..=LAST_SECOND).contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos)
    };
    if time.is_none_or(is_valid) { Ok(()) } else { Err(BrokenRule::Time { field }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_service_writes() {
        assert!(is_token("9G3eUbdPHkM6x1bMZ4v2SA") && is_token("17.5b0c") && is_token(&"x".repeat(256)));
        for text in ["", "a b", "a\n", "\u{1b}[2J", "\u{e9}", &"x".repeat(257)] {
            assert!(!is_token(text), "{text:?}");
        }
    }

    #[test]
    fn refuses_times_that_are_none() {
        let of = |seconds, nanos| time("t", Some(&Timestamp { seconds, nanos }));
        assert!(time("t", None).is_ok() && of(FIRST_SECOND, 0).is_ok() && of(LAST_SECOND, 999_999_999).is_ok());
        for (seconds, nanos) in [(FIRST_SECOND - 1, 0), (LAST_SECOND + 1, 0), (i64::MAX, 0), (0, -1), (0, i32::MAX)] {
            assert_eq!(of(seconds, nanos), Err(BrokenRule::Time { field: "t" }), "{seconds} {nanos}");
        }
    }
}
