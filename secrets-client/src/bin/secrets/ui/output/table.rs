//! Rows of text in aligned columns, as a pipe and as a terminal of a certain width get them.

mod cell;
mod identifier;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["NAME", "TARGET", "DESCRIPTION"]);
        table.row(["LINEAR_API_KEY", "variable", "the key of the whole team, please be careful"]);
        table.row(["A", "file ~/.ssh/deploy_key", ""]);
        table
    }

    #[test]
    fn aligns_columns_without_trailing_spaces() {
        let lines = table().render(None, false);
        assert_eq!(
            lines,
            "NAME            TARGET                  DESCRIPTION\n\
             LINEAR_API_KEY  variable                the key of the whole team, please be careful\n\
             A               file ~/.ssh/deploy_key\n"
        );
    }

    #[test]
    fn fits_the_terminal_and_keeps_the_name() {
        let lines = table().render(Some(50), false);
        assert!(lines.lines().all(|line| line.chars().count() <= 50), "{lines}");
        assert!(lines.contains("LINEAR_API_KEY") && lines.contains('…'), "{lines}");
    }

    #[test]
    fn never_writes_past_the_terminals_edge() {
        for width in 20..120 {
            let lines = table().render(Some(width), false);
            assert!(lines.lines().all(|line| line.chars().count() <= width), "{width}: {lines}");
            assert!(lines.contains("LINEAR_API_KEY"), "{width}: {lines}");
        }
    }

    #[test]
    fn leaves_out_on_a_terminal_what_is_empty_or_can_be_spared() {
        let mut table =
            Table::new(["NAME", "LOCKED", "DESCRIPTION", "CREATED", "VALUE"]).spare(&["VALUE"], &["CREATED"]);
        table.row(["A", "", "the team's own key", "2026-11-21 09:30Z", "••••••••"]);
        let headings =
            |width| table.render(width, false).lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(headings(None), "NAME LOCKED DESCRIPTION CREATED VALUE");
        assert_eq!(headings(Some(80)), "NAME DESCRIPTION CREATED VALUE");
        assert_eq!(headings(Some(45)), "NAME DESCRIPTION CREATED");
        assert_eq!(headings(Some(25)), "NAME DESCRIPTION");
        assert!(table.render(Some(25), false).contains("the team's own key"));
    }

    #[test]
    fn goes_on_below_and_cuts_no_time() {
        let mut table = Table::new(["NAME", "NOT CHOSEN", "DESCRIPTION", "CREATED"]);
        table = table.wrapped(&["NOT CHOSEN"]);
        let others = "organization: lower precedence; project api: disabled";
        table.row(["KEY", others, "the team's own key", "2026-11-21 09:30Z"]);
        assert_eq!(
            table.render(Some(56), false),
            "NAME  NOT CHOSEN       DESCRIPTION     CREATED\n\
             KEY   organization:    the team's ow…  2026-11-21 09:30Z\n\
             \u{20}     lower\n\
             \u{20}     precedence;\n\
             \u{20}     project api:\n\
             \u{20}     disabled\n"
        );
        assert_eq!(table.render(None, false).lines().count(), 2);
    }

    #[test]
    fn what_does_not_fit_at_the_end_of_a_row_goes_below_it() {
        let mut table = Table::new(["NAME", "ACTION", "DETAILS"]).last_below();
        table.row(["bob", "UpdateSecret", "value changed"]);
        table.row(["ann", "Resolve", "A v1, B v2, 日本語 v3, D v4, E v5"]);
        table.row(["ann", "GetSecret", ""]);
        assert_eq!(table.render(None, false).lines().count(), 4);
        assert_eq!(
            table.render(Some(34), false),
            "NAME  ACTION        DETAILS\n\
             bob   UpdateSecret  value changed\n\
             ann   Resolve\n\
             \u{20}   A v1, B v2, 日本語 v3, D v4,\n\
             \u{20}   E v5\n\
             ann   GetSecret\n"
        );
        assert_eq!(
            table.render(Some(24), false),
            "NAME  ACTION\n\
             bob   UpdateSecret\n\
             \u{20}   value changed\n\
             ann   Resolve\n\
             \u{20}   A v1, B v2,\n\
             \u{20}   日本語 v3, D v4,\n\
             \u{20}   E v5\n\
             ann   GetSecret\n"
        );
    }

    #[test]
    fn others_make_room_for_what_is_short_as_long_as_they_can_be_read() {
        let mut table = Table::new(["TIME", "PRINCIPAL", "DETAILS"]).last_below();
        table.row(["noon", "service:sandboxd (platform)'s session", "A v1"]);
        let rendered = |width| table.render(Some(width), false).split_once('\n').unwrap().1.to_owned();
        assert_eq!(rendered(36), "noon  service:sandboxd (pl…  A v1\n");
        assert_eq!(rendered(34), "noon  service:sandboxd (platform)…\n    A v1\n");
    }

    #[test]
    fn what_goes_below_is_no_longer_than_a_few_lines() {
        let mut table = Table::new(["NAME", "DETAILS"]).last_below();
        table.row(["bob".to_owned(), (1..100).map(|n| format!("SECRET_{n} v1")).collect::<Vec<_>>().join(", ")]);
        for width in 20..60 {
            let lines = table.render(Some(width), false);
            assert_eq!(lines.lines().count(), 2 + MAX_LINES_BELOW, "{width}: {lines}");
            assert!(lines.trim_end().ends_with('…'), "{width}: {lines}");
            assert!(lines.lines().all(|line| super::width(line) <= width), "{width}: {lines}");
        }
    }

    #[test]
    fn aligns_what_is_wide() {
        let mut table = Table::new(["NAME", "DESCRIPTION", "SCOPE"]);
        table.row(["A", "日本語", "user"]);
        table.row(["B", "cle\u{301}", "user"]);
        assert_eq!(
            table.render(None, false),
            "NAME  DESCRIPTION  SCOPE\nA     日本語       user\nB     cle\u{301}          user\n"
        );
    }

    #[test]
    fn shows_a_terminal_how_long_ago_something_was() {
        let mut table = Table::new(["NAME", "CREATED"]);
        let now = time::now();
        let time = prost_types::Timestamp { seconds: now.seconds - 3 * 24 * 3600, nanos: 0 };
        table.row([Cell::from("A"), Cell::time(Some(&time))]);
        assert_eq!(table.render(Some(80), false), "NAME  CREATED\nA     3 days ago\n");
        assert!(table.render(None, false).contains('Z'));
    }

    #[test]
    fn shows_a_terminal_what_tells_identifiers_apart() {
        let mut table = Table::new(["ID", "FOR"]).identifiers(&["ID"]);
        table.row(["7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "a"]);
        table.row(["9c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11", "b"]);
        assert_eq!(table.render(Some(80), false), "ID        FOR\n7c2a51d2  a\n9c2a51d2  b\n");
        assert!(table.render(None, false).contains("7c2a51d2-0a5c-4d9d-9f3b-1d1f6b7c2e11"));
    }

    #[test]
    fn colours_a_cell_and_nothing_beside_it() {
        let mut table = Table::new(["NAME", "STATE", "BY"]);
        table.row([Cell::from("A"), Cell::from("revoked").toned(Some(Tone::Bad)), Cell::from("bob")]);
        let lines = table.render(Some(80), true);
        assert_eq!(lines.lines().nth(1).unwrap(), "A     \x1b[31mrevoked\x1b[0m  bob");
        assert_eq!(table.render(Some(80), false).lines().nth(1).unwrap(), "A     revoked  bob");
        for room in 20..40 {
            let line = table.render(Some(room), true).lines().nth(1).unwrap().to_owned();
            assert_eq!(line.matches("\x1b[31m").count(), 1, "{room}");
            assert!(line.contains("\x1b[0m"), "{room}: {line:?}");
        }
    }

    #[test]
    fn keeps_a_cell_on_one_line() {
        let mut table = Table::new(["NAME"]);
        table.row(["a\nb"]);
        assert_eq!(table.render(None, false), "NAME\na\\nb\n");
    }
}
