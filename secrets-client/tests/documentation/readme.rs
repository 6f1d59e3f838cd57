//! The blocks of a README: what a reader types, and what comes out.
//!
//! A `sh` block is typed into the shell of its section (`## …`), line after line. A `text` block behind it is all that its
//! commands print: a line of the block is a line of the output, with `…` for any text, `…` alone for any lines, any spaces
//! for spaces, and any time for a time. In a command, `…` ends a word of which a command above has printed the rest.
//!
//! Comments before a block, which a reader of the page does not see, say what a block can't show:
//!
//! - `<!-- types: TEXT -->`: what is typed at the next question that the commands ask, hidden or not; a `…` at its end is as in
//!   a command
//! - `<!-- exits N -->`: with which code the last command ends, if not with 0
//! - `<!-- keeps running -->`: the command has a terminal of its own; the `text` block is what it has printed before the next
//!   block is typed
//! - `<!-- keeps running on a terminal -->`: the same for one that prints otherwise where its output is no terminal
//! - `<!-- it shows by then -->`: the `text` block is what the last command of that kind has printed after all that came between
//! - `<!-- until Ctrl-C it shows -->`: the same, and then the command is interrupted

use crate::support::project;

/// One step of a section.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of the file that it begins on.
    pub(crate) line: usize,
    pub(crate) step: Step,
    /// All that comes out, where a `text` block says so.
    pub(crate) shows: Option<Vec<String>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Commands that end by themselves.
    Typed { script: String, answers: Vec<String>, exits: i32 },
    /// A command that goes on while the next blocks are typed; what it prints goes to a file, or to a terminal first.
    KeepsRunning { script: String, on_terminal: bool },
    /// Another look at the last command that keeps running.
    ShowsByThen { interrupt: bool },
}

/// The text of a file of the project.
pub(crate) fn text(file: &str) -> String {
    std::fs::read_to_string(project().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The text of the section `## heading`, and how many lines stand above it.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> (usize, &'a str) {
    let begin = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`")) + 1;
    let rest = &text[begin..];
    let end = rest[3..].find("\n## ").map_or(rest.len(), |end| end + 4);
    (text[..begin].lines().count(), &rest[..end])
}

/// What the comments before a block say of it.
#[derive(Default)]
struct Comments {
    answers: Vec<String>,
    exits: i32,
    /// Whether on a terminal, if it does.
    keeps_running: Option<bool>,
    shows_by_then: Option<bool>,
}

impl Comments {
    fn read(&mut self, line: &str) {
        let Some(comment) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) else { return };
        match comment.split_once(' ').unwrap_or((comment, "")) {
            ("types:", answer) => self.answers.push(answer.to_owned()),
            ("exits", code) => self.exits = code.parse().unwrap(),
            _ => match comment {
                "keeps running" => self.keeps_running = Some(false),
                "keeps running on a terminal" => self.keeps_running = Some(true),
                "it shows by then" => self.shows_by_then = Some(false),
                "until Ctrl-C it shows" => self.shows_by_then = Some(true),
                _ => {}
            },
        }
    }
}

/// The blocks of a section.
pub(crate) fn blocks(text: &str, heading: &str) -> Vec<Block> {
    let (above, text) = section(text, heading);
    let mut blocks: Vec<Block> = Vec::new();
    let mut comments = Comments::default();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        comments.read(line);
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let content: Vec<_> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let Comments { answers, exits, keeps_running, shows_by_then } = std::mem::take(&mut comments);
        let mut push = |step, shows| blocks.push(Block { line: above + at + 1, step, shows });
        match (kind, shows_by_then) {
            ("sh", _) if keeps_running.is_some() => {
                let on_terminal = keeps_running == Some(true);
                push(Step::KeepsRunning { script: content.join("\n"), on_terminal }, None);
            }
            ("sh", _) => push(Step::Typed { script: content.join("\n"), answers, exits }, None),
            ("text", Some(interrupt)) => push(Step::ShowsByThen { interrupt }, Some(owned(&content))),
            ("text", None) => {
                let shows = &mut blocks.last_mut().expect("a command before its output").shows;
                assert!(shows.is_none(), "line {}: a second output of one block", above + at + 1);
                *shows = Some(owned(&content));
            }
            _ => {}
        }
    }
    blocks
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// Whether `output` is what a `text` block shows, from its first line to its last.
pub(crate) fn is_shown(shows: &[String], output: &str) -> bool {
    let lines: Vec<_> = output.trim_end().lines().collect();
    lines_match(shows, &lines)
}

fn lines_match(shows: &[String], lines: &[&str]) -> bool {
    match (shows.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((any, rest)), _) if any == "…" => (0..=lines.len()).any(|skipped| lines_match(rest, &lines[skipped..])),
        (Some((shown, shows)), Some((line, lines))) => line_matches(shown, line) && lines_match(shows, lines),
        _ => false,
    }
}

fn line_matches(shown: &str, line: &str) -> bool {
    let (shown, line) = (spaced(shown), spaced(line));
    let pieces: Vec<_> = shown.split('…').map(str::trim).collect();
    let [first, middle @ .., last] = pieces.as_slice() else { return shown == line };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The words with one space between them; a time's digits, which differ from run to run, are all 0, and so is a distance from
/// now (`just now`, `2 min ago`, `in 7 days`).
fn spaced(line: &str) -> String {
    let zeros = |word: &str| word.replace(|character: char| character.is_ascii_digit(), "0");
    let same_time = |word| {
        let shape = zeros(word);
        if shape.contains("0000-00-00") || shape.contains("00:00Z") { shape } else { word.to_owned() }
    };
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace().map(same_time) {
        words.push(word);
        let is_number = |word: &String| word.parse::<u32>().is_ok();
        let is_unit = |word: &String| ["s", "min", "h", "day", "days"].contains(&word.as_str());
        let distance = match words.as_slice() {
            [.., just, now] if just == "just" && now == "now" => Some((2, "(ago)")),
            [.., number, unit, ago] if is_number(number) && is_unit(unit) && ago == "ago" => Some((3, "(ago)")),
            [.., within, number, unit] if within == "in" && is_number(number) && is_unit(unit) => Some((3, "(ahead)")),
            _ => None,
        };
        if let Some((length, instead)) = distance {
            words.truncate(words.len() - length);
            words.push(instead.to_owned());
        }
    }
    words.join(" ")
}

#[test]
fn a_line_matches_with_anything_for_dots_and_any_time_for_a_time() {
    for (shown, line) in [
        ("bob  member", "bob member "),
        ("token expires 2027-02-26 05:09Z", "token expires 2027-02-19 05:41Z"),
        ("A  just now  in 7 days", "A 2 min ago in 59 min"),
        ("a … b … c", "a   x b y c"),
        ("… b", "a b"),
        ("", ""),
    ] {
        assert!(line_matches(shown, line), "{shown} / {line}");
    }
    for (shown, line) in [
        ("bob", "bob member"),
        ("version 2", "version 3"),
        ("A  just now", "A in 2 min"),
        ("a … b", "a c"),
        ("a … b … c", "a c b"),
        ("b …", "a b c"),
        ("", "a"),
    ] {
        assert!(!line_matches(shown, line), "{shown} / {line}");
    }
}

#[test]
fn an_output_is_shown_whole() {
    let shows = owned(&["a", "…", "d"]);
    assert!(is_shown(&shows, "a\nb\nc\nd\n\n") && is_shown(&shows, "a\nd\n"));
    assert!(!is_shown(&shows, "a\nd\ne\n") && !is_shown(&shows, "b\na\nd\n") && !is_shown(&shows, "a\n"));
    assert!(!is_shown(&owned(&["a"]), "") && !is_shown(&[], "a\n"));
}

#[test]
fn a_block_has_what_is_typed_its_exit_code_and_its_output() {
    let text = "# A\n\n## One\n```sh\na\n```\n\n## Two\n\n<!-- types: x y -->\n<!-- exits 4 -->\n```sh\nb\nc\n```\n```text\nd\n```\n```toml\ne\n```\n\n\
                <!-- keeps running -->\n```sh\nf\n```\n<!-- until Ctrl-C it shows -->\n```text\ng\n```\n\n## Three\n";
    let typed = Step::Typed { script: "b\nc".to_owned(), answers: vec!["x y".to_owned()], exits: 4 };
    let expected = [
        Block { line: 12, step: typed, shows: Some(owned(&["d"])) },
        Block { line: 24, step: Step::KeepsRunning { script: "f".to_owned(), on_terminal: false }, shows: None },
        Block { line: 28, step: Step::ShowsByThen { interrupt: true }, shows: Some(owned(&["g"])) },
    ];
    assert_eq!(blocks(text, "Two"), expected);
    assert_eq!(blocks(text, "Three"), []);
}
