//! Page tokens: opaque, and bound to their query, filter and order.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::{MacKey, MacPurpose, Transcript};

/// Enough of an HMAC-SHA-256 that nobody guesses one.
const TAG_BYTES: usize = 16;
/// Longer than any that is made: a cursor is a name, a time or a uid.
pub const MAX_BYTES: usize = 1_024;

/// The token of the page of `query` that begins after `cursor`.
pub fn encode(key: &MacKey, query: &[&str], cursor: &str) -> String {
    let mut bytes = tag(key, query, cursor);
    bytes.extend_from_slice(cursor.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor of a token that was made for the same `query` under the same key; none of any other text.
pub fn decode(key: &MacKey, query: &[&str], token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (given, cursor) = bytes.split_at_checked(TAG_BYTES)?;
    let cursor = std::str::from_utf8(cursor).ok()?;
    verify_slices_are_equal(&tag(key, query, cursor), given).ok()?;
    Some(cursor.to_owned())
}

fn tag(key: &MacKey, query: &[&str], cursor: &str) -> Vec<u8> {
    let mut transcript = Transcript::default();
    for part in query.iter().chain([&cursor]) {
        transcript.push(part.as_bytes());
    }
    let mac = key.mac(MacPurpose::PageToken, transcript.as_bytes());
    mac.into_iter().take(TAG_BYTES).collect()
}
