//! Texts of several lines: `|` keeps their line ends, `>` folds them.

use zeroize::Zeroizing;

use super::{Problem, nothing_behind};

/// What becomes of the line ends at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    /// One is kept.
    Clip,
    /// None is kept: `-`.
    Strip,
    /// All are kept: `+`.
    Keep,
}

struct Header {
    is_folded: bool,
    chomping: Chomping,
    /// Of the lines; otherwise as their first one has it.
    indent: Option<usize>,
}

/// Reads a block from its header and the lines below, the last of which may have no end (`is_open`): the text, and how many
/// of those lines it has.
pub(super) fn read(header: &str, below: &[&str], is_open: bool) -> Result<(Zeroizing<String>, usize), Problem> {
    let header = Header::parse(header)?;
    let first = below.iter().find(|line| !is_blank(line));
    let found = first.map_or(0, |line| indent_of(line));
    let indent = header.indent.unwrap_or(found);
    // A line that is not deeper than the name is not of the block, which then has no text.
    let count = if indent == 0 { leading_blanks(below) } else { lines_of(below, indent) };
    let lines = below.get(..count).unwrap_or_default();
    let has_text = lines.iter().any(|line| !is_blank(line));
    // Where blanks are deeper than the text, or are all that there is, readers disagree about what they are.
    let before_text = lines.iter().take_while(|line| is_blank(line));
    let is_clear = match has_text {
        true => before_text.max_by_key(|line| line.len()).is_none_or(|line| line.len() <= indent),
        false => lines.iter().all(|line| line.is_empty()),
    };
    if !is_clear || lines.iter().any(|line| is_blank(line) && line.contains('\t')) {
        return Err(Problem::Block);
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
    Ok((header.join(&lines, is_open && count == below.len()), count))
}

impl Header {
    fn parse(text: &str) -> Result<Self, Problem> {
        let mut header = Self { is_folded: text.starts_with('>'), chomping: Chomping::Clip, indent: None };
        let mut rest = text.trim_start_matches(['|', '>']);
        if text.len() - rest.len() != 1 {
            return Err(Problem::Block);
        }
        let (mut has_chomping, mut has_indent) = (false, false);
        while let Some(c) = rest.chars().next().filter(|c| !matches!(c, ' ' | '\t')) {
            match c {
                '-' | '+' if !has_chomping => {
                    header.chomping = if c == '-' { Chomping::Strip } else { Chomping::Keep };
                    has_chomping = true;
                }
                '1'..='9' if !has_indent => {
                    header.indent = c.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
                    has_indent = true;
                }
                _ => return Err(Problem::Block),
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        nothing_behind(rest).map_err(|_| Problem::Block)?;
        Ok(header)
    }

    /// The text of the lines, without their indent. Of the last one the end is missing if it is open.
    fn join(&self, lines: &[&str], is_open: bool) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(lines.iter().map(|line| line.len() + 1).sum()));
        let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        let mut blanks = 0;
        let mut above: Option<&str> = None;
        for line in lines.iter().take(end) {
            if line.is_empty() {
                blanks += 1;
                continue;
            }
            // A line that is deeper than the others is not folded, and neither are its ends.
            let is_deeper = |line: &str| line.starts_with([' ', '\t']);
            if let Some(above) = above {
                let folds = self.is_folded && !is_deeper(above) && !is_deeper(line);
                match (folds, blanks) {
                    (true, 0) => text.push(' '),
                    (true, _) => {}
                    (false, _) => text.push('\n'),
                }
            }
            text.extend(std::iter::repeat_n('\n', blanks));
            text.push_str(line);
            blanks = 0;
            above = Some(*line);
        }
        let has_text = usize::from(end > 0);
        let line_ends = (lines.len() - end + has_text).saturating_sub(usize::from(is_open));
        let kept = match self.chomping {
            Chomping::Strip => 0,
            Chomping::Clip => line_ends.min(has_text),
            Chomping::Keep => line_ends,
        };
        text.extend(std::iter::repeat_n('\n', kept));
        text
    }
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|b| matches!(b, b' ' | b'\t'))
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn leading_blanks(lines: &[&str]) -> usize {
    lines.iter().take_while(|line| is_blank(line)).count()
}

/// The lines up to the first one with text that is not as deep as the block.
fn lines_of(lines: &[&str], indent: usize) -> usize {
    lines.iter().take_while(|line| is_blank(line) || indent_of(line) >= indent).count()
}
