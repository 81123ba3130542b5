//! Prints the ordered events of a trace, one a line, and what was repaired, skipped or lost:
//! `cargo run --example iterate_events -- app.trace`

use gotrace::order::TraceReader;
use gotrace::source::{self, Location};
use std::io::Write;

pub fn print_events(trace: &str, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let reader = TraceReader::new(source::open(&Location::parse(trace))?)?;
    let mut start = None;
    let outcome = reader.try_for_each(|event, tables| {
        let since_start_ns = event.time - *start.get_or_insert(event.time);
        let (goroutine, kind) = (event.goroutine, event.kind.name());
        let function = tables.function_names(event.stack()).next().unwrap_or_default();
        writeln!(out, "{since_start_ns} ns: goroutine {goroutine}: {kind} {function}")
    })?;
    outcome.diagnostics.iter().for_each(|found| eprintln!("{trace}: {found}"));
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let trace = std::env::args().nth(1).ok_or("usage: iterate_events TRACE")?;
    print_events(&trace, &mut std::io::stdout().lock())
}
