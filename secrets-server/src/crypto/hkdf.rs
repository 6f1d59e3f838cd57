//! HKDF (RFC 5869) through aws-lc-rs.

use aws_lc_rs::hkdf::{Algorithm, KeyType, Salt};

/// Fills `output` from `key`, `salt` and `info` (its parts are concatenated: the caller keeps them apart).
///
/// The service derives with [`aws_lc_rs::hkdf::HKDF_SHA512`] only; the algorithm is a parameter so that the published
/// vectors, which use other hashes too, run through this very code.
pub fn derive(
    algorithm: Algorithm,
    key: &[u8],
    salt: &[u8],
    info: &[&[u8]],
    output: &mut [u8],
) -> Result<(), DeriveError> {
    Salt::new(algorithm, salt)
        .extract(key)
        .expand(info, Length(output.len()))
        .and_then(|derived| derived.fill(output))
        .map_err(|_| DeriveError)
}

/// More output was asked for than HKDF has: 255 times the hash's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key derivation refused the length of its output")]
pub struct DeriveError;

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hkdf::{HKDF_SHA1_FOR_LEGACY_USE_ONLY, HKDF_SHA256, HKDF_SHA512};

    use super::super::vectors::{self, Vector};
    use super::*;

    #[test]
    fn gives_the_answers_of_rfc_5869() {
        assert_eq!(check(&vectors::parse(include_str!("vectors/rfc5869.txt"))), 7);
    }

    #[test]
    fn gives_the_answers_of_wycheproof_for_sha_512() {
        assert_eq!(check(&vectors::parse(include_str!("vectors/wycheproof_hkdf_sha512.txt"))), 34);
    }

    #[test]
    fn refuses_more_output_than_hkdf_has() {
        let mut output = vec![0; 255 * 64 + 1];
        assert_eq!(derive(HKDF_SHA512, &[1; 32], &[2; 32], &[], &mut output), Err(DeriveError));
    }

    fn check(vectors: &[Vector]) -> usize {
        for vector in vectors {
            let algorithm = match vector.text("Hash") {
                "SHA-1" => HKDF_SHA1_FOR_LEGACY_USE_ONLY,
                "SHA-256" => HKDF_SHA256,
                "SHA-512" => HKDF_SHA512,
                other => panic!("no hash `{other}`"),
            };
            let expected = vector.bytes("OKM");
            let mut output = vec![0; expected.len()];
            let info = vector.bytes("info");
            derive(algorithm, &vector.bytes("IKM"), &vector.bytes("salt"), &[&info], &mut output).unwrap();
            assert_eq!(output, expected, "case {}", vector.text("COUNT"));
            let (head, tail) = info.split_at(info.len() / 2);
            derive(algorithm, &vector.bytes("IKM"), &vector.bytes("salt"), &[head, tail], &mut output).unwrap();
            assert_eq!(output, expected, "case {}, info in two parts", vector.text("COUNT"));
        }
        vectors.len()
    }
}
