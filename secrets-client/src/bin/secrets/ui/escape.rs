//! What came from elsewhere, as a terminal may get it: from the network, a file or an argument.
//!
//! Escaped is what a terminal obeys, and what lets a reader see something else than what stands there: control characters, C1
//! among them, those that turn the writing around, those without a width, and the tags of plane 14, which agents read and
//! people do not see.

use secrets_core::text::is_deceptive;

/// More than any one text has that is shown: a value in full length.
const MAX_CHARACTERS: usize = 64 * 1024;

/// Text on one line that a terminal shows and does not obey: what must not reach it appears as code points. What is longer
/// than any text of the service is cut.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_CHARACTERS));
    let mut characters = text.chars();
    for c in characters.by_ref().take(MAX_CHARACTERS) {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push(' '),
            c if is_escaped(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// The same of several lines.
pub(crate) fn lines(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => format!("{}\n", escape(line)),
            None => escape(line),
        })
        .collect()
}

/// A JSON text that means the same and has nothing that a terminal would obey: there are such characters within strings
/// alone, where they can be escaped.
pub(crate) fn json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_escaped(c) && c != '\n' {
            let mut units = [0; 2];
            escaped.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn is_escaped(c: char) -> bool {
    const WITHOUT_WIDTH: [char; 3] = ['\u{200b}', '\u{2060}', '\u{feff}'];
    is_deceptive(c) || WITHOUT_WIDTH.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_terminal_would_obey() {
        assert_eq!(escape("a\x1b[31mb\r\u{202e}c\nd"), "a\\u{1b}[31mb\\u{d}\\u{202e}c\\nd");
        assert_eq!(escape("gr\u{fc}n \u{2022}"), "gr\u{fc}n \u{2022}");
        assert_eq!(
            escape("\u{1f469}\u{200d}\u{1f527} \u{2764}\u{fe0f}"),
            "\u{1f469}\u{200d}\u{1f527} \u{2764}\u{fe0f}"
        );
    }

    #[test]
    fn shows_what_a_reader_would_not_see() {
        for c in ['\u{7f}', '\u{85}', '\u{9b}', '\u{61c}', '\u{200e}', '\u{2066}', '\u{2069}', '\u{e0001}', '\u{e007f}']
        {
            let shown = format!("\\u{{{:x}}}", u32::from(c));
            assert_eq!(escape(&c.to_string()), shown);
            assert_eq!(lines(&format!("a{c}\nb")), format!("a{shown}\nb"));
        }
    }

    #[test]
    fn cuts_what_is_longer_than_any_text() {
        let long = "x".repeat(MAX_CHARACTERS);
        assert_eq!(escape(&long), long);
        assert_eq!(escape(&format!("{long}yz")), format!("{long}…"));
    }

    #[test]
    fn writes_json_that_means_the_same() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}[2J\u{7f}\u{202e}\u{e0041}\u{fc}\u{1f511}\n\"\\" });
        let text = json(&format!("{value:#}"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert!(!text.chars().any(|c| is_escaped(c) && c != '\n'), "{text:?}");
        assert!(text.contains("\\udb40\\udc41") && text.contains("\u{fc}\u{1f511}"), "{text}");
    }
}
