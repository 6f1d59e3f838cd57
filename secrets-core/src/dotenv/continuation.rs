//! Whether a line is the rest of a value that was to have quotes.
//!
//! Most such lines have no `=`, or characters before it that no name has, and can't be an entry. The last line of a
//! base64 text can, in the alphabet of URLs too: its padding looks like the `=` behind a name. Read as an entry, it would show a part of a value as a
//! name, and the value above it would be stored without its end.

/// A value of one line from which on another one may be its rest: shorter ones do not wrap.
const MIN_BYTES: usize = 16;
/// From this length on a text in one case is a name: hardly any base64 text is.
const MIN_NAME_BYTES: usize = 7;
/// The last character before one `=`, of whose six bits the last two are not used.
const BEFORE_PADDING: &[u8] = b"AEIMQUYcgkosw048";

/// Whether `text` begins a PEM block and does not end it.
pub(super) fn is_open_pem(text: &str) -> bool {
    text.starts_with("-----BEGIN ") && !text.contains("-----END ")
}

/// Whether a line, which has `name` before its first `=` and `value` behind it, is the rest of the unquoted value `above`.
pub(super) fn is_rest(above: Option<&str>, name: &str, value: &str) -> bool {
    if name.is_empty() || !name.bytes().all(is_base64) {
        return false;
    }
    match value {
        // No name is followed by two of them.
        "=" => true,
        "" => above.is_some_and(|above| is_cut(above) && is_tail(above, name)),
        _ => false,
    }
}

/// Whether a value is base64 that may go on: in both cases, as a hexadecimal one is not, and without padding.
fn is_cut(value: &str) -> bool {
    value.len() >= MIN_BYTES && value.bytes().all(is_base64) && has_both_cases(value)
}

/// Whether `name=` is the end of a base64 text that begins with `above`, and not a name without a value.
fn is_tail(above: &str, name: &str) -> bool {
    let ends_base64 = name.bytes().next_back().is_some_and(|last| BEFORE_PADDING.contains(&last));
    let is_whole = (above.len() + name.len() + 1).is_multiple_of(4);
    let is_word = name.len() >= MIN_NAME_BYTES && !has_both_cases(name);
    // `EMPTY_VAR` is a name, however long the text above is.
    let has_separators = name.bytes().any(is_separator);
    looks_random(name) || (ends_base64 && is_whole && !is_word && !has_separators)
}

fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/') || is_separator(b)
}

/// What stands in the alphabet of URLs for `+` and `/`, and between the words of a name.
const fn is_separator(b: u8) -> bool {
    matches!(b, b'-' | b'_')
}

fn has_both_cases(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_uppercase()) && text.bytes().any(|b| b.is_ascii_lowercase())
}

/// Whether upper case, lower case and digits take turns more often than in any `camelCase`. Around a separator they take
/// turns in names too, as in `X-Api-Key`.
fn looks_random(text: &str) -> bool {
    let class = |b: &u8| (b.is_ascii_uppercase(), b.is_ascii_lowercase());
    let takes_turn =
        |pair: &&[u8]| pair.first().map(class) != pair.last().map(class) && !pair.iter().any(|b| is_separator(*b));
    let turns = text.as_bytes().windows(2).filter(takes_turn).count();
    // The longer a text, the less often may they do so by chance.
    let every = if text.len() < MIN_BYTES { 2 } else { 3 };
    text.len() > MIN_NAME_BYTES && has_both_cases(text) && every * turns >= text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::dotenv::{DotenvError, DotenvProblem, parse};

    const CUT: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    const URL_SAFE: &str = "x9-QpT_3vBzKk1wY7uLmNf0RrSsEeHhJjGgDdAaCcVvBbNnMm-_ZzXxQqWwEe2Rr";

    #[test]
    fn refuses_the_rest_of_a_base64_value_by_its_line() {
        for (above, rest) in [
            (CUT, "MSfYYjiWA4R4M2bSHG9abc=="),
            (CUT, "bGQgdGhpcyBpcyBhIHNlY3JldAo="),
            (CUT, "BKcwggSjAgEAAoIBAQC="),
            (CUT, "BKcwggSjAgEAAoIBAQA="),
            (CUT, "MTI="),
            (CUT, "MSfYYjiWA4R4M2bSHG9a=="),
            ("aGVsbG8gd29ybGQs", "IGhlbGxvIHdvcmxkIQ=="),
            ("aGVsbG8gd29ybGQs", "IGhlbGxvIHdvcmxkISE="),
            (CUT, "xYz-9_Q1dE="),
            (URL_SAFE, "xYz-9_Q1dE="),
            (URL_SAFE, "xYz-9_Q1dQ=="),
            (URL_SAFE, "MTI="),
        ] {
            for end in ["", "\n", " \r\nB=2\n"] {
                let document = format!("A={above}\n{rest}{end}");
                let problem = DotenvProblem::RestOfValue;
                assert_eq!(parse(document.as_bytes()).unwrap_err(), DotenvError { line: 2, problem }, "{document}");
            }
        }
    }

    #[test]
    fn takes_a_name_without_a_value_for_what_it_is() {
        let token = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for above in
            [token, CUT, URL_SAFE, hex, "postgres://db/api", "sk_live_aB3dE5fG7hI9jK1l", "aGVsbG8gd29ybGQsIGhlbGxvIQ=="]
        {
            for name in [
                "EMPTY",
                "EMPTY_VAR",
                "AWS_REGION",
                "PASSWORD",
                "password",
                "REGION",
                "DSN",
                "npm_token",
                "dbPassword",
                "apiToken",
                "googleAnalyticsTrackingId",
                "oauth2Token",
                "S3_BUCKET",
                "spring.datasource.url",
                "API_KEY",
                "EMPTY_VARIABLE_A",
                "X-Api-Key",
                "Api_V2_Key",
            ] {
                let document = format!("A={above}\n{name}=\nB=2\n");
                assert_eq!(parse(document.as_bytes()).unwrap().len(), 3, "{document}");
            }
        }
        // Quotes, a comment or an empty line between them say that there is nothing to come.
        for document in [
            format!("A={CUT}\nMTI=''\n"),
            format!("A='{CUT}'\nMTI=\n"),
            format!("A={CUT} # whole\nMTI=\n"),
            format!("A={CUT}\n\nMTI=\n"),
            format!("A={CUT}\nexport MTI=\n"),
        ] {
            assert_eq!(parse(document.as_bytes()).unwrap().len(), 2, "{document}");
        }
    }

    #[test]
    fn refuses_a_pem_block_without_quotes_by_its_first_line() {
        let document = "X=1\nA=-----BEGIN PRIVATE KEY-----\nMC4CAQ=\n-----END PRIVATE KEY-----\n";
        let problem = DotenvProblem::OpenPem;
        assert_eq!(parse(document.as_bytes()).unwrap_err(), DotenvError { line: 2, problem });
        assert!(parse(b"A=-----BEGIN X-----\\nMC4C\\n-----END X-----\n").is_ok());
        assert!(parse(b"A=\"-----BEGIN X-----\nMC4C=\n-----END X-----\"\n").is_ok());
    }

    proptest! {
        #[test]
        fn refuses_base64_wherever_it_wraps(text in "[A-Za-z0-9+/]{24,96}|[A-Za-z0-9_-]{24,96}", two in any::<bool>(), at in 17_usize..100) {
            // The whole in groups of four characters, with one or two `=` at the end.
            let padding = if two { "==" } else { "=" };
            let last = if two { "g" } else { "Q" };
            let size = text.len() / 4 * 4 - padding.len() - 1;
            let whole = format!("{}{last}{padding}", &text[..size]);
            let at = at.min(size);
            let (above, rest) = whole.split_at(at);
            let is_word = |text: &str| {
                text.len() >= 7 && (text == text.to_ascii_uppercase() || text == text.to_ascii_lowercase())
            };
            // One that could be a name in several words is only told from it where it looks random.
            let is_words = |text: &str| text.bytes().any(super::is_separator) && !super::looks_random(text);
            let tail = rest.trim_end_matches('=');
            prop_assume!(super::has_both_cases(above) && !is_word(tail) && (two || !is_words(tail)));
            let document = format!("A={above}\n{rest}\nB=2\n");
            prop_assert_eq!(parse(document.as_bytes()).map_err(|error| error.line).err(), Some(2), "{}", document);
        }

        #[test]
        fn refuses_no_names_in_the_usual_spelling(
            above in "[A-Za-z0-9+/]{16,80}|[A-Za-z0-9_-]{16,80}",
            name in "[A-Z]{2,8}(_[A-Z0-9]{1,8}){1,3}|[a-z]{2,8}(_[a-z0-9]{1,8}){1,3}",
        ) {
            let document = format!("A={above}\n{name}=\nB=2\n");
            prop_assert_eq!(parse(document.as_bytes()).map(|entries| entries.len()).ok(), Some(3), "{}", document);
        }
    }
}
