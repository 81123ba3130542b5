//! Lists what is wrong with a program, as its trace shows, what costs most first:
//! `cargo run --example list_findings -- app.trace`

use gotrace::analysis::Analysis;
use gotrace::source::Location;
use std::io::Write;
use std::time::Duration;

pub fn list(trace: &str, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let report = Analysis::open(&[Location::parse(trace)])?.report(None)?;
    for finding in report.traces.iter().flat_map(|trace| &trace.findings) {
        let cost = Duration::from_nanos(finding.cost_ns.try_into()?);
        writeln!(out, "{cost:.1?}: {} ({})", finding.headline, finding.rule.name)?;
        for (name, value) in &finding.numbers {
            writeln!(out, "    {name} = {value:?}")?;
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let trace = std::env::args().nth(1).ok_or("usage: list_findings TRACE")?;
    list(&trace, &mut std::io::stdout().lock())
}
