//! Reading `.env` documents.

use super::{Entry, continuation, mark_overridden};
use crate::name::looks_like_name;

/// Why a document can't be read. Names the line, never what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {problem}")]
pub struct DotenvError {
    /// The line, counted from 1; of a quote that does not end, the line where it begins.
    pub line: usize,
    /// What is wrong with it.
    pub problem: DotenvProblem,
}

/// What may be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DotenvProblem {
    /// Bytes that are not UTF-8.
    #[error("is not UTF-8; save the document as UTF-8")]
    NotUtf8,
    /// A carriage return without a line feed.
    #[error("has a carriage return without a line feed; end lines with LF or CRLF")]
    CarriageReturn,
    /// There is no `=`.
    #[error("has no `=`; expected `NAME=value`, with quotes around a value of several lines")]
    NoEquals,
    /// Nothing stands before the `=`.
    #[error("has no name before its `=`; expected `NAME=value`")]
    NoName,
    /// What stands before the `=` has other characters than names have.
    #[error(
        "has other text than a name before its `=`; expected letters, digits, `_`, `-` and `.`, and quotes around a value of \
         several lines"
    )]
    BadName,
    /// It is the rest of the value above it, which has no quotes.
    #[error(
        "looks like the rest of a value; put quotes around a value of several lines, or write `NAME=''` for an \
         empty one"
    )]
    RestOfValue,
    /// A value without quotes begins a PEM block, whose other lines are to follow.
    #[error("begins a PEM block that does not end on that line; put quotes around a value of several lines")]
    OpenPem,
    /// A quoted value does not end.
    #[error("begins a quoted value that does not end; add the closing quote")]
    OpenQuote,
    /// There is a backslash before the closing backtick.
    #[error("has a backslash before a backtick, which readers take differently; put other quotes around the value")]
    EscapedBacktick,
    /// Something other than a comment follows a quoted value.
    #[error("has text after a quoted value; expected nothing, or a space and a `#` comment")]
    AfterQuote,
}

const BLANK: [char; 2] = [' ', '\t'];

/// Reads a document; the entries come in its order, with those flagged whose name comes again.
pub fn parse(document: &[u8]) -> Result<Vec<Entry>, DotenvError> {
    let text = std::str::from_utf8(document).map_err(|error| DotenvError {
        line: 1 + document.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count(),
        problem: DotenvProblem::NotUtf8,
    })?;
    let mut rest = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut line = 1;
    let mut entries = Vec::new();
    // The unquoted value that reaches to the end of the line before.
    let mut above = None;
    while !rest.is_empty() {
        let fails = |problem| DotenvError { line, problem };
        let (content, next) = split_line(rest);
        let content = content.trim_start_matches(BLANK);
        if content.is_empty() || content.starts_with('#') {
            check_line_end(content).map_err(fails)?;
            above = None;
            rest = next;
            line += 1;
            continue;
        }
        let (name, value) = content.split_once('=').ok_or(fails(DotenvProblem::NoEquals))?;
        if continuation::is_rest(above.take(), name, value.trim_end_matches(BLANK)) {
            return Err(fails(DotenvProblem::RestOfValue));
        }
        let key = key(name).map_err(fails)?;
        // A quoted value may go on behind the end of its line, so it is read from all that follows.
        let behind = rest.split_once('=').map_or("", |(_, behind)| behind).trim_start_matches(BLANK);
        let (value, next, lines) = if let Some(body) = behind.strip_prefix('\'') {
            quoted(line, body, |body| literal(body, '\''))?
        } else if let Some(body) = behind.strip_prefix('`') {
            quoted(line, body, backtick_quoted)?
        } else if let Some(body) = behind.strip_prefix('"') {
            quoted(line, body, double_quoted)?
        } else {
            check_line_end(value).map_err(fails)?;
            let plain = unquoted(value);
            if continuation::is_open_pem(plain) {
                return Err(fails(DotenvProblem::OpenPem));
            }
            above = (value.trim_matches(BLANK) == plain).then_some(plain);
            (plain.to_owned(), next, 1)
        };
        entries.push(Entry::new(line, key.to_owned(), value));
        rest = next;
        line += lines;
    }
    mark_overridden(&mut entries);
    Ok(entries)
}

/// The first line without its end, and what follows it.
fn split_line(text: &str) -> (&str, &str) {
    let (content, next) = text.split_once('\n').unwrap_or((text, ""));
    (content.strip_suffix('\r').unwrap_or(content), next)
}

/// Refuses a carriage return within a line: where it is meant to end one, the next entry would become a part of this
/// one's value.
fn check_line_end(text: &str) -> Result<(), DotenvProblem> {
    if text.contains('\r') { Err(DotenvProblem::CarriageReturn) } else { Ok(()) }
}

fn key(text: &str) -> Result<&str, DotenvProblem> {
    let text = text.trim_end_matches(BLANK);
    let name = text.strip_prefix("export").filter(|rest| rest.starts_with(BLANK)).unwrap_or(text);
    let name = name.trim_start_matches(BLANK);
    if name.is_empty() {
        return Err(DotenvProblem::NoName);
    }
    if looks_like_name(name) { Ok(name) } else { Err(DotenvProblem::BadName) }
}

fn unquoted(text: &str) -> &str {
    let comment = text.match_indices('#').find(|&(at, _)| text.get(..at).is_some_and(|before| before.ends_with(BLANK)));
    let value = comment.and_then(|(at, _)| text.get(..at)).unwrap_or(text);
    value.trim_matches(BLANK)
}

/// Reads the value of a quoted entry from `body`, which begins behind its quote: the value, the lines behind the
/// entry, and how many lines it has.
fn quoted<'a>(
    line: usize,
    body: &'a str,
    read: impl Fn(&'a str) -> Result<(String, &'a str), DotenvProblem>,
) -> Result<(String, &'a str, usize), DotenvError> {
    let (value, behind) = read(body).map_err(|problem| DotenvError { line, problem })?;
    let lines = body.bytes().take(body.len() - behind.len()).filter(|b| *b == b'\n').count();
    let fails = |problem| DotenvError { line: line + lines, problem };
    let (tail, next) = split_line(behind);
    check_line_end(tail).map_err(fails)?;
    let comment = tail.trim_start_matches(BLANK);
    if comment.is_empty() || (comment.starts_with('#') && comment.len() < tail.len()) {
        Ok((value, next, lines + 1))
    } else {
        Err(fails(DotenvProblem::AfterQuote))
    }
}

/// The value and what stands behind its closing quote.
fn literal(body: &str, quote: char) -> Result<(String, &str), DotenvProblem> {
    let (literal, behind) = body.split_once(quote).ok_or(DotenvProblem::OpenQuote)?;
    // Made at once in its full size, so that no half of a value stays behind in memory when it grows.
    let mut value = String::with_capacity(literal.len());
    for (at, part) in literal.split("\r\n").enumerate() {
        if at > 0 {
            value.push('\n');
        }
        value.push_str(part);
    }
    Ok((value, behind))
}

/// As Node and Bun read it: literally. One of Node's readers takes a backslash before the closing backtick for an escape,
/// and the other does not.
fn backtick_quoted(body: &str) -> Result<(String, &str), DotenvProblem> {
    let (value, behind) = literal(body, '`')?;
    if value.ends_with('\\') { Err(DotenvProblem::EscapedBacktick) } else { Ok((value, behind)) }
}

/// The value and what stands behind its closing quote.
fn double_quoted(body: &str) -> Result<(String, &str), DotenvProblem> {
    let end = closing_quote(body).ok_or(DotenvProblem::OpenQuote)?;
    let (quoted, behind) = body.split_at_checked(end).ok_or(DotenvProblem::OpenQuote)?;
    let mut value = String::with_capacity(end);
    let mut characters = quoted.chars().peekable();
    while let Some(c) = characters.next() {
        let meant = match (c, characters.peek()) {
            ('\\', Some('n')) => '\n',
            ('\\', Some('r')) => '\r',
            ('\\', Some('t')) => '\t',
            ('\\', Some(&escaped @ ('\\' | '"' | '$'))) => escaped,
            ('\r', Some('\n')) => '\n',
            _ => {
                value.push(c);
                continue;
            }
        };
        value.push(meant);
        characters.next();
    }
    Ok((value, behind.strip_prefix('"').unwrap_or(behind)))
}

/// Where the first `"` is that no backslash escapes.
fn closing_quote(body: &str) -> Option<usize> {
    let mut escaped = false;
    body.bytes().position(|b| {
        let closes = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closes
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(document: &str) -> Vec<(usize, String, String)> {
        let entries = parse(document.as_bytes()).unwrap_or_else(|error| panic!("{document:?}: {error}"));
        entries.into_iter().map(|e| (e.line(), e.key().to_owned(), e.value().to_owned())).collect()
    }

    fn fails(document: &[u8]) -> (usize, DotenvProblem) {
        let error = parse(document).expect_err("a problem");
        (error.line, error.problem)
    }

    #[test]
    fn reads_one_line() {
        for (document, value) in [
            ("A=b", "b"),
            ("A=", ""),
            ("A=b\n", "b"),
            ("A=b\r\n", "b"),
            ("\u{FEFF}A=b", "b"),
            ("export A=b", "b"),
            ("export\tA=b", "b"),
            ("  A=b", "b"),
            ("A = b ", "b"),
            ("A=b c", "b c"),
            ("A=b=c==", "b=c=="),
            ("A=b # comment", "b"),
            ("A=b\t# comment", "b"),
            ("A=b#c", "b#c"),
            ("A=#c", "#c"),
            ("A= # comment", ""),
            ("A=b #c #d", "b"),
            ("A=$HOME ${X} $(id) `id`", "$HOME ${X} $(id) `id`"),
            ("A=C:\\new\\table", "C:\\new\\table"),
            ("A=b\"c'd", "b\"c'd"),
            ("A=b\\", "b\\"),
            ("A=ключ 🔑", "ключ 🔑"),
            ("A=''", ""),
            ("A='b'", "b"),
            ("A= 'b' ", "b"),
            ("A=' b '", " b "),
            ("A='b' # comment", "b"),
            ("A='b # c'", "b # c"),
            ("A='\\n$X\"`'", "\\n$X\"`"),
            ("A=\"\"", ""),
            ("A=\" b # 'c' \"", " b # 'c' "),
            (r#"A="\n\r\t\\\"\$""#, "\n\r\t\\\"$"),
            (r#"A="\\n""#, "\\n"),
            (r#"A="\d\'\`\x41""#, r"\d\'\`\x41"),
            ("A=\"$HOME $(id) `id`\"", "$HOME $(id) `id`"),
            ("A=``", ""),
            ("A=`b`", "b"),
            ("A= ` b ` # comment", " b "),
            ("A=`it's \"b\" # \\n $X`", "it's \"b\" # \\n $X"),
            ("A=`b\nc`", "b\nc"),
            ("A=`b\r\nc`\r\n", "b\nc"),
            ("A='b\nc'", "b\nc"),
            ("A='b\r\nc'\r\n", "b\nc"),
            ("A=\"b\nc\"", "b\nc"),
            ("A=\"b\r\nc\"\r\n", "b\nc"),
            ("A=\"b\\\nc\"", "b\\\nc"),
        ] {
            assert_eq!(read(document), [(1, "A".to_owned(), value.to_owned())], "{document:?}");
        }
    }

    #[test]
    fn counts_lines_across_comments_and_quotes() {
        let document = "# first\n\n  \t\nA=1\nB='x\n#=y\n'\r\n# c\nC=\"x\n\"\nexport=2\nexport export=3";
        assert_eq!(
            read(document),
            [
                (4, "A".to_owned(), "1".to_owned()),
                (5, "B".to_owned(), "x\n#=y\n".to_owned()),
                (9, "C".to_owned(), "x\n".to_owned()),
                (11, "export".to_owned(), "2".to_owned()),
                (12, "export".to_owned(), "3".to_owned()),
            ]
        );
    }

    #[test]
    fn reads_names_that_no_secret_may_have() {
        let names: Vec<_> =
            read("npm_token=1\nlinear-api-key=2\na.b=3\n1A=4\nPATH=5").into_iter().map(|e| e.1).collect();
        assert_eq!(names, ["npm_token", "linear-api-key", "a.b", "1A", "PATH"]);
    }

    #[test]
    fn flags_the_earlier_of_two_lines() {
        let entries = parse(b"A=1\nB=2\nA=3").unwrap();
        assert_eq!(entries.iter().map(Entry::overridden_by).collect::<Vec<_>>(), [Some(3), None, None]);
    }

    #[test]
    fn stops_at_the_first_problem_with_its_line() {
        use DotenvProblem::*;
        for (document, line, problem) in [
            (&b"A=1\nsk_live_1\n"[..], 2, NoEquals),
            (b"export A", 1, NoEquals),
            (b"A: b", 1, NoEquals),
            (b"=b", 1, NoName),
            (b"  =b", 1, NoName),
            (b"A B=c", 1, BadName),
            (b"set -x A=c", 1, BadName),
            (b"'A'=c", 1, BadName),
            (b"\n\nMII+xx/yy==", 3, RestOfValue),
            (b"\n\nMII+xx/yy=z", 3, BadName),
            ("\u{0410}=b".as_bytes(), 1, BadName),
            (b"A\0=b", 1, BadName),
            (b"A='b", 1, OpenQuote),
            (b"X=1\nA=\"b\nc\nd", 2, OpenQuote),
            (b"A=\"b\\\"", 1, OpenQuote),
            (b"A='", 1, OpenQuote),
            (b"X=1\nA=`b", 2, OpenQuote),
            (b"X=1\nA=`b\nc\\`", 2, EscapedBacktick),
            (b"A=`b\\`c`", 1, EscapedBacktick),
            (b"A=`b`c", 1, AfterQuote),
            (b"A=`a`b`", 1, AfterQuote),
            (b"QUJD==", 1, RestOfValue),
            (b"A='b'c", 1, AfterQuote),
            (b"A='b\nc'd", 2, AfterQuote),
            (b"A=\"b\"#c", 1, AfterQuote),
            (b"A='it's'", 1, AfterQuote),
            (b"A=1\rB=2\rC=3", 1, CarriageReturn),
            (b"# c\rA=1", 1, CarriageReturn),
            (b"A='b'\rB=1", 1, CarriageReturn),
            (b"A=1\nB=\xff", 2, NotUtf8),
            (b"\xff\xfeA\0=\0b\0", 1, NotUtf8),
        ] {
            assert_eq!(fails(document), (line, problem), "{:?}", String::from_utf8_lossy(document));
        }
    }

    #[test]
    fn says_the_line_and_what_is_expected() {
        assert_eq!(
            parse(b"A=1\nhunter2").unwrap_err().to_string(),
            "line 2 has no `=`; expected `NAME=value`, with quotes around a value of several lines"
        );
    }

    proptest! {
        #[test]
        fn reads_any_bytes_without_panic_and_within_their_lines(document in prop::collection::vec(any::<u8>(), 0..200)) {
            let lines = 1 + document.iter().filter(|b| **b == b'\n').count();
            match parse(&document) {
                Ok(entries) => prop_assert!(entries.iter().all(|e| (1..=lines).contains(&e.line()))),
                Err(error) => prop_assert!((1..=lines).contains(&error.line)),
            }
        }

        #[test]
        fn reads_any_near_document_without_panic_and_in_order(document in "([AB ='\"`\\\\$#\r\n\u{FEFF}é]|export ){0,40}") {
            let lines = 1 + document.matches('\n').count();
            match parse(document.as_bytes()) {
                Ok(entries) => {
                    prop_assert!(entries.is_sorted_by(|a, b| a.line() < b.line()));
                    prop_assert!(entries.iter().all(|e| (1..=lines).contains(&e.line())));
                    prop_assert!(entries.iter().all(|e| document.len() >= e.key().len() + e.value().len()));
                }
                Err(error) => prop_assert!((1..=lines).contains(&error.line)),
            }
        }
    }
}
