//! The ways in which a value is written in other formats.
//!
//! Each format has a file with a function that calls its argument with every spelling it knows; spellings that come out
//! alike are looked for once. To add a format, add its file and its line in [`all`], and name it in the list at [`super`].

mod base64;
mod hex;
mod json;
mod line_end;
mod percent;
mod quotes;
mod shell;
mod xml;

use zeroize::Zeroizing;

/// A spelling; wiped when dropped.
pub(super) type Spelling = Zeroizing<Vec<u8>>;

/// `piece` itself and every spelling of it, each once.
pub(super) fn all(piece: &[u8]) -> Vec<Spelling> {
    let mut spellings = vec![Zeroizing::new(piece.to_vec())];
    let mut add = |spelling: Spelling| {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    };
    base64::spellings(piece, &mut add);
    hex::spellings(piece, &mut add);
    percent::spellings(piece, &mut add);
    if let Ok(text) = std::str::from_utf8(piece) {
        json::spellings(text, &mut add);
        xml::spellings(text, &mut add);
    }
    quotes::spellings(piece, &mut add);
    shell::spellings(piece, &mut add);
    let others: Vec<Spelling> = spellings.iter().flat_map(|spelling| line_end::others(spelling)).collect();
    spellings.extend(others);
    spellings
}

/// A spelling in the making that leaves no copy behind when it grows, as it never does: `longest` times the `piece`.
pub(super) fn room_for(piece: &[u8], longest: usize) -> Spelling {
    Zeroizing::new(Vec::with_capacity(piece.len() * longest))
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// The two hexadecimal digits of `byte`.
fn hex_digits(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| digits.get(usize::from(digit)).copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use ::base64::Engine;

    use super::*;

    /// Spellings as Python 3.11, Node 18, bash 5.2 and coreutils write them, and as Go and PHP are documented to.
    #[test]
    fn knows_how_other_programs_write_a_value() {
        for (value, spellings) in [
            (
                "pa/ss wörd'\"&<1>",
                &[
                    // base64, and what is fixed of it behind one byte and behind two
                    "cGEvc3Mgd8O2cmQnIiY8MT4=",
                    "cGEvc3Mgd8O2cmQnIiY8MT4",
                    "BhL3NzIHfDtnJkJyImPDE-",
                    "wYS9zcyB3w7ZyZCciJjwxP",
                    "70612f73732077c3b672642722263c313e",
                    "70612F73732077C3B672642722263C313E",
                    // urllib.parse.quote, quote_plus, quote(safe=''), encodeURIComponent, encodeURI, URLSearchParams
                    "pa/ss%20w%C3%B6rd%27%22%26%3C1%3E",
                    "pa%2Fss+w%C3%B6rd%27%22%26%3C1%3E",
                    "pa%2Fss%20w%C3%B6rd%27%22%26%3C1%3E",
                    "pa%2Fss%20w%C3%B6rd'%22%26%3C1%3E",
                    "pa/ss%20w%C3%B6rd'%22&%3C1%3E",
                    "pa%2fss%20w%c3%b6rd%27%22%26%3c1%3e",
                    "%70%61%2F%73%73%20%77%C3%B6%72%64%27%22%26%3C%31%3E",
                    // json.dumps, JSON.stringify, PHP's json_encode, Go's json.Marshal
                    r#"pa/ss w\u00f6rd'\"&<1>"#,
                    r#"pa/ss wörd'\"&<1>"#,
                    r#"pa\/ss w\u00f6rd'\"&<1>"#,
                    r#"pa/ss wörd'\"\u0026\u003c1\u003e"#,
                    // html.escape, xml.sax.saxutils.escape and quoteattr, Go's xml.EscapeText
                    "pa/ss wörd&#x27;&quot;&amp;&lt;1&gt;",
                    "pa/ss wörd'\"&amp;&lt;1&gt;",
                    "pa/ss wörd'&quot;&amp;&lt;1&gt;",
                    "pa/ss wörd&#39;&#34;&amp;&lt;1&gt;",
                    "pa/ss w&#246;rd'\"&<1>",
                    // shlex.quote, bash's set -x and printf %q
                    r#"pa/ss wörd'"'"'"&<1>"#,
                    r#"pa/ss wörd'\''"&<1>"#,
                    r#"pa/ss\ wörd\'\"\&\<1\>"#,
                    r#"pa/ss w\303\266rd\'"&<1>"#,
                ][..],
            ),
            (
                "two\tlines\n$HOME\\",
                &[
                    r"two\tlines\n$HOME\\",
                    "two\tlines\n\\$HOME\\\\",
                    "two&#x9;lines&#xA;$HOME\\",
                    "two%09lines%0A$HOME%5C",
                ],
            ),
            // SQL and PowerShell, and Python's csv
            (r#"it's "so" 'x'"#, &[r#"it''s "so" ''x''"#, r#"it's ""so"" 'x'"#]),
            ("emoji😀", &[r"emoji\ud83d\ude00", r"emoji\uD83D\uDE00", "emoji&#128512;", "emoji&#x1F600;"]),
        ] {
            let all = all(value.as_bytes());
            for spelling in spellings {
                assert!(all.iter().any(|known| known.as_slice() == spelling.as_bytes()), "{spelling}");
            }
        }
    }

    #[test]
    fn spells_plain_text_in_few_ways() {
        // As it is, three alignments of base64 with their ends and two hexadecimals, also with `%`.
        assert!(all(b"abcdef0123456789").len() <= 16);
    }

    #[test]
    fn breaks_long_base64_into_the_lines_that_tools_write() {
        let value: Vec<u8> = (0..200).collect();
        let text = ::base64::engine::general_purpose::STANDARD_NO_PAD.encode(&value);
        for width in [64, 76] {
            for line in text.as_bytes().chunks(width) {
                assert!(line.len() < 8 || all(&value).iter().any(|known| known.as_slice() == line));
            }
        }
    }
}
