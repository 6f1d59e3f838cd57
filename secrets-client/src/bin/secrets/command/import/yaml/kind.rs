//! What a plain value is to the readers of YAML.

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command::import) enum Kind {
    Text,
    /// `~`, `null`, or nothing at all.
    Nothing,
    Number,
    Boolean,
    Date,
}

const NOTHING: &[&str] = &["~", "null", "Null", "NULL"];
/// Those of YAML 1.1, of which 1.2 has only the first.
const BOOLEANS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n"];

impl Kind {
    /// What a plain value is, in YAML 1.1 or in 1.2: where one of them takes it for a text and the other does not, it is not.
    pub(super) fn of_plain(value: &str) -> Self {
        // `tRUE` is a text.
        let is_word = |text: &str| value == text || value == text.to_ascii_uppercase() || value == capitalized(text);
        if NOTHING.contains(&value) {
            Self::Nothing
        } else if value.len() <= 5 && BOOLEANS.iter().any(|text| is_word(text)) {
            Self::Boolean
        } else if is_number(&value.to_ascii_lowercase()) {
            Self::Number
        } else if is_date(value) {
            Self::Date
        } else {
            Self::Text
        }
    }

    /// In words.
    pub(in crate::command::import) const fn describe(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Nothing => "nothing",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Date => "a date",
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// Whether it is a number, in lower case: decimal, of another base, in sixtieths (`1:30`), infinite or none.
fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix(['-', '+']).unwrap_or(value);
    let all =
        |text: &str, is_digit: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| is_digit(&b) || b == b'_');
    if let Some(digits) = unsigned.strip_prefix("0x") {
        return all(digits, u8::is_ascii_hexdigit);
    }
    if let Some(digits) = unsigned.strip_prefix("0b").or(unsigned.strip_prefix("0o")) {
        return all(digits, |b| (b'0'..=b'7').contains(b));
    }
    if matches!(unsigned, ".inf" | ".nan") {
        return true;
    }
    let (mantissa, exponent) = unsigned.split_once('e').map_or((unsigned, None), |(mantissa, e)| (mantissa, Some(e)));
    if exponent.is_some_and(|e| !all(e.strip_prefix(['-', '+']).unwrap_or(e), u8::is_ascii_digit)) {
        return false;
    }
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, ""), |(whole, fraction)| (whole, fraction));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let is_sixtieth = |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let has_digit = mantissa.bytes().any(|b| b.is_ascii_digit());
    let begins = mantissa.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    begins && has_digit && is_digits(first) && is_digits(fraction) && parts.all(is_sixtieth)
}

/// Whether it begins as a date does: `2026-01-31`, also with a time.
fn is_date(value: &str) -> bool {
    let mut parts = value.splitn(3, '-');
    let is_number = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let year = parts.next().is_some_and(|year| is_number(year, 4..=4));
    let month = parts.next().is_some_and(|month| is_number(month, 1..=2));
    let day = parts.next().is_some_and(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (day, time) = rest.split_at_checked(end).unwrap_or((rest, ""));
        is_number(day, 1..=2) && (time.is_empty() || time.starts_with(['T', 't', ' ']))
    });
    year && month && day
}
