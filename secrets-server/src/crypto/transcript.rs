//! Fields written one after the other so that no two lists of fields give the same bytes: each is its length (8 bytes,
//! big-endian) and its bytes. Whatever is authenticated or compared as a whole is written so.

/// A list of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transcript(Vec<u8>);

impl Transcript {
    /// Appends one field.
    pub fn push(&mut self, field: &[u8]) -> &mut Self {
        let length = field.len() as u64;
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(fields: &[&str]) -> Transcript {
        let mut transcript = Transcript::default();
        for field in fields {
            transcript.push(field.as_bytes());
        }
        transcript
    }

    #[test]
    fn a_field_is_its_length_and_its_bytes() {
        assert_eq!(transcript(&["h", "ab"]).as_bytes(), b"\0\0\0\0\0\0\0\x01h\0\0\0\0\0\0\0\x02ab");
    }

    #[test]
    fn bytes_do_not_move_between_fields() {
        let lists: [&[&str]; 6] = [&[], &[""], &["", ""], &["ab", "c"], &["a", "bc"], &["\0\0\0\0\0\0\0\u{2}ab", "c"]];
        for (at, one) in lists.iter().enumerate() {
            for other in lists.iter().skip(at + 1) {
                assert_ne!(transcript(one), transcript(other), "{one:?}");
            }
        }
    }
}
