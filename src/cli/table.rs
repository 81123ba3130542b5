//! Tables of text, as wide as they need to be, or as a terminal is.
//!
//! Comes in: cells. Goes out: lines. On a terminal a table that is too wide is no table any more, as every
//! row breaks in the middle. So there columns in which nothing stands go first, then texts are shortened in
//! their middle, then columns go from the right; what went is named below.

use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: usize = 3;
/// No text is shortened to less than this, columns.
const LEAST: usize = 24;

/// A column of a table.
pub struct Column {
    /// Its title.
    pub name: String,
    /// Its cells, which may have several lines.
    pub cells: Vec<Cell>,
}

/// What stands in a column of a row.
pub struct Cell {
    /// The text; a line break ends a line of the cell.
    pub text: String,
    /// Numbers stand on the right.
    pub is_number: bool,
    /// Whether it is nothing, or 0.
    pub is_nothing: bool,
}

/// A table that is laid out.
#[derive(Debug)]
pub struct Layout {
    /// Its lines, the title first.
    pub lines: Vec<String>,
    /// Columns that are left out because there is nothing in any row.
    pub empty: Vec<String>,
    /// Columns that are left out because there is no room.
    pub left_out: Vec<String>,
}

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| width_of(&cell.text));
        cells.max().unwrap_or(0).max(width_of(&self.name))
    }

    fn is_nothing(&self) -> bool {
        !self.cells.is_empty() && self.cells.iter().all(|cell| cell.is_nothing)
    }

    /// The least that it may be shortened to: numbers not at all.
    fn least(&self, width: usize) -> usize {
        let is_text = self.cells.iter().any(|cell| !cell.is_number && !cell.is_nothing);
        if is_text { LEAST.max(width_of(&self.name)).min(width) } else { width }
    }

    fn shorten(&mut self, width: usize) {
        for cell in self.cells.iter_mut().filter(|cell| width_of(&cell.text) > width) {
            let lines: Vec<String> =
                cell.text.split('\n').map(|line| shortened(line, width)).collect();
            cell.text = lines.join("\n");
        }
    }
}

/// Lays out a table; within so many columns of a terminal, if that is given.
pub fn lay_out(mut columns: Vec<Column>, terminal: Option<usize>) -> Layout {
    let mut widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let (mut empty, mut left_out) = (Vec::new(), Vec::new());
    if let Some(terminal) = terminal
        && needed(&widths) > terminal
    {
        // What is told apart by the first column is told apart by it even if that is 0.
        for at in (1..columns.len()).rev() {
            if columns[at].is_nothing() {
                empty.push(columns.remove(at).name);
                widths.remove(at);
            }
        }
        empty.reverse();
        let least: Vec<usize> =
            columns.iter().zip(&widths).map(|(column, &width)| column.least(width)).collect();
        // With all texts as short as they may be: so many columns have room.
        while columns.len() > 1 && needed(&least[..columns.len()]) > terminal {
            left_out.extend(columns.pop().map(|column| column.name));
        }
        left_out.reverse();
        widths.truncate(columns.len());
        narrow(&mut widths, &least, terminal);
        if let [only] = &mut widths[..] {
            *only = (*only).min(terminal.max(1));
        }
        for (column, &width) in columns.iter_mut().zip(&widths) {
            column.shorten(width);
        }
    }
    let rule = needed(&widths) + usize::from(terminal.is_none() && !columns.is_empty());
    Layout { lines: lines_of(&columns, &widths, rule), empty, left_out }
}

/// Columns of a terminal that a table takes whose columns have these widths.
fn needed(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Makes the widest columns narrower, none below its least, until the table fits or none can be.
fn narrow(widths: &mut [usize], least: &[usize], terminal: usize) {
    loop {
        let over = needed(widths).saturating_sub(terminal);
        let can_be = (0..widths.len()).filter(|&at| widths[at] > least[at]);
        let Some(widest) = can_be.max_by_key(|&at| widths[at]).filter(|_| over > 0) else { return };
        let width = widths[widest];
        // Not all from one, if another is nearly as wide.
        widths[widest] = (width - over.min(width / 8 + 1)).max(least[widest]);
    }
}

/// The lines of a table, `rule` the length of the line below the titles.
fn lines_of(columns: &[Column], widths: &[usize], rule: usize) -> Vec<String> {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let mut lines = Vec::with_capacity(rows + 2);
    let titles: Vec<(&str, bool)> =
        columns.iter().map(|column| (column.name.as_str(), false)).collect();
    push_row(&mut lines, &titles, widths);
    lines.push("─".repeat(rule));
    for row in 0..rows {
        let cells: Vec<(&str, bool)> = columns
            .iter()
            .map(|column| (column.cells[row].text.as_str(), column.cells[row].is_number))
            .collect();
        push_row(&mut lines, &cells, widths);
    }
    lines
}

/// The lines of a row: as many as its highest cell has.
fn push_row(lines: &mut Vec<String>, cells: &[(&str, bool)], widths: &[usize]) {
    let height = cells.iter().map(|(text, _)| text.split('\n').count()).max().unwrap_or(0);
    let mut parts: Vec<_> = cells.iter().map(|(text, _)| text.split('\n')).collect();
    for _ in 0..height {
        let mut line = String::new();
        for ((part, (_, is_right)), &width) in parts.iter_mut().zip(cells).zip(widths) {
            let part = part.next().unwrap_or("");
            let room = width.saturating_sub(width_of(part));
            if *is_right {
                line.extend(std::iter::repeat_n(' ', room));
            }
            line.push_str(part);
            let behind = if *is_right { 0 } else { room };
            line.extend(std::iter::repeat_n(' ', behind + GAP));
        }
        line.truncate(line.trim_end().len());
        lines.push(line);
    }
}

/// Columns of a terminal that the widest line of a text takes.
fn width_of(text: &str) -> usize {
    text.split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// A line in so many columns of a terminal, its middle left out: both ends of a name tell more.
fn shortened(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let room = width.saturating_sub(1);
    let take = |letters: &mut dyn Iterator<Item = char>, room: usize| {
        let mut taken = Vec::new();
        let mut used = 0;
        for letter in letters {
            // As the width of a text counts control characters.
            let more = unicode_width::UnicodeWidthChar::width(letter).unwrap_or(1);
            if used + more > room {
                break;
            }
            used += more;
            taken.push(letter);
        }
        taken
    };
    let start: String = take(&mut line.chars(), room / 2).into_iter().collect();
    let end: String = take(&mut line.chars().rev(), room - room / 2).into_iter().rev().collect();
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, cells: &[&str]) -> Column {
        let cell = |text: &&str| Cell {
            text: (*text).into(),
            is_number: text.parse::<f64>().is_ok(),
            is_nothing: matches!(*text, "" | "0"),
        };
        Column { name: name.into(), cells: cells.iter().map(cell).collect() }
    }

    fn table() -> Vec<Column> {
        vec![
            column("name", &["github.com/some/where/very/deep.(*Server).Serve", "main.main"]),
            column("count", &["17", "3"]),
            column("nothing", &["0", ""]),
            column("stack", &["a\nbb", "ccc"]),
            column("last", &["1", "2"]),
        ]
    }

    #[test]
    fn a_table_is_as_wide_as_it_needs_to_be() {
        let laid = lay_out(table(), None);
        assert_eq!(
            laid.lines[..1].iter().chain(&laid.lines[2..]).cloned().collect::<Vec<_>>().join("\n"),
            "\
name                                              count   nothing   stack   last
github.com/some/where/very/deep.(*Server).Serve      17         0   a          1
                                                                    bb
main.main                                             3             ccc        2"
        );
        assert_eq!(laid.lines[1], "─".repeat(81));
        assert!(laid.empty.is_empty() && laid.left_out.is_empty());
        assert_eq!(lay_out(table(), Some(80)).lines[2..], laid.lines[2..]);
    }

    #[test]
    fn what_does_not_fit_goes_in_order_and_is_named() {
        let laid = lay_out(table(), Some(75));
        assert_eq!((&laid.empty[..], laid.left_out.len()), (&["nothing".to_owned()][..], 0));
        assert!(laid.lines[2].starts_with("github.com/some/where/very/deep.(*Server).Serve"));
        let laid = lay_out(table(), Some(50));
        assert_eq!(laid.left_out.len(), 0);
        assert!(laid.lines[2].starts_with("github.com/so"), "{:?}", laid.lines);
        assert!(laid.lines[2].contains("…") && laid.lines[2].contains("Serve "));
        let laid = lay_out(table(), Some(34));
        assert_eq!(laid.left_out, ["stack", "last"]);
    }

    #[test]
    fn a_table_of_nothing_has_its_first_column() {
        let columns = ["first", "second", "third"].map(|name| column(name, &["0", "0"]));
        let laid = lay_out(columns.into(), Some(12));
        assert_eq!(laid.lines, ["first", "─────", "    0", "    0"]);
        assert_eq!(laid.empty, ["second", "third"]);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 1..120 {
            let laid = lay_out(table(), Some(width));
            // One column is left in any case, with its title.
            for line in &laid.lines {
                assert!(line.width() <= width.max(5), "{width}: {line}");
            }
        }
        for width in 1..40 {
            let odd = vec![column("n", &["a\tb\u{7}c\u{301}\u{200d}日本\n\t/some/file.go:17"; 3])];
            let laid = lay_out(odd, Some(width));
            assert!(laid.lines.iter().all(|line| line.width() <= width.max(2)), "{laid:?}");
        }
        let wide = vec![column("x", &["日本語のとても長い名前です"])];
        let laid = lay_out(wide, Some(11));
        assert_eq!(laid.lines[2], "日本…です");
    }
}
