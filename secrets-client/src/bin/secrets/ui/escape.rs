//! What came from elsewhere, as a terminal may get it.

/// Text that a terminal shows and does not obey: control characters and those that turn the writing around appear as
/// code points.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push(' '),
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                shown.extend(c.escape_unicode());
            }
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_terminal_would_obey() {
        assert_eq!(escape("a\x1b[31mb\r\u{202e}c\nd"), "a\\u{1b}[31mb\\u{d}\\u{202e}c\\nd");
        assert_eq!(escape("gr\u{fc}n \u{2022}"), "gr\u{fc}n \u{2022}");
    }
}
