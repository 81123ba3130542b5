//! The report as one HTML file that needs nothing else: no script, no font, no picture, no network.

use super::facts::Facts;
use super::finding::{counted, grouped, percent, share};
use super::page::{self, FUNCTION_COLUMNS, Part};
use super::{Finding, Report, TraceReport, plots, write};
use crate::picture::{escaped, theme_css};
use crate::store::human_ns;
use std::io::{self, Write};

/// How every page begins: gotrace knows by it that it may overwrite a file.
pub const HTML_START: &str = "<!DOCTYPE html>\n<!-- gotrace report -->\n";

/// Most frames of a stack that are shown; what is left out is the outermost.
const MAX_FRAMES: usize = 40;

/// Writes the report as a page.
pub fn write_html(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let title = escaped(&report.source);
    write!(
        out,
        "{HTML_START}<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} - gotrace report</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<main>\n",
        theme_css(),
        include_str!("page.css")
    )?;
    for trace in &report.traces {
        write_trace(trace, out)?;
    }
    write!(
        out,
        "<footer>Made by gotrace {}. Costs are times that goroutines or procs lost, summed over them; what the rules are is \
         in docs/report.md.</footer>\n</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn write_trace(trace: &TraceReport, out: &mut dyn Write) -> io::Result<()> {
    let facts = &trace.facts;
    let about = &facts.trace;
    writeln!(out, "<h1>{}</h1>", escaped(&about.source))?;
    writeln!(
        out,
        "<p class=\"sub\">{}, written by {}</p>",
        counted(about.events, "event"),
        escaped(&about.written_by)
    )?;
    write_tiles(trace, out)?;
    let overview = page::overview(facts);
    if let Some((_, damage)) = overview.iter().find(|(label, _)| *label == "damage") {
        writeln!(out, "<div class=\"card damage\">Damage: {}</div>", escaped(damage))?;
    }
    write_list(trace, out)?;
    writeln!(out, "<h2>What it did</h2>")?;
    let plots = plots::plots(facts);
    if !plots.is_empty() {
        writeln!(out, "<div class=\"card\">\n{plots}{}</div>", plot_legend(facts))?;
    }
    writeln!(out, "<div class=\"card\">")?;
    write_bar(out, "What the procs did", &page::proc_parts(facts))?;
    write_bar(out, "What the program's goroutines did", &page::time_parts(&facts.program_time()))?;
    writeln!(out, "</div>")?;
    write_functions(facts, out)?;
    if trace.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>What is wrong, what costs most first</h2>")?;
    for (index, finding) in trace.findings.iter().enumerate() {
        write_finding(trace, index, finding, out)?;
    }
    Ok(())
}

/// The findings as a list of links, so that they are seen first.
fn write_list(trace: &TraceReport, out: &mut dyn Write) -> io::Result<()> {
    if trace.findings.is_empty() {
        return writeln!(
            out,
            "<div class=\"card nothing\">{}</div>",
            escaped(&page::nothing_found())
        );
    }
    writeln!(out, "<div class=\"card list\"><h3>What is wrong</h3><ol>")?;
    for (index, finding) in trace.findings.iter().enumerate() {
        writeln!(
            out,
            "<li><a href=\"#{}\">{}</a> <span class=\"cost\">{}</span></li>",
            anchor(trace, index),
            escaped(&finding.headline),
            human_ns(finding.cost_ns)
        )?;
    }
    writeln!(out, "</ol></div>")
}

/// The name of a finding within the page.
fn anchor(trace: &TraceReport, index: usize) -> String {
    format!("trace-{}-finding-{}", trace.facts.trace.id, index + 1)
}

fn write_tiles(trace: &TraceReport, out: &mut dyn Write) -> io::Result<()> {
    let facts = &trace.facts;
    let procs = &facts.procs;
    let mut tiles = vec![(human_ns(facts.trace.duration_ns), "long".to_owned())];
    if procs.total_ns() > 0 {
        let busy = share(procs.goroutine_ns + procs.syscall_ns, procs.total_ns());
        tiles.push((percent(busy), format!("of {} busy", counted(facts.procs(), "proc"))));
    }
    let goroutines: i64 = facts.program().map(|one| one.goroutines).sum();
    tiles.push((grouped(goroutines), "goroutines of the program".into()));
    let mark_ns: i64 = facts.memory.cycles.iter().map(|cycle| cycle.mark_ns).sum();
    tiles.push((
        percent(share(mark_ns, facts.trace.duration_ns).min(1.0)),
        format!("of the time marking, {}", counted(facts.memory.cycles.len() as i64, "collection")),
    ));
    let longest = facts.memory.pauses.iter().map(|pause| pause.duration_ns).max();
    if let Some(longest) = longest {
        tiles.push((human_ns(longest), "longest pause".into()));
    }
    let found = trace.findings.len() as i64;
    tiles.push((grouped(found), if found == 1 { "finding".into() } else { "findings".into() }));
    writeln!(out, "<div class=\"tiles\">")?;
    for (value, name) in tiles {
        writeln!(
            out,
            "<div class=\"tile\"><b>{}</b><span>{}</span></div>",
            escaped(&value),
            escaped(&name)
        )?;
    }
    writeln!(out, "</div>")
}

fn plot_legend(facts: &Facts) -> String {
    let memory = &facts.memory;
    let mut keys = vec![
        ("running", "running"),
        ("syscall", "in system calls, with a proc"),
        ("ready", "ready to run"),
    ];
    if !memory.cycles.is_empty() {
        keys.push(("markkey", "the collector marks"));
    }
    if plots::visible_pauses(facts).next().is_some() {
        keys.push(("pausekey", "everything is stopped"));
    }
    if memory.heap.iter().any(|point| point.goal_bytes.is_some()) {
        keys.push(("goalkey", "goal of the heap"));
    }
    let items: Vec<String> = keys
        .iter()
        .map(|(class, name)| format!("<li><i class=\"{class}\"></i>{name}</li>"))
        .collect();
    format!("<ul class=\"legend\">{}</ul>\n", items.join(""))
}

fn write_bar(out: &mut dyn Write, title: &str, parts: &[Part]) -> io::Result<()> {
    let total: i64 = parts.iter().map(|part| part.ns).sum();
    if total <= 0 {
        return Ok(());
    }
    writeln!(out, "<h3>{title}</h3>\n<div class=\"bar\">")?;
    let shown: Vec<&Part> = parts.iter().filter(|part| share(part.ns, total) >= 0.0005).collect();
    for part in &shown {
        writeln!(
            out,
            "<i class=\"{}\" style=\"flex: {:.5}\" title=\"{}: {}, {}\"></i>",
            part.key,
            share(part.ns, total),
            escaped(&part.name),
            percent(share(part.ns, total)),
            human_ns(part.ns)
        )?;
    }
    writeln!(out, "</div>\n<ul class=\"legend\">")?;
    for part in &shown {
        writeln!(
            out,
            "<li><i class=\"{}\"></i><b>{}</b> {}</li>",
            part.key,
            percent(share(part.ns, total)),
            escaped(&part.name)
        )?;
    }
    writeln!(out, "</ul>")
}

fn write_functions(facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    let rows = page::function_rows(facts);
    if rows.is_empty() {
        return Ok(());
    }
    let head: String = FUNCTION_COLUMNS.iter().map(|name| format!("<th>{name}</th>")).collect();
    writeln!(out, "<div class=\"card scroll\">\n<table>\n<tr>{head}</tr>")?;
    for row in &rows {
        let cells: String = row.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
        writeln!(out, "<tr>{cells}</tr>")?;
    }
    writeln!(out, "</table>")?;
    let hidden = page::hidden_functions(facts);
    if hidden > 0 {
        writeln!(out, "<p class=\"rule\">... and {hidden} more functions</p>")?;
    }
    writeln!(out, "</div>")
}

fn write_finding(
    trace: &TraceReport,
    index: usize,
    finding: &Finding,
    out: &mut dyn Write,
) -> io::Result<()> {
    let most = trace.findings.iter().map(|finding| finding.cost_ns).max().unwrap_or(1).max(1);
    writeln!(
        out,
        "<section class=\"card finding\" id=\"{}\">\n<header><span class=\"number\">{}</span><h3>{}</h3>\
         <span class=\"cost\">{}</span></header>\n<div class=\"weight\"><i style=\"width: {:.1}%\"></i></div>",
        anchor(trace, index),
        index + 1,
        escaped(&finding.headline),
        human_ns(finding.cost_ns),
        share(finding.cost_ns, most) * 100.0
    )?;
    writeln!(out, "<p class=\"meaning\">{}</p>\n<ul>", escaped(&finding.meaning))?;
    for sentence in &finding.evidence {
        writeln!(out, "<li>{}</li>", escaped(sentence))?;
    }
    writeln!(out, "</ul>")?;
    for (place, (of, stack)) in
        finding.stacks.iter().filter(|(_, stack)| !stack.is_empty()).enumerate()
    {
        // The first stack is the one that tells the place.
        let open = if place == 0 { " open" } else { "" };
        writeln!(
            out,
            "<details{open}><summary>Stack: {}</summary><pre>{}</pre></details>",
            escaped(of),
            stack_html(stack)
        )?;
    }
    writeln!(
        out,
        "<details open><summary>Look further</summary><pre>{}</pre></details>\n\
         <p class=\"rule\">Rule <code>{}</code>: {}. It costs {}: {}.</p>\n</section>",
        escaped(&finding.commands.join("\n")),
        finding.rule.name,
        escaped(&lower_first(finding.rule.title)),
        human_ns(finding.cost_ns),
        escaped(finding.rule.cost)
    )
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or(String::new(), |first| first.to_lowercase().collect::<String>() + chars.as_str())
}

fn stack_html(stack: &str) -> String {
    let lines = write::stack_lines(stack);
    let mut html: Vec<String> = lines
        .iter()
        .take(MAX_FRAMES)
        .map(|line| match line.split_once("  ") {
            Some((function, place)) => {
                format!("{}  <span>{}</span>", escaped(function), escaped(place))
            }
            None => escaped(line),
        })
        .collect();
    if lines.len() > MAX_FRAMES {
        html.push(format!("... and {} more frames", lines.len() - MAX_FRAMES));
    }
    html.join("\n")
}
