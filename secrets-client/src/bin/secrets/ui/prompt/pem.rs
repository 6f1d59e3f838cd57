//! Whether a text holds a key or certificate in PEM (RFC 7468), and whether it holds all of it.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pem {
    /// There is none.
    None,
    /// One begins and does not end.
    Open,
    /// There is one, and each has its end.
    Whole,
}

pub(super) fn pem(text: &[u8]) -> Pem {
    let (mut open, mut found) = (None, Pem::None);
    for line in text.split(|byte| *byte == b'\n') {
        match boundary(line) {
            Some(Boundary::Begin(label)) => open = Some(label),
            Some(Boundary::End(label)) if open == Some(label) => (open, found) = (None, Pem::Whole),
            _ => {}
        }
    }
    if open.is_some() { Pem::Open } else { found }
}

enum Boundary<'a> {
    Begin(&'a [u8]),
    End(&'a [u8]),
}

/// Reads `-----BEGIN LABEL-----` or `-----END LABEL-----`; keys of SSH2 have four dashes and a space.
fn boundary(line: &[u8]) -> Option<Boundary<'_>> {
    let line = line.trim_ascii();
    let enclosed = |dashes: &str| line.strip_prefix(dashes.as_bytes())?.strip_suffix(dashes.as_bytes());
    let inner = enclosed("-----").or_else(|| enclosed("----"))?.trim_ascii();
    let begin = inner.strip_prefix(b"BEGIN ").map(Boundary::Begin);
    begin.or_else(|| inner.strip_prefix(b"END ").map(Boundary::End))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_whole_key_from_a_part_of_one() {
        let whole = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
        assert_eq!(pem(whole.as_bytes()), Pem::Whole);
        for end in 36..whole.len() {
            assert_eq!(pem(&whole.as_bytes()[..end]), Pem::Open, "{end}");
        }
        let chain = format!("Bag Attributes\n{whole}\r\n{whole}\n");
        assert_eq!(pem(chain.as_bytes()), Pem::Whole);
        assert_eq!(pem(format!("{whole}\n-----BEGIN CERTIFICATE-----\nAAAA").as_bytes()), Pem::Open);
        assert_eq!(pem(b"-----BEGIN A-----\n-----END B-----"), Pem::Open);
        assert_eq!(pem(b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n"), Pem::Whole);
    }

    #[test]
    fn takes_no_other_text_for_a_key() {
        for text in ["", "lin_123", "----", "--------", "-----END A-----", "see -----BEGIN A-----", "-----BEGIN A"] {
            assert_eq!(pem(text.as_bytes()), Pem::None, "{text}");
        }
        assert_eq!(pem(br#"{"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA"}"#), Pem::None);
    }
}
