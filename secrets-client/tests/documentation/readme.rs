//! The README's blocks: what a reader types, and what it says comes out.
//!
//! A `sh` block is typed into the shell of its section (`## …`). `<!-- exits N -->` before it says how its last command ends,
//! if not with 0. A `text` block behind it shows what comes out: each of its lines is a line of the output, in this order,
//! with `…` for anything and any spaces for spaces; other lines may lie between them.

use super::place::project;

/// One `sh` block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of the README that it begins on.
    pub(crate) line: usize,
    pub(crate) script: String,
    pub(crate) exits: i32,
    pub(crate) shows: Vec<String>,
}

pub(crate) fn readme() -> String {
    std::fs::read_to_string(project().join("README.md")).unwrap()
}

/// The text of the section `## heading`.
pub(crate) fn section<'a>(readme: &'a str, heading: &str) -> (usize, &'a str) {
    let begin = readme.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`")) + 1;
    let rest = &readme[begin..];
    let end = rest[3..].find("\n## ").map_or(rest.len(), |end| end + 4);
    (readme[..begin].lines().count(), &rest[..end])
}

/// The `sh` blocks of a section.
pub(crate) fn blocks(readme: &str, heading: &str) -> Vec<Block> {
    let (above, text) = section(readme, heading);
    let mut blocks: Vec<Block> = Vec::new();
    let mut exits = 0;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(code) = line.strip_prefix("<!-- exits ").and_then(|rest| rest.strip_suffix(" -->")) {
            exits = code.parse().unwrap();
        }
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let content: Vec<_> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        match kind {
            "sh" => {
                let script = content.join("\n");
                blocks.push(Block { line: above + at + 1, script, exits: std::mem::take(&mut exits), shows: vec![] });
            }
            "text" => blocks.last_mut().unwrap().shows.extend(content.into_iter().map(str::to_owned)),
            _ => {}
        }
    }
    blocks
}

/// The first of the `expected` lines that does not come, in its turn, in `output`.
pub(crate) fn missing<'a>(expected: &'a [String], output: &str) -> Option<&'a str> {
    let mut lines = output.lines();
    expected.iter().find(|expected| !lines.by_ref().any(|line| matches(expected, line))).map(String::as_str)
}

fn matches(expected: &str, line: &str) -> bool {
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (expected, line) = (spaced(expected), spaced(line));
    let pieces: Vec<_> = expected.split('…').map(str::trim).collect();
    let [first, middle @ .., last] = pieces.as_slice() else { return expected == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn a_line_matches_with_anything_for_dots_and_spaces_for_spaces() {
    for (expected, line) in [
        ("bob  member", "bob member "),
        ("token expires …", "token expires 2027-02-19 05:41Z"),
        ("a … b … c", "a   x b y c"),
        ("… b", "a b"),
        ("", ""),
    ] {
        assert!(matches(expected, line), "{expected} / {line}");
    }
    for (expected, line) in
        [("bob", "bob member"), ("a … b", "a c"), ("a … b … c", "a c b"), ("b …", "a b c"), ("", "a")]
    {
        assert!(!matches(expected, line), "{expected} / {line}");
    }
}

#[test]
fn lines_come_in_their_order() {
    let expected = ["b".to_owned(), "d".to_owned()];
    assert_eq!(missing(&expected, "a\nb\nc\nd\n"), None);
    assert_eq!(missing(&expected, "a\nd\nb\n"), Some("d"));
}

#[test]
fn a_block_has_its_exit_code_and_its_output() {
    let readme = "# A\n\n## One\n```sh\na\n```\n\n## Two\n\n<!-- exits 4 -->\n```sh\nb\nc\n```\n```text\nd\n```\n```toml\ne\n```\n\n## Three\n";
    let expected = Block { line: 11, script: "b\nc".to_owned(), exits: 4, shows: vec!["d".to_owned()] };
    assert_eq!(blocks(readme, "Two"), [expected]);
    assert_eq!(blocks(readme, "Three"), []);
}
