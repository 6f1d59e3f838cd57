//! The key of the rows: `version of the key (4 bytes, big-endian) ‖ HMAC-SHA-256` is the MAC of each row that decides.

use crate::crypto::mac::MAC_BYTES;
use crate::crypto::{MacKey, MacPurpose, Transcript};
use crate::store::RowKey;

const VERSION_BYTES: usize = 4;

/// The versions of the key, the one in use last.
pub struct RowMacs(Vec<MacKey>);

impl RowMacs {
    pub fn new(keys: Vec<MacKey>) -> Self {
        Self(keys)
    }
}

impl RowKey for RowMacs {
    fn mac(&self, row: &Transcript) -> Vec<u8> {
        let mut stored = Vec::with_capacity(VERSION_BYTES + MAC_BYTES);
        if let Some(key) = self.0.last() {
            stored.extend_from_slice(&key.version().to_be_bytes());
            stored.extend_from_slice(&key.mac(MacPurpose::Row, row.as_bytes()));
        }
        stored
    }

    fn verify(&self, row: &Transcript, mac: &[u8]) -> bool {
        let Some((version, mac)) = mac.split_first_chunk::<VERSION_BYTES>() else { return false };
        let key = self.0.iter().find(|key| key.version() == u32::from_be_bytes(*version));
        key.is_some_and(|key| key.verify(MacPurpose::Row, row.as_bytes(), mac))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;

    fn row(text: &str) -> Transcript {
        let mut row = Transcript::default();
        row.push(text.as_bytes());
        row
    }

    #[test]
    fn verifies_a_row_as_it_was_written_and_no_other() {
        let macs = RowMacs::new(vec![MacKey::make(&SystemRandom, 1).unwrap()]);
        let mac = macs.mac(&row("a"));
        assert!(macs.verify(&row("a"), &mac));
        assert!(!macs.verify(&row("b"), &mac));
        for length in 0..mac.len() {
            assert!(!macs.verify(&row("a"), &mac[..length]), "{length} bytes");
        }
        for bit in 0..mac.len() * 8 {
            let mut altered = mac.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(!macs.verify(&row("a"), &altered), "bit {bit}");
        }
    }

    #[test]
    fn an_older_version_verifies_and_the_newest_writes() {
        let bytes = crate::crypto::SymmetricKey::make(&SystemRandom).unwrap();
        let copy = || crate::crypto::SymmetricKey::copied_from(bytes.expose()).unwrap();
        let first = RowMacs::new(vec![MacKey::new(1, copy())]).mac(&row("a"));
        let both = RowMacs::new(vec![MacKey::new(1, copy()), MacKey::make(&SystemRandom, 2).unwrap()]);
        assert!(both.verify(&row("a"), &first));
        assert_eq!(both.mac(&row("a"))[..4], [0, 0, 0, 2]);
    }

    #[test]
    fn without_a_key_nothing_verifies() {
        let none = RowMacs::new(Vec::new());
        assert!(!none.verify(&row("a"), &none.mac(&row("a"))));
    }
}
