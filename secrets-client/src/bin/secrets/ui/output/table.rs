//! Rows of text in aligned columns, as a pipe and as a terminal of a certain width get them.

mod cell;
mod identifier;
#[cfg(test)]
mod tests;
mod width;

use std::borrow::Cow;

pub(crate) use self::cell::{Cell, Tone};
use self::width::{cut, wrapped_list};
pub(crate) use self::width::{width, wrapped};
use crate::args::time;

/// Columns are this far apart.
const COLUMN_GAP: usize = 2;
/// A column is cut to this many of the terminal's columns while another one can give way instead.
const COMFORTABLE_WIDTH: usize = 14;
/// What goes below a row is set back this far, and is no longer than so many lines.
const BELOW_INDENT: usize = 4;
const MAX_LINES_BELOW: usize = 3;
/// A column is not cut to less for another one that can go below.
const READABLE_WIDTH: usize = 20;
/// A column is not cut below this width.
const MIN_WIDTH: usize = 6;
/// Headings of times, enumerations and versions, of which a part is no use.
const WHOLE_HEADINGS: [&str; 13] = [
    "ACCESS",
    "CREATED",
    "DELETED UNTIL",
    "EXPIRES",
    "LAST USED",
    "LOCKED",
    "ORIGIN",
    "OUTCOME",
    "ROLE",
    "SINCE",
    "STATE",
    "TIME",
    "VERSION",
];

/// Rows of text in aligned columns.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    /// Headings of what a narrow terminal does without before anything is cut.
    expendable: Vec<&'static str>,
    /// Headings of what it does without before anything is cut below what is comfortable.
    spare: Vec<&'static str>,
    /// Headings of what is never cut, beside [`WHOLE_HEADINGS`].
    whole: Vec<&'static str>,
    /// Headings of identifiers, of which a terminal shows what tells them apart.
    identifiers: Vec<&'static str>,
    /// Headings of what goes on below where others are cut.
    wrapped: Vec<&'static str>,
    /// Heading of what goes in lines of its own below a row where it does not fit at its end.
    below: Option<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(headings: impl Into<Vec<&'static str>>) -> Self {
        Self {
            headings: headings.into(),
            expendable: Vec::new(),
            spare: Vec::new(),
            whole: Vec::new(),
            identifiers: Vec::new(),
            wrapped: Vec::new(),
            below: None,
            rows: Vec::new(),
        }
    }

    /// Says which columns a terminal does without that is too narrow for all of them: those that go before anything is
    /// cut, and those that go before what is left gets hard to read; the first one first. The name, which is the first
    /// column, is never among them.
    pub(crate) fn spare(mut self, expendable: &[&'static str], spare: &[&'static str]) -> Self {
        self.expendable = expendable.to_vec();
        self.spare = spare.to_vec();
        self
    }

    /// Says which columns are never cut, beside those of times, enumerations and versions.
    pub(crate) fn whole(mut self, headings: &[&'static str]) -> Self {
        self.whole = headings.to_vec();
        self
    }

    /// Says which columns hold identifiers, of which the beginning is enough if it is no other's.
    pub(crate) fn identifiers(mut self, headings: &[&'static str]) -> Self {
        self.identifiers = headings.to_vec();
        self
    }

    /// Says which columns go on in lines below, where a terminal is too narrow for them.
    pub(crate) fn wrapped(mut self, headings: &[&'static str]) -> Self {
        self.wrapped = headings.to_vec();
        self
    }

    /// Says that the last column goes below the rows where a terminal is too narrow for it.
    pub(crate) fn last_below(mut self) -> Self {
        self.below = self.headings.last().copied();
        self
    }

    pub(crate) fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut cells: Vec<Cell> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.headings.len(), Cell::default());
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in lines. A pipe gets all of it. On a terminal, whose `width` is given, times are distances from now and identifiers
    /// are short; columns without content are left out, then those that can be spared, and then the widest are cut until a
    /// line fits.
    pub(crate) fn render(&self, width: Option<usize>, color: bool) -> String {
        let rows: Cow<'_, [Vec<Cell>]> = match width {
            Some(_) => self.rows_of_terminal().into(),
            None => self.rows.as_slice().into(),
        };
        let columns = self.columns(&rows, width);
        let mut text = String::new();
        let headings: Vec<Cell> = self.headings.iter().map(|heading| Cell::from(*heading)).collect();
        let heading = line(&headings, &columns, width, false);
        if color {
            text.push_str(&format!("\x1b[1m{heading}\x1b[0m\n"));
        } else {
            text.push_str(&format!("{heading}\n"));
        }
        for row in rows.iter() {
            let below = self.below(row, &columns, width);
            for cells in self.lines_of(row, &columns) {
                let shown = if below.is_empty() { cells.len() } else { cells.len().saturating_sub(1) };
                let cells = cells.get(..shown).unwrap_or_default();
                text.push_str(&line(cells, &columns, width, color));
                text.push('\n');
            }
            below.iter().for_each(|line| text.push_str(&format!("{:BELOW_INDENT$}{line}\n", "")));
        }
        text
    }

    /// What of a row goes below it: its last cell, if that is longer than its column.
    fn below(&self, row: &[Cell], columns: &[Option<usize>], room: Option<usize>) -> Vec<String> {
        let (Some(_), Some(room), Some(cell), Some(column)) = (self.below, room, row.last(), columns.last()) else {
            return Vec::new();
        };
        if width(cell.text()) <= column.unwrap_or(0) {
            return Vec::new();
        }
        let room = room.saturating_sub(BELOW_INDENT);
        let mut lines = wrapped_list(cell.text(), room);
        let is_whole = lines.len() <= MAX_LINES_BELOW;
        lines.truncate(MAX_LINES_BELOW);
        if let Some(last) = lines.last_mut().filter(|_| !is_whole) {
            *last = format!("{} …", cut(last, room.saturating_sub(2)));
        }
        lines.iter().map(|line| cut(line, room)).collect()
    }

    fn rows_of_terminal(&self) -> Vec<Vec<Cell>> {
        let now = time::now();
        let mut rows: Vec<Vec<Cell>> =
            self.rows.iter().map(|row| row.iter().map(|cell| cell.relative_to(&now)).collect()).collect();
        for (at, _) in self.headings.iter().enumerate().filter(|(_, heading)| self.identifiers.contains(heading)) {
            let identifiers: Vec<&str> = self.rows.iter().filter_map(|row| row.get(at).map(Cell::text)).collect();
            let length = identifier::distinct_length(&identifiers);
            for cell in rows.iter_mut().filter_map(|row| row.get_mut(at)) {
                *cell = cell.with_text(cell.text().chars().take(length).collect());
            }
        }
        rows
    }

    /// A row as it is, and what of it goes on below.
    fn lines_of(&self, row: &[Cell], columns: &[Option<usize>]) -> Vec<Vec<Cell>> {
        let cells = row.iter().zip(&self.headings).zip(columns).map(|((cell, heading), column)| match column {
            Some(width) if self.wrapped.contains(heading) => {
                wrapped(cell.text(), *width).into_iter().map(|text| cell.with_text(text)).collect()
            }
            _ => vec![cell.clone()],
        });
        let cells: Vec<Vec<Cell>> = cells.collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        let line = |at| cells.iter().map(|cell| cell.get(at).cloned().unwrap_or_default()).collect();
        (0..lines).map(line).collect()
    }

    /// How wide each column is; none where it is left out.
    fn columns(&self, rows: &[Vec<Cell>], room: Option<usize>) -> Vec<Option<usize>> {
        let mut columns: Vec<Option<usize>> = self.headings.iter().map(|heading| Some(width(heading))).collect();
        for row in rows {
            for (column, cell) in columns.iter_mut().zip(row) {
                *column = (*column).max(Some(width(cell.text())));
            }
        }
        let Some(room) = room else { return columns };
        for (at, column) in columns.iter_mut().enumerate().skip(1) {
            if rows.iter().all(|row| row.get(at).is_some_and(|cell| cell.text().is_empty())) {
                *column = None;
            }
        }
        let expendable = self.expendable.iter().map(|heading| (heading, usize::MAX));
        for (heading, most) in expendable.chain(self.spare.iter().map(|heading| (heading, COMFORTABLE_WIDTH))) {
            if self.total(&columns, most) <= room {
                break;
            }
            if let Some((column, _)) = columns.iter_mut().zip(&self.headings).find(|(_, other)| *other == heading) {
                *column = None;
            }
        }
        if self.below.is_some() && self.total(&columns, usize::MAX) > room {
            self.narrow_last(&mut columns, room);
        }
        // The name comes first and is what a person came for: it is cut last, with the line.
        while self.total(&columns, usize::MAX) > room {
            let cut = columns.iter_mut().zip(&self.headings).skip(1).filter(|(_, heading)| !self.is_whole(heading));
            match cut.filter_map(|(column, _)| column.as_mut()).max() {
                Some(column) if *column > MIN_WIDTH => *column -= 1,
                _ => break,
            }
        }
        columns
    }

    /// Makes room for short texts in the last column, if the others stay readable without it; else leaves it to the lines below.
    fn narrow_last(&self, columns: &mut Vec<Option<usize>>, room: usize) {
        let Some(natural) = columns.pop().flatten() else { return };
        let least = natural.min(COMFORTABLE_WIDTH.max(room / 6));
        let mut narrowed = columns.clone();
        while self.total(&narrowed, usize::MAX) + COLUMN_GAP + least > room {
            let cut = narrowed.iter_mut().zip(&self.headings).skip(1).filter(|(_, heading)| !self.is_whole(heading));
            match cut.filter_map(|(column, _)| column.as_mut()).max() {
                Some(column) if *column > READABLE_WIDTH => *column -= 1,
                _ => return columns.push(None),
            }
        }
        let left = room - self.total(&narrowed, usize::MAX) - COLUMN_GAP;
        *columns = narrowed;
        columns.push(Some(left));
    }

    fn is_whole(&self, heading: &&'static str) -> bool {
        [WHOLE_HEADINGS.as_slice(), &self.whole, &self.identifiers].iter().any(|whole| whole.contains(heading))
    }

    /// How long a line is when no column but the first, and those that are never cut, is longer than `most`.
    fn total(&self, columns: &[Option<usize>], most: usize) -> usize {
        let shown = columns.iter().zip(&self.headings).enumerate();
        let shown = shown.filter_map(|(at, (column, heading))| Some((at, (*column)?, heading)));
        let lengths: Vec<usize> = shown
            .map(|(at, column, heading)| if at == 0 || self.is_whole(heading) { column } else { column.min(most) })
            .collect();
        lengths.iter().sum::<usize>() + COLUMN_GAP * lengths.len().saturating_sub(1)
    }
}

/// A line of cells. What does not fit the terminal is cut, and a colour never reaches beyond its cell.
fn line(cells: &[Cell], columns: &[Option<usize>], room: Option<usize>, color: bool) -> String {
    let mut text = String::new();
    let (mut left, mut gap) = (room.unwrap_or(usize::MAX), 0);
    for (cell, column) in cells.iter().zip(columns).filter_map(|(cell, column)| Some((cell, (*column)?))) {
        let shown = cut(cell.text(), column);
        let padding = gap;
        gap = column - width(&shown) + COLUMN_GAP + if shown.is_empty() { gap } else { 0 };
        if shown.is_empty() {
            continue;
        }
        let Some(rest) = left.checked_sub(padding).filter(|rest| *rest > 0) else { break };
        let shown = cut(&shown, rest);
        left = rest - width(&shown);
        text.push_str(&" ".repeat(padding));
        match cell.tone().filter(|_| color) {
            Some(tone) => text.push_str(&format!("{}{shown}\x1b[0m", tone.start())),
            None => text.push_str(&shown),
        }
    }
    text
}
