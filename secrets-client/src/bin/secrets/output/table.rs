use super::printable;

/// Columns are this far apart.
const GAP: usize = 2;
/// A column is not cut below this many characters.
const NARROWEST: usize = 8;

/// Rows of text in aligned columns.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: impl Into<Vec<&'static str>>) -> Self {
        Self { headings: headings.into(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        let mut cells: Vec<String> = cells.into().iter().map(|cell| printable(cell)).collect();
        cells.resize(self.headings.len(), String::new());
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table in lines. With a `width`, the widest columns are cut until a line fits; without one nothing is.
    pub(crate) fn render(&self, width: Option<usize>, color: bool) -> String {
        let columns = self.columns(width);
        let mut text = String::new();
        let headings: Vec<String> = self.headings.iter().map(|heading| (*heading).to_owned()).collect();
        let heading = line(&headings, &columns);
        if color {
            text.push_str(&format!("\x1b[1m{heading}\x1b[0m\n"));
        } else {
            text.push_str(&format!("{heading}\n"));
        }
        for row in &self.rows {
            text.push_str(&line(row, &columns));
            text.push('\n');
        }
        text
    }

    /// How wide each column is.
    fn columns(&self, width: Option<usize>) -> Vec<usize> {
        let mut columns: Vec<usize> = self.headings.iter().map(|heading| heading.chars().count()).collect();
        for row in &self.rows {
            for (column, cell) in columns.iter_mut().zip(row) {
                *column = (*column).max(cell.chars().count());
            }
        }
        let Some(width) = width else { return columns };
        let gaps = GAP * columns.len().saturating_sub(1);
        // The name comes first and is what a person came for: it is cut last, by not being cut here.
        while columns.iter().sum::<usize>() + gaps > width {
            let widest = columns.iter_mut().skip(1).max_by_key(|column| **column);
            match widest {
                Some(column) if *column > NARROWEST => *column -= 1,
                _ => break,
            }
        }
        columns
    }
}

fn line(cells: &[String], columns: &[usize]) -> String {
    let mut text = String::new();
    for (cell, &column) in cells.iter().zip(columns) {
        let length = cell.chars().count();
        if length > column {
            text.extend(cell.chars().take(column.saturating_sub(1)));
            text.push('…');
        } else {
            text.push_str(cell);
            text.push_str(&" ".repeat(column - length));
        }
        text.push_str(&" ".repeat(GAP));
    }
    text.truncate(text.trim_end().len());
    text
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
    fn stays_readable_on_a_terminal_too_narrow_for_it() {
        assert!(table().render(Some(1), false).contains("LINEAR_API_KEY"));
    }

    #[test]
    fn keeps_a_cell_on_one_line() {
        let mut table = Table::new(["NAME"]);
        table.row(["a\nb".to_owned()]);
        assert_eq!(table.render(None, false), "NAME\na\\nb\n");
    }
}
