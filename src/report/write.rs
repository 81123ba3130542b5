//! The report as text, Markdown, JSON and HTML.

use super::page::{self, FUNCTION_COLUMNS};
use super::{Finding, Report, TraceReport};
use std::io::{self, Write};

pub use super::html::{HTML_START, write_html};
pub use super::json::write_json;

/// Width of the text, columns.
const WIDTH: usize = 100;

/// Writes the report as plain text for a terminal.
pub fn write_text(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (index, trace) in report.traces.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        trace_text(trace, out)?;
    }
    Ok(())
}

fn trace_text(trace: &TraceReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", page::title(&trace.facts))?;
    writeln!(out, "\nWHAT IT DID\n")?;
    for (label, text) in page::overview(&trace.facts) {
        wrapped(out, &format!("  {label:<12}"), 14, &text)?;
    }
    let rows = page::function_rows(&trace.facts);
    if !rows.is_empty() {
        writeln!(out)?;
        table_text(out, &rows)?;
        let hidden = page::hidden_functions(&trace.facts);
        if hidden > 0 {
            writeln!(out, "  ... and {hidden} more functions")?;
        }
    }
    writeln!(
        out,
        "\nWHAT IS WRONG{}\n",
        if trace.findings.is_empty() { "" } else { ", what costs most first" }
    )?;
    if trace.findings.is_empty() {
        wrapped(out, "  ", 2, &page::nothing_found())?;
    }
    for (index, finding) in trace.findings.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        finding_text(trace, index + 1, finding, out)?;
    }
    Ok(())
}

fn table_text(out: &mut dyn Write, rows: &[[String; 7]]) -> io::Result<()> {
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
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "  {number}. {}", finding.headline)?;
    writeln!(out, "     [{}] {}", finding.rule.name, page::cost(trace, finding.cost_ns))?;
    writeln!(out)?;
    wrapped(out, "     ", 5, &finding.meaning)?;
    for sentence in &finding.evidence {
        wrapped(out, "     - ", 7, sentence)?;
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
fn wrapped(out: &mut dyn Write, first: &str, indent: usize, text: &str) -> io::Result<()> {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
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
        wrapped(&mut out, "- ", 2, &text).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, format!("- one\n  {}\n  two\n", "x".repeat(95)));
    }

    #[test]
    fn frames_of_a_stack_are_lines() {
        assert_eq!(stack_lines("a.f\n\ta.go:1\nb.g\n\tb.go:2"), ["a.f  a.go:1", "b.g  b.go:2"]);
        assert!(stack_lines("").is_empty());
    }
}
