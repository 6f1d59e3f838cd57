//! Characters that hide something from a reader, and how error messages show them.

use std::fmt;

/// A refused character as the phrase that follows "invalid", so that a look-alike or a control character can't hide:
/// printable ASCII as itself in backticks, anything else as its code point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown(pub(crate) char);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ' ' => f.write_str("space"),
            '`' => f.write_str("backtick"),
            c if c.is_ascii_graphic() => write!(f, "character `{c}`"),
            c => write!(f, "character U+{:04X}", u32::from(c)),
        }
    }
}

/// Whether a reader would not see `c`: control characters, zero-width characters, byte order marks, direction marks,
/// soft hyphens, exotic spaces and line separators, tags and variation selectors.
///
/// Tab, line feed and carriage return are control characters too; callers that accept them ask for them first.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00A0}' | '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{1680}'
            | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}'
            | '\u{205F}'..='\u{206F}' | '\u{2800}' | '\u{3000}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{EFFFF}')
}

/// Whether `c` makes a terminal, a person or an agent read something else than what stands there: control characters
/// (C1 among them), characters that reorder what follows, and plane 14, whose tags and selectors agents read and people
/// do not see.
///
/// Fewer than [`is_invisible`]: what joins letters or picks the form of a symbol belongs to ordinary text.
///
/// Tab and line feed are control characters too; callers that accept them ask for them first.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{206F}'
            | '\u{E0000}'..='\u{EFFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_homoglyph_by_its_code_point() {
        assert_eq!(Shown('\u{0410}').to_string(), "character U+0410"); // CYRILLIC CAPITAL LETTER A
        assert_eq!(Shown('A').to_string(), "character `A`");
        assert_eq!(Shown('\0').to_string(), "character U+0000");
        assert_eq!(Shown(' ').to_string(), "space");
    }

    #[test]
    fn sees_what_a_reader_does_not() {
        for c in ['\0', '\n', '\u{200B}', '\u{FEFF}', '\u{00A0}', '\u{202E}', '\u{E0041}'] {
            assert!(is_invisible(c), "U+{:04X}", u32::from(c));
        }
        for c in ['a', ' ', 'é', '漢', '🔑', '\u{0410}'] {
            assert!(!is_invisible(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn tells_deceptive_characters_from_ordinary_text() {
        let escape = '\u{1B}';
        for c in [
            escape,
            '\0',
            '\u{7F}',
            '\u{85}',
            '\u{9B}',
            '\u{200E}',
            '\u{202E}',
            '\u{2067}',
            '\u{2029}',
            '\u{E0041}',
            '\u{E0101}',
        ] {
            assert!(is_deceptive(c), "U+{:04X}", u32::from(c));
            assert!(is_invisible(c), "U+{:04X}", u32::from(c));
        }
        for c in "a é漢🔑\u{0410}👩\u{200D}🔧❤\u{FE0F}می\u{200C}خواهم".chars() {
            assert!(!is_deceptive(c), "U+{:04X}", u32::from(c));
        }
    }
}
