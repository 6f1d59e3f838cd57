//! Texts in quotes, which end on their line.

use zeroize::Zeroizing;

use super::Problem;

type Quoted<'a> = Result<(Zeroizing<String>, &'a str), Problem>;

/// Reads `'…'`, in which `''` is a quote: the text and what stands behind it.
pub(super) fn single(text: &str) -> Quoted<'_> {
    let mut rest = text.strip_prefix('\'').ok_or(Problem::OpenQuote)?;
    // Made at once in its full size, so that no part of a value stays behind in memory when it grows.
    let mut value = Zeroizing::new(String::with_capacity(rest.len()));
    loop {
        let (part, behind) = rest.split_once('\'').ok_or(Problem::OpenQuote)?;
        value.push_str(part);
        match behind.strip_prefix('\'') {
            Some(next) => {
                value.push('\'');
                rest = next;
            }
            None => return Ok((value, behind)),
        }
    }
}

/// Reads `"…"`, with the escapes of YAML: the text and what stands behind it.
pub(super) fn double(text: &str) -> Quoted<'_> {
    let body = text.strip_prefix('"').ok_or(Problem::OpenQuote)?;
    let mut value = Zeroizing::new(String::with_capacity(body.len()));
    let mut characters = body.chars();
    loop {
        match characters.next().ok_or(Problem::OpenQuote)? {
            '"' => return Ok((value, characters.as_str())),
            '\\' => {
                let escape = characters.next().ok_or(Problem::OpenQuote)?;
                value.push(match escape {
                    '0' => '\0',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    't' | '\t' => '\t',
                    'n' => '\n',
                    'v' => '\u{b}',
                    'f' => '\u{c}',
                    'r' => '\r',
                    'e' => '\u{1b}',
                    ' ' | '"' | '/' | '\\' => escape,
                    'N' => '\u{85}',
                    '_' => '\u{a0}',
                    'L' => '\u{2028}',
                    'P' => '\u{2029}',
                    'x' => code_point(&mut characters, 2)?,
                    'u' => code_point(&mut characters, 4)?,
                    'U' => code_point(&mut characters, 8)?,
                    _ => return Err(Problem::Escape),
                });
            }
            c => value.push(c),
        }
    }
}

/// The character that so many hexadecimal digits name. Halves of one, as JSON has them, are not read: readers of YAML
/// disagree about them.
fn code_point(characters: &mut std::str::Chars<'_>, digits: usize) -> Result<char, Problem> {
    let mut number = 0;
    for _ in 0..digits {
        let digit = characters.next().and_then(|c| c.to_digit(16)).ok_or(Problem::Escape)?;
        number = number * 16 + digit;
    }
    char::from_u32(number).ok_or(Problem::Escape)
}
