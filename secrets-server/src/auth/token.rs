//! Tokens: `<prefix>_<43 characters of base62: 32 random bytes><6 characters of base62: CRC-32>`.
//!
//! Each kind has a prefix of its own, and the whole is of fixed length and self-checking, so that scanners find
//! leaked tokens without asking anybody: `s(per|svc|ses|opr|inv|rec|lgn)_[0-9A-Za-z]{49}`. The CRC-32 (of ISO 3309, as in
//! zlib) is over everything before it. It guards against typing errors, not against anybody: what makes a token valid is
//! that its MAC is stored.

use crc::{CRC_32_ISO_HDLC, Crc};
use secrets_core::CredentialKind;
use zeroize::Zeroizing;

use crate::crypto::{MacKey, MacPurpose, Random, RandomError};

const RANDOM_BYTES: usize = 32;
const BODY_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;
const RANDOM_AND_CHECKSUM: usize = BODY_CHARACTERS + CHECKSUM_CHARACTERS;
/// 2²⁵⁶ − 1 in base62: the largest body. Digits sort as their ASCII codes do, so that texts compare as numbers.
const LARGEST_BODY: &str = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A token that is well-formed; whether it is valid only the store can tell.
///
/// Wiped when dropped; without `Debug`, `Display`, `Serialize`, `Clone` and `PartialEq`.
pub struct Token {
    kind: CredentialKind,
    text: Zeroizing<String>,
}

impl Token {
    /// A new random token.
    pub fn make(random: &dyn Random, kind: CredentialKind) -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        random.fill(bytes.as_mut_slice())?;
        // With room for all of it: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str(kind.prefix());
        push_base62::<BODY_CHARACTERS>(bytes.as_mut_slice(), &mut text);
        let checksum = CRC.checksum(text.as_bytes());
        push_base62::<CHECKSUM_CHARACTERS>(&mut checksum.to_be_bytes(), &mut text);
        Ok(Self { kind, text })
    }

    /// Takes `text` for a token if it is one to the letter: nothing is trimmed or folded.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let kind = CredentialKind::from_prefix(text).ok_or(InvalidToken::UnknownPrefix)?;
        let prefix = kind.prefix();
        let rest = text.strip_prefix(prefix).ok_or(InvalidToken::UnknownPrefix)?;
        if rest.len() != RANDOM_AND_CHECKSUM {
            return Err(InvalidToken::Length { length: text.len(), expected: prefix.len() + RANDOM_AND_CHECKSUM });
        }
        if let Some(at) = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric()) {
            return Err(InvalidToken::Character { at: prefix.len() + at });
        }
        let (checked, checksum) =
            text.split_at_checked(text.len() - CHECKSUM_CHARACTERS).ok_or(InvalidToken::Checksum)?;
        let mut expected = String::with_capacity(CHECKSUM_CHARACTERS);
        push_base62::<CHECKSUM_CHARACTERS>(&mut CRC.checksum(checked.as_bytes()).to_be_bytes(), &mut expected);
        // A body beyond 32 bytes has never been issued, whatever its checksum.
        if checksum != expected || (rest > LARGEST_BODY && !rest.starts_with(LARGEST_BODY)) {
            return Err(InvalidToken::Checksum);
        }
        Ok(Self { kind, text: Zeroizing::new(text.to_owned()) })
    }

    /// Whom it speaks for.
    #[must_use]
    pub const fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// What is stored of it, and looked up by: its MAC under the pepper. The prefix is part of it.
    #[must_use]
    pub fn mac(&self, pepper: &MacKey) -> [u8; 32] {
        pepper.mac(MacPurpose::Token, self.text.as_bytes())
    }

    /// The token itself, to be shown once. Say, where this is called, to whom.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// Why a text is not a valid token. Says nothing of the text but lengths and positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It does not begin as any token does.
    #[error("expected a token, which begins with {}", prefixes())]
    UnknownPrefix,
    /// Cut off, or with something after its end.
    #[error("{}", length_message(*length, *expected))]
    Length {
        /// The bytes there are.
        length: usize,
        /// The bytes there have to be.
        expected: usize,
    },
    /// Something other than a letter or digit.
    #[error("invalid character at byte {at} of the token; after its prefix a token has letters and digits only")]
    Character {
        /// Where, counted in bytes from 0.
        at: usize,
    },
    /// A typing error, or text that only looks like a token.
    #[error("the checksum at the end of the token is not that of the rest; copy the token anew")]
    Checksum,
}

fn prefixes() -> String {
    let prefixes: Vec<_> = CredentialKind::ALL.iter().map(|kind| format!("`{}`", kind.prefix())).collect();
    match prefixes.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn length_message(length: usize, expected: usize) -> String {
    if length < expected {
        format!("the token is cut short ({length} of {expected} characters)")
    } else {
        format!("the token has text behind its end ({length} characters instead of {expected})")
    }
}

/// Appends `N` digits of the big-endian `number`, which is zero afterwards if it fits.
fn push_base62<const N: usize>(number: &mut [u8], text: &mut String) {
    let mut digits = Zeroizing::new([0; N]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u16::from(*byte);
            // Less than 256, since the remainder is less than 62.
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = remainder as u8;
    }
    for digit in digits.iter() {
        text.push(char::from(match digit {
            0..=9 => b'0' + digit,
            10..=35 => b'A' + (digit - 10),
            _ => b'a' + (digit - 36),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::{BrokenRandom, CountingRandom};
    use crate::crypto::{SymmetricKey, SystemRandom};

    /// Made independently, with Python's integers and `zlib.crc32`, of the bytes 0, 1, … 31.
    const COUNTED: &str = "sper_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2SPfSA";

    fn with_checksum(checked: &str) -> String {
        let mut text = checked.to_owned();
        push_base62::<CHECKSUM_CHARACTERS>(&mut CRC.checksum(checked.as_bytes()).to_be_bytes(), &mut text);
        text
    }

    fn refusal(text: &str) -> InvalidToken {
        Token::parse(text).map(drop).unwrap_err()
    }

    #[test]
    fn is_base62_of_32_bytes_and_of_their_crc_32() {
        assert_eq!(Token::make(&CountingRandom::default(), CredentialKind::Personal).unwrap().expose(), COUNTED);
        let mut largest = String::new();
        push_base62::<BODY_CHARACTERS>(&mut [0xff; RANDOM_BYTES], &mut largest);
        assert_eq!(largest, LARGEST_BODY);
    }

    #[test]
    fn parses_what_it_makes_of_every_kind() {
        for &kind in CredentialKind::ALL {
            for _ in 0..200 {
                let token = Token::make(&SystemRandom, kind).unwrap();
                assert_eq!(token.expose().len(), 54);
                let parsed = Token::parse(token.expose()).unwrap();
                assert!(parsed.kind() == kind && parsed.expose() == token.expose());
            }
        }
    }

    #[test]
    fn refuses_other_prefixes() {
        let long = "x".repeat(10_000);
        for text in
            ["", "_", "sper", &long, &COUNTED[1..], &COUNTED.replace("sper", "SPER"), &COUNTED.replace("sper", "sxxx")]
        {
            assert_eq!(refusal(text), InvalidToken::UnknownPrefix);
        }
        assert_eq!(refusal(&format!(" {COUNTED}")), InvalidToken::UnknownPrefix);
    }

    #[test]
    fn another_kinds_prefix_breaks_the_checksum() {
        assert_eq!(refusal(&COUNTED.replace("sper", "sopr")), InvalidToken::Checksum);
    }

    #[test]
    fn refuses_every_truncation_and_extension() {
        for length in 5..COUNTED.len() {
            assert_eq!(refusal(&COUNTED[..length]), InvalidToken::Length { length, expected: 54 });
        }
        for more in ["0", "\n", " ", "=", "é"] {
            let length = COUNTED.len() + more.len();
            assert_eq!(refusal(&format!("{COUNTED}{more}")), InvalidToken::Length { length, expected: 54 });
        }
    }

    #[test]
    fn refuses_other_characters_and_says_where() {
        for character in ["-", "_", "+", "/", "=", " ", "\0", "~"] {
            for at in 5..54 {
                let text = format!("{}{character}{}", &COUNTED[..at], &COUNTED[at + 1..]);
                assert_eq!(refusal(&text), InvalidToken::Character { at });
            }
        }
        assert_eq!(refusal(&format!("{}é{}", &COUNTED[..20], &COUNTED[22..])), InvalidToken::Character { at: 20 });
    }

    #[test]
    fn refuses_every_single_mistyped_character() {
        for at in 5..54 {
            for typed in ('0'..='9').chain('A'..='Z').chain('a'..='z') {
                let text = format!("{}{typed}{}", &COUNTED[..at], &COUNTED[at + 1..]);
                if text != COUNTED {
                    assert_eq!(refusal(&text), InvalidToken::Checksum, "at {at}");
                }
            }
        }
    }

    #[test]
    fn refuses_a_body_that_no_32_bytes_have() {
        assert!(Token::parse(&with_checksum(&format!("sper_{LARGEST_BODY}"))).is_ok());
        let mut beyond = LARGEST_BODY.to_owned();
        let last = beyond.pop().unwrap();
        beyond.push(char::from(u8::try_from(last).unwrap() + 1));
        assert_eq!(refusal(&with_checksum(&format!("sper_{beyond}"))), InvalidToken::Checksum);
        assert_eq!(refusal(&with_checksum(&format!("sper_{}", "z".repeat(43)))), InvalidToken::Checksum);
    }

    #[test]
    fn no_message_holds_any_of_the_text() {
        let marker = "Q9zQ9zQ9z";
        for text in [
            marker.to_owned(),
            format!("sper_{marker}"),
            format!("{}{marker}", &COUNTED[..45]),
            COUNTED.replacen('0', "!", 1),
        ] {
            let message = refusal(&text).to_string();
            assert!(!message.contains("Q9z") && !message.contains(&COUNTED[5..12]), "{message}");
        }
    }

    #[test]
    fn the_mac_depends_on_pepper_kind_and_every_character() {
        let key = |byte| MacKey::new(1, SymmetricKey::copied_from(&[byte; 32]).unwrap());
        let pepper = key(1);
        let token = Token::parse(COUNTED).unwrap();
        assert_eq!(token.mac(&pepper), pepper.mac(MacPurpose::Token, COUNTED.as_bytes()));
        assert_ne!(token.mac(&pepper), token.mac(&key(2)));
        let operator = Token::make(&CountingRandom::default(), CredentialKind::Operator).unwrap();
        assert_ne!(token.mac(&pepper), operator.mac(&pepper));
    }

    #[test]
    fn no_token_is_made_without_randomness() {
        assert!(Token::make(&BrokenRandom, CredentialKind::Session).is_err());
    }
}
