//! Results in the formats of `-f`.

use crate::analysis::results::{RowForm, RowText, plain, shown};
use crate::cli::table::{Cell, Column, lay_out};
use crate::cli::{pager, terminal};
use crate::store::{Batch, Cell as Field, ColumnInfo, QueryResult, Value};
use clap::ValueEnum;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: aligned, durations and sizes with units; on a terminal no wider than that
    Table,
    /// For people: one column a line
    Vertical,
    /// Comma-separated values with a header line (RFC 4180); texts as they are, also those that begin as a formula does
    Csv,
    /// Tab-separated values with a header line; tab, newline and backslash as \t, \n, \\
    Tsv,
    /// One array of objects
    Json,
    /// One object per line
    Jsonl,
    /// A Markdown table, durations and sizes with units
    Markdown,
    /// One value as it is, such as the profile of pprof()
    Raw,
}

impl Format {
    /// What the name of a file asks for; `None` if it says nothing.
    pub fn of_file(path: &Path) -> Option<Format> {
        Some(match &*path.extension()?.to_str()?.to_ascii_lowercase() {
            "csv" => Format::Csv,
            "json" => Format::Json,
            "jsonl" => Format::Jsonl,
            "md" => Format::Markdown,
            "tsv" => Format::Tsv,
            _ => return None,
        })
    }
}

/// Most rows a table is aligned over; alignment needs all of them in memory.
const MAX_TABLE_ROWS: usize = 100_000;

type Writer<'a> = BufWriter<Box<dyn Write + 'a>>;

/// Where rows go.
enum Target<'a> {
    /// Written as they come.
    Text(RowText<Writer<'a>>),
    /// Kept, or of one value.
    Own(Writer<'a>),
}

/// Writes a result, to standard output or elsewhere.
pub struct Output<'a> {
    format: Format,
    target: Target<'a>,
    is_terminal: bool,
    /// How to see the columns that a table on a terminal has no room for; `None` if it has all, however wide.
    pub fit: Option<&'static str>,
    /// Whether what is longer than the terminal goes through a pager.
    pub is_paged: bool,
    names: Vec<String>,
    table: Vec<Vec<Value>>,
    rows: u64,
    hidden: u64,
}

impl<'a> Output<'a> {
    /// To standard output; by default a table on a terminal and CSV elsewhere.
    pub fn new(format: Option<Format>) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Output::to(Box::new(terminal::output()), is_terminal, format)
    }

    /// To a writer.
    pub fn to(out: Box<dyn Write + 'a>, is_terminal: bool, format: Option<Format>) -> Self {
        let format = format.unwrap_or(if is_terminal { Format::Table } else { Format::Csv });
        let out = BufWriter::with_capacity(1 << 16, out);
        let text = |form, out| Target::Text(RowText::new(form, out));
        let target = match format {
            Format::Csv => text(RowForm::Csv, out),
            Format::Tsv => text(RowForm::Tsv, out),
            Format::Json => text(RowForm::Json, out),
            Format::Jsonl => text(RowForm::Jsonl, out),
            _ => Target::Own(out),
        };
        Output {
            format,
            target,
            is_terminal,
            fit: None,
            is_paged: false,
            names: Vec::new(),
            table: Vec::new(),
            rows: 0,
            hidden: 0,
        }
    }

    /// Whether it was given any row.
    pub fn has_rows(&self) -> bool {
        self.rows > 0
    }

    /// Takes a row for a table or the like.
    pub fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        self.rows += 1;
        if self.format == Format::Raw {
            return self.write_raw(values);
        }
        match self.table.len() < MAX_TABLE_ROWS {
            true => self.table.push(values),
            false => self.hidden += 1,
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        match self.format {
            Format::Table if !self.names.is_empty() => self.write_table()?,
            Format::Vertical if !self.names.is_empty() => self.write_vertical()?,
            Format::Markdown if !self.names.is_empty() => self.write_markdown()?,
            _ => {}
        }
        match self.target {
            Target::Text(text) => text.finish()?.flush(),
            Target::Own(mut out) => out.flush(),
        }
    }

    /// Writes what is not [`RowText`]'s.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.target {
            Target::Own(out) => out.write_all(bytes),
            Target::Text(_) => Ok(()),
        }
    }

    /// Texts of others, as they may be shown. Before anything gets its width.
    fn safe(&self, text: String) -> String {
        if self.is_terminal { terminal::shown(&text).into_owned() } else { text }
    }

    fn write_table(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.table);
        let columns = self.names.iter().enumerate().map(|(at, name)| Column {
            name: self.safe(name.clone()),
            cells: rows.iter().map(|row| self.cell(name, &row[at])).collect(),
        });
        let columns: Vec<Column> = columns.collect();
        drop(rows);
        let advice = self.fit.filter(|_| self.is_terminal);
        let width = advice
            .and_then(|_| terminal_size::terminal_size())
            .map(|(width, _)| usize::from(width.0));
        let laid = lay_out(columns, width);
        let mut lines = laid.lines;
        if self.hidden > 0 {
            lines.push(format!("... and {} more rows; -f csv shows all", self.hidden));
        }
        if !laid.empty.is_empty() {
            lines.push(format!("empty or 0 in all rows: {}", laid.empty.join(", ")));
        }
        if !laid.left_out.is_empty() {
            let names = laid.left_out.join(", ");
            lines.push(format!("no room for: {names} ({})", advice.unwrap_or_default()));
        }
        self.write_lines(&lines)
    }

    fn cell(&self, name: &str, value: &Value) -> Cell {
        let is_nothing = match value {
            Value::Null | Value::Integer(0) => true,
            Value::Real(value) => *value == 0.0,
            Value::Text(text) => text.is_empty(),
            _ => false,
        };
        Cell {
            text: match self.is_terminal {
                // A tab would move all that stands behind it.
                true => self.safe(shown(name, Field::from(value))).replace('\t', "    "),
                false => shown(name, Field::from(value)),
            },
            is_number: matches!(value, Value::Integer(_) | Value::Real(_)),
            is_nothing,
        }
    }

    fn write_vertical(&mut self) -> io::Result<()> {
        let names: Vec<String> = self.names.iter().map(|name| self.safe(name.clone())).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for (number, row) in (1..).zip(std::mem::take(&mut self.table)) {
            lines.push(format!("── row {number} ──"));
            for ((value, name), shown_name) in row.iter().zip(&self.names).zip(&names) {
                let text = self.safe(shown(name, Field::from(value)));
                let mut parts = text.split('\n');
                let first = parts.next().unwrap_or("");
                lines.push(format!("{shown_name:width$}   {first}").trim_end().to_owned());
                lines.extend(parts.map(|part| format!("{:width$}   {part}", "")));
            }
        }
        if self.hidden > 0 {
            lines.push(format!("... and {} more rows; -f csv shows all", self.hidden));
        }
        self.write_lines(&lines)
    }

    fn write_lines(&mut self, lines: &[String]) -> io::Result<()> {
        if self.is_terminal && self.is_paged && pager::show(lines) {
            return Ok(());
        }
        lines.iter().try_for_each(|line| self.put(format!("{line}\n").as_bytes()))
    }

    /// The one value of the one row, without anything around it.
    fn write_raw(&mut self, values: Vec<Value>) -> io::Result<()> {
        let [value] = &values[..] else {
            return Err(io::Error::other(
                "-f raw writes one value, the statement gives several columns",
            ));
        };
        match value {
            _ if self.rows > 1 => {
                Err(io::Error::other("-f raw writes one value, the statement gives several rows"))
            }
            Value::Blob(_) if self.is_terminal => Err(io::Error::other(
                "the value is bytes, which are not for a terminal; -o FILE writes a file, and a pipe takes it",
            )),
            Value::Blob(bytes) => self.put(bytes),
            // The next prompt begins on a line of its own.
            value if self.is_terminal => {
                self.put(format!("{}\n", plain(Field::from(value))).as_bytes())
            }
            value => self.put(plain(Field::from(value)).as_bytes()),
        }
    }

    fn write_markdown(&mut self) -> io::Result<()> {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        // Names of the form <autogenerated> would be taken for HTML.
        let escape = |text: String| {
            let text = text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "\\<");
            text.replace('\n', "<br>")
        };
        let names = line(self.names.iter().cloned().map(escape).collect());
        self.put(names.as_bytes())?;
        let rows = std::mem::take(&mut self.table);
        let marks = (0..self.names.len()).map(|column| {
            // A column of numbers may begin with what is not known.
            let mut values = rows.iter().map(|row| &row[column]);
            let known = values.find(|value| !matches!(value, Value::Null));
            let is_number = matches!(known, Some(Value::Integer(_) | Value::Real(_)));
            String::from(if is_number { "---:" } else { "---" })
        });
        let marks = line(marks.collect());
        self.put(marks.as_bytes())?;
        for row in rows {
            let cells = row.iter().zip(&self.names);
            let cells = cells.map(|(value, name)| escape(shown(name, Field::from(value))));
            let cells = line(cells.collect());
            self.put(cells.as_bytes())?;
        }
        Ok(())
    }
}

impl QueryResult for Output<'_> {
    fn columns(&mut self, columns: &[ColumnInfo]) -> io::Result<()> {
        self.names = columns.iter().map(|column| column.name.clone()).collect();
        match &mut self.target {
            Target::Text(text) => text.columns(columns),
            Target::Own(_) => Ok(()),
        }
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        match &mut self.target {
            Target::Text(text) => {
                self.rows += batch.rows() as u64;
                text.batch(batch)
            }
            Target::Own(_) => batch.all().try_for_each(|row| self.row(row)),
        }
    }

    fn keeps_rows(&self) -> bool {
        matches!(self.format, Format::Table | Format::Vertical | Format::Markdown)
            && self.hidden == 0
    }
}
