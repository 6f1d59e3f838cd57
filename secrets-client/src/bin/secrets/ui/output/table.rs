use crate::ui::escape::escape;

/// Columns are this far apart.
const COLUMN_GAP: usize = 2;
/// A column is cut to this many characters while another one can give way instead.
const COMFORTABLE_WIDTH: usize = 14;
/// A column is not cut below this many characters.
const MIN_WIDTH: usize = 6;
/// Headings of times, of which a part is no use.
const TIME_HEADINGS: [&str; 6] = ["CREATED", "DELETED UNTIL", "EXPIRES", "LAST USED", "SINCE", "TIME"];

/// Rows of text in aligned columns.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    /// Headings of what a narrow terminal does without before anything is cut.
    expendable: Vec<&'static str>,
    /// Headings of what it does without before anything is cut below what is comfortable.
    spare: Vec<&'static str>,
    /// Headings of what is never cut, beside times.
    whole: Vec<&'static str>,
    /// Headings of what goes on below where others are cut.
    wrapped: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: impl Into<Vec<&'static str>>) -> Self {
        Self {
            headings: headings.into(),
            expendable: Vec::new(),
            spare: Vec::new(),
            whole: Vec::new(),
            wrapped: Vec::new(),
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

    /// Says which columns are never cut, beside those of times.
    pub(crate) fn whole(mut self, headings: &[&'static str]) -> Self {
        self.whole = headings.to_vec();
        self
    }

    /// Says which columns go on in lines below, where a terminal is too narrow for them.
    pub(crate) fn wrapped(mut self, headings: &[&'static str]) -> Self {
        self.wrapped = headings.to_vec();
        self
    }

    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        let mut cells: Vec<String> = cells.into().iter().map(|cell| escape(cell)).collect();
        cells.resize(self.headings.len(), String::new());
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in lines. A pipe gets all of it. On a terminal, whose `width` is given, columns without content are left
    /// out, then those that can be spared, and then the widest are cut until a line fits.
    pub(crate) fn render(&self, width: Option<usize>, color: bool) -> String {
        let columns = self.columns(width);
        let mut text = String::new();
        let heading = line(&self.headings, &columns, width);
        if color {
            text.push_str(&format!("\x1b[1m{heading}\x1b[0m\n"));
        } else {
            text.push_str(&format!("{heading}\n"));
        }
        for row in self.rows.iter().flat_map(|row| self.lines_of(row, &columns)) {
            text.push_str(&line(&row, &columns, width));
            text.push('\n');
        }
        text
    }

    /// A row as it is, and what of it goes on below.
    fn lines_of(&self, row: &[String], columns: &[Option<usize>]) -> Vec<Vec<String>> {
        let cells = row.iter().zip(&self.headings).zip(columns).map(|((cell, heading), column)| match column {
            Some(width) if self.wrapped.contains(heading) => wrapped(cell, *width),
            _ => vec![cell.clone()],
        });
        let cells: Vec<Vec<String>> = cells.collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
        let line = |at| cells.iter().map(|cell| cell.get(at).cloned().unwrap_or_default()).collect();
        (0..lines).map(line).collect()
    }

    /// How wide each column is; none where it is left out.
    fn columns(&self, width: Option<usize>) -> Vec<Option<usize>> {
        let mut columns: Vec<Option<usize>> =
            self.headings.iter().map(|heading| Some(heading.chars().count())).collect();
        for row in &self.rows {
            for (column, cell) in columns.iter_mut().zip(row) {
                *column = (*column).max(Some(cell.chars().count()));
            }
        }
        let Some(width) = width else { return columns };
        for (at, column) in columns.iter_mut().enumerate().skip(1) {
            if self.rows.iter().all(|row| row.get(at).is_some_and(String::is_empty)) {
                *column = None;
            }
        }
        let expendable = self.expendable.iter().map(|heading| (heading, usize::MAX));
        for (heading, most) in expendable.chain(self.spare.iter().map(|heading| (heading, COMFORTABLE_WIDTH))) {
            if self.total(&columns, most) <= width {
                break;
            }
            if let Some((column, _)) = columns.iter_mut().zip(&self.headings).find(|(_, other)| *other == heading) {
                *column = None;
            }
        }
        // The name comes first and is what a person came for: it is cut last, with the line.
        while self.total(&columns, usize::MAX) > width {
            let cut = columns.iter_mut().zip(&self.headings).skip(1).filter(|(_, heading)| !self.is_whole(heading));
            match cut.filter_map(|(column, _)| column.as_mut()).max() {
                Some(column) if *column > MIN_WIDTH => *column -= 1,
                _ => break,
            }
        }
        columns
    }

    fn is_whole(&self, heading: &&'static str) -> bool {
        TIME_HEADINGS.contains(heading) || self.whole.contains(heading)
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

fn line(cells: &[impl AsRef<str>], columns: &[Option<usize>], width: Option<usize>) -> String {
    let mut text = String::new();
    for (cell, column) in cells.iter().zip(columns).filter_map(|(cell, column)| Some((cell.as_ref(), (*column)?))) {
        let cell = cut(cell, column);
        text.push_str(&cell);
        text.push_str(&" ".repeat(column - cell.chars().count() + COLUMN_GAP));
    }
    text.truncate(text.trim_end().len());
    width.map_or_else(|| text.clone(), |width| cut(&text, width))
}

/// A text in lines of at most `room` characters, broken between words where it can be.
pub(crate) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// At most `length` characters of a text: of a resource path the end, which differs between paths, else the beginning.
fn cut(text: &str, length: usize) -> String {
    let characters = text.chars().count();
    if characters <= length {
        text.to_owned()
    } else if text.starts_with("organizations/") && !text.contains(' ') {
        std::iter::once('…').chain(text.chars().skip(characters - length + 1)).collect()
    } else {
        text.chars().take(length.saturating_sub(1)).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["NAME", "TARGET", "DESCRIPTION"]);
        table.row(["LINEAR_API_KEY".into(), "variable".into(), "the key of the whole team, please be careful".into()]);
        table.row(["A".into(), "file ~/.ssh/deploy_key".into(), String::new()]);
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
        table.row([
            "A".into(),
            String::new(),
            "the team's own key".into(),
            "2026-11-21 09:30Z".into(),
            "••••••••".into(),
        ]);
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
        table.row(["KEY".into(), others.into(), "the team's own key".into(), "2026-11-21 09:30Z".into()]);
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
    fn keeps_the_end_of_a_path() {
        assert_eq!(cut("organizations/acme/projects/api", 12), "…rojects/api");
        assert_eq!(cut("the team's own key", 10), "the team'…");
    }

    #[test]
    fn keeps_a_cell_on_one_line() {
        let mut table = Table::new(["NAME"]);
        table.row(["a\nb".to_owned()]);
        assert_eq!(table.render(None, false), "NAME\na\\nb\n");
    }
}
