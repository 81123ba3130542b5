//! Text in columns, as Go's `text/tabwriter` lays it out with AlignRight and a padding of one space.

use std::io::{self, Write};

/// Writes lines of cells, which end with tabs: each with a space before it and as wide as the widest
/// cell of its column. A column is a run of consecutive lines that have a cell there; what follows the
/// last tab of a line is no cell. Names may hold tabs and ends of lines of their own, which count as
/// any other. Takes time in proportion to the text.
///
/// Source: Go 1.27 `text/tabwriter/tabwriter.go`, format.
pub fn align_right(text: &str, out: &mut impl Write) -> io::Result<()> {
    let columns = Columns::new(text);
    let mut cell = 0;
    for line in columns.lines() {
        let (cells, rest) = cells(line);
        for text in cells {
            let width = columns.widths[columns.column_of[cell] as usize];
            pad(out, width - text.chars().count())?;
            out.write_all(text.as_bytes())?;
            cell += 1;
        }
        out.write_all(rest.as_bytes())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

struct Columns<'a> {
    text: &'a str,
    /// The column of each cell.
    column_of: Vec<u32>,
    /// How wide each column is.
    widths: Vec<usize>,
}

impl<'a> Columns<'a> {
    fn new(text: &'a str) -> Self {
        let mut columns = Columns { text, column_of: Vec::new(), widths: Vec::new() };
        let mut open: Vec<u32> = Vec::new();
        let mut end = 0;
        for line in columns.lines() {
            let mut count = 0;
            for cell in cells(line).0 {
                if count == open.len() {
                    open.push(columns.widths.len() as u32);
                    columns.widths.push(0);
                }
                let width = &mut columns.widths[open[count] as usize];
                *width = (*width).max(cell.chars().count() + 1);
                columns.column_of.push(open[count]);
                count += 1;
            }
            open.truncate(count);
            // A form feed ends all columns, too.
            end += line.len() + 1;
            if text.as_bytes().get(end - 1) == Some(&b'\x0c') {
                open.clear();
            }
        }
        columns
    }

    fn lines(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        // Without the empty one behind the last end of a line.
        self.text
            .split_inclusive(['\n', '\x0c'])
            .map(|line| line.strip_suffix(['\n', '\x0c']).unwrap_or(line))
    }
}

/// The cells of a line, and what follows the last of them.
fn cells(line: &str) -> (impl Iterator<Item = &str>, &str) {
    let (cells, rest) = match line.rfind(['\t', '\x0b']) {
        Some(last) => (Some(&line[..last]), &line[last + 1..]),
        None => (None, line),
    };
    (cells.into_iter().flat_map(|cells| cells.split(['\t', '\x0b'])), rest)
}

/// Spaces. A width in a format would end at 65,535.
fn pad(out: &mut impl Write, count: usize) -> io::Result<()> {
    const SPACES: [u8; 256] = [b' '; 256];
    (0..count / 256).try_for_each(|_| out.write_all(&SPACES))?;
    out.write_all(&SPACES[..count % 256])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(text: &str) -> String {
        let mut out = Vec::new();
        align_right(text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_as_those_of_tabwriter() {
        // What Go 1.27 prints for the same text.
        for (text, want) in [
            ("", ""),
            (
                "key:\t Total\n \t5:\t x\n \t50:\t y\n\n",
                " key: Total\n       5: x\n      50: y\n\n",
            ),
            ("a\tbb\tc\nlong\tb\n\tx\ty\n", "    a bbc\n longb\n      xy\n"),
            ("a\tb\x0clonger\tb\n", " ab\n longerb\n"),
            ("a\x0bb\nä\tb\n", " ab\n äb\n"),
            ("x\n\n\ty\n", "x\n\n y\n"),
        ] {
            assert_eq!(aligned(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_cell_may_be_longer_than_a_format_is_wide() {
        let text = format!("{}\t.\n\t.\n", "k".repeat(70_000));
        assert_eq!(aligned(&text), format!(" {}.\n{}.\n", "k".repeat(70_000), " ".repeat(70_001)));
    }
}
