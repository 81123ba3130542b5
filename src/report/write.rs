//! The report as text, Markdown, JSON and HTML.

use super::page::{self, FUNCTION_COLUMNS};
use super::{Finding, Report, TraceReport};
use std::io::{self, Write};

pub use super::html::{HTML_START, write_html};
pub use super::json::write_json;

/// Width of the text where nobody says how wide it may be, columns; tables may be wider there.
const WIDTH: usize = 100;

/// What a part of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As all text.
    Plain,
    /// The title of a part.
    Heading,
    /// What something costs.
    Cost,
}

/// Takes the text, and what its parts are. Text of others cannot say what it is: only the writer does.
pub trait Styled: Write {
    /// What comes from here on. By default all looks the same.
    ///
    /// # Errors
    /// If it cannot be written.
    fn style(&mut self, style: Style) -> io::Result<()> {
        let _ = style;
        Ok(())
    }
}

/// A writer in which all looks the same.
pub struct Unstyled<'a>(pub &'a mut dyn Write);

impl Write for Unstyled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Styled for Unstyled<'_> {}

/// Writes the report as text, no wider than `width` columns where it can be broken; `None` for no terminal, for
/// which tables are as wide as they need to be.
///
/// # Errors
/// If `out` fails.
pub fn write_text(report: &Report, width: Option<usize>, out: &mut dyn Styled) -> io::Result<()> {
    for (index, trace) in report.traces.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        trace_text(trace, width, out)?;
    }
    Ok(())
}

fn styled(out: &mut dyn Styled, style: Style, text: &str) -> io::Result<()> {
    out.style(style)?;
    out.write_all(text.as_bytes())?;
    out.style(Style::Plain)
}

fn trace_text(trace: &TraceReport, width: Option<usize>, out: &mut dyn Styled) -> io::Result<()> {
    styled(out, Style::Heading, &page::title(&trace.facts))?;
    writeln!(out, "\n")?;
    styled(out, Style::Heading, "WHAT IT DID")?;
    writeln!(out, "\n")?;
    for (label, text) in page::overview(&trace.facts) {
        wrapped(out, &format!("  {label:<12}"), 14, &text, width)?;
    }
    let rows = page::function_rows(&trace.facts);
    if !rows.is_empty() {
        writeln!(out)?;
        table_text(out, &rows, width)?;
        let hidden = page::hidden_functions(&trace.facts);
        if hidden > 0 {
            writeln!(out, "  ... and {hidden} more functions")?;
        }
    }
    writeln!(out)?;
    let order = if trace.findings.is_empty() { "" } else { ", what costs most first" };
    styled(out, Style::Heading, &format!("WHAT IS WRONG{order}"))?;
    writeln!(out, "\n")?;
    if trace.findings.is_empty() {
        wrapped(out, "  ", 2, &page::nothing_found(), width)?;
    }
    for (index, finding) in trace.findings.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        finding_text(trace, index + 1, finding, width, out)?;
    }
    Ok(())
}

/// The table of functions; where it is too wide for `width`, what goroutines mostly wait for stands on lines of
/// its own.
fn table_text(out: &mut dyn Write, rows: &[[String; 7]], width: Option<usize>) -> io::Result<()> {
    let mut widths = FUNCTION_COLUMNS.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; 7]| {
        let mut line = String::from("  ");
        for (index, (cell, width)) in cells.into_iter().zip(widths).enumerate() {
            let space = " ".repeat(width - cell.chars().count());
            // Text to the left, numbers to the right.
            let (before, behind) =
                if index == 0 || index == 6 { ("", &*space) } else { (&*space, "") };
            line.push_str(&format!("{before}{cell}{behind}   "));
        }
        line.trim_end().to_owned()
    };
    let total = 2 + widths.iter().map(|width| width + 3).sum::<usize>() - 3;
    let is_narrow = width.is_some_and(|width| total > width);
    let line = |mut cells: [&str; 7]| match is_narrow {
        false => line(cells),
        true => {
            let last = std::mem::take(&mut cells[6]);
            format!("{}\n      {last}", line(cells)).trim_end().to_owned()
        }
    };
    writeln!(out, "{}", line(FUNCTION_COLUMNS))?;
    for row in rows {
        writeln!(out, "{}", line(row.each_ref().map(String::as_str)))?;
    }
    Ok(())
}

fn finding_text(
    trace: &TraceReport,
    number: usize,
    finding: &Finding,
    width: Option<usize>,
    out: &mut dyn Styled,
) -> io::Result<()> {
    styled(out, Style::Heading, &format!("  {number}. {}", finding.headline))?;
    write!(out, "\n     [{}] ", finding.rule.name)?;
    styled(out, Style::Cost, &page::cost(trace, finding.cost_ns))?;
    writeln!(out, "\n")?;
    wrapped(out, "     ", 5, &finding.meaning, width)?;
    for sentence in &finding.evidence {
        wrapped(out, "     - ", 7, sentence, width)?;
    }
    for (of, stack) in finding.stacks.iter().filter(|(_, stack)| !stack.is_empty()) {
        writeln!(out, "\n     {of}:")?;
        for line in stack_lines(stack) {
            writeln!(out, "       {line}")?;
        }
    }
    writeln!(out, "\n     look further:")?;
    for command in &finding.commands {
        writeln!(out, "       {command}")?;
    }
    Ok(())
}

/// A stack with a line for each frame: the function and its place.
pub fn stack_lines(stack: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in stack.lines() {
        match (line.strip_prefix('\t'), lines.last_mut()) {
            (Some(place), Some(function)) => function.push_str(&format!("  {place}")),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Writes a text in lines of a width; the first begins with `first`, the others are indented.
fn wrapped(
    out: &mut dyn Styled,
    first: &str,
    indent: usize,
    text: &str,
    width: Option<usize>,
) -> io::Result<()> {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width.unwrap_or(WIDTH) {
            writeln!(out, "{line}")?;
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    writeln!(out, "{}", line.trim_end())
}

/// Writes the report as Markdown.
pub fn write_markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (index, trace) in report.traces.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        trace_markdown(trace, out)?;
    }
    Ok(())
}

fn trace_markdown(trace: &TraceReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n\n## What it did\n", escaped(&page::title(&trace.facts)))?;
    for (label, text) in page::overview(&trace.facts) {
        writeln!(out, "- **{label}**: {}", escaped(&text))?;
    }
    let rows = page::function_rows(&trace.facts);
    if !rows.is_empty() {
        writeln!(
            out,
            "\n| {} |\n|---|---:|---:|---:|---:|---:|---|",
            FUNCTION_COLUMNS.join(" | ")
        )?;
        for row in &rows {
            writeln!(out, "| {} |", row.each_ref().map(|cell| escaped(cell)).join(" | "))?;
        }
    }
    writeln!(out, "\n## What is wrong\n")?;
    if trace.findings.is_empty() {
        writeln!(out, "{}", page::nothing_found())?;
    }
    for (index, finding) in trace.findings.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        finding_markdown(trace, index + 1, finding, out)?;
    }
    Ok(())
}

fn finding_markdown(
    trace: &TraceReport,
    number: usize,
    finding: &Finding,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "### {number}. {}\n", escaped(&finding.headline))?;
    writeln!(
        out,
        "`{}`, {}. {}\n",
        finding.rule.name,
        page::cost(trace, finding.cost_ns),
        escaped(&finding.meaning)
    )?;
    for sentence in &finding.evidence {
        writeln!(out, "- {}", escaped(sentence))?;
    }
    for (of, stack) in finding.stacks.iter().filter(|(_, stack)| !stack.is_empty()) {
        writeln!(out, "\n{of}:\n\n```")?;
        for line in stack_lines(stack) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "```")?;
    }
    writeln!(out, "\nLook further:\n\n```sh")?;
    for command in &finding.commands {
        writeln!(out, "{command}")?;
    }
    writeln!(out, "```")
}

/// A text in which Markdown finds no markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_[]<>|".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_between_words_and_indented() {
        let mut out = Vec::new();
        let text = format!("one {} two", "x".repeat(95));
        wrapped(&mut Unstyled(&mut out), "- ", 2, &text, None).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, format!("- one\n  {}\n  two\n", "x".repeat(95)));
    }

    #[test]
    fn frames_of_a_stack_are_lines() {
        assert_eq!(stack_lines("a.f\n\ta.go:1\nb.g\n\tb.go:2"), ["a.f  a.go:1", "b.g  b.go:2"]);
        assert!(stack_lines("").is_empty());
    }
}
