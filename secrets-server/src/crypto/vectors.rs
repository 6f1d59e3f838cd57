//! Published test vectors and golden records: blocks of `name = value` lines, as NIST writes them.

use std::collections::HashMap;

/// One block.
pub(crate) struct Vector(HashMap<String, String>);

impl Vector {
    /// The value of a line, as it stands.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no line `{name}`"))
    }

    /// The value of a line of hexadecimal digits.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        from_hex(self.text(name))
    }
}

/// Reads the blocks, which empty lines part; `#` starts a comment, `[` a heading.
pub(crate) fn parse(file: &str) -> Vec<Vector> {
    let block = |text: &str| -> HashMap<String, String> {
        text.lines()
            .filter(|line| !line.starts_with(['#', '[']))
            .map(|line| line.split_once('=').unwrap_or_else(|| panic!("no `=` in `{line}`")))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect()
    };
    file.trim().split("\n\n").map(block).filter(|block| !block.is_empty()).map(Vector).collect()
}

/// Writes bytes as hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2) && digits.is_ascii(), "hexadecimal digits come in pairs");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}
