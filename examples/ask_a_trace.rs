//! Asks traces, profiles or a database: a canned query by its name, or any SQL over the tables:
//! `cargo run --example ask_a_trace -- "select count(*) from goroutines" app.trace`

use gotrace::analysis::Analysis;
use gotrace::analysis::results::{RowForm, RowText};
use gotrace::source::Location;
use std::io::Write;

pub fn ask(
    question: &str,
    sources: &[String],
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let sources: Vec<Location> = sources.iter().map(Location::parse).collect();
    let mut analysis = Analysis::open(&sources)?;
    let mut rows = RowText::new(RowForm::Csv, out);
    analysis.query(question, &[], &mut rows)?;
    rows.finish()?;
    analysis.diagnostics().iter().for_each(|(source, found)| eprintln!("{source}: {found}"));
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (question, sources) = words.split_first().ok_or("usage: ask_a_trace QUERY SOURCE...")?;
    ask(question, sources, &mut std::io::stdout().lock())
}
