//! What a program did, what is wrong with it, and where to look next.
//!
//! Comes in: a [`Database`]. Goes out: a [`Report`], and that as text, Markdown, JSON or HTML. First
//! the facts of a trace are read ([`Facts`]), then every rule of [`RULES`] looks at them and states
//! what it finds; how that is shown is a matter of the writers ([`mod@write`]) alone.

mod ask;
mod facts;
mod finding;
mod html;
mod json;
mod memory;
mod page;
mod plots;
mod program;
mod rules;
mod waits;
pub mod write;

pub use facts::Facts;
pub use finding::{Finding, Rule, Threshold};
pub use page::{Part, nothing_found, overview, proc_parts, time_parts};
pub use plots::plots;
pub use rules::RULES;

use crate::store::{Database, StoreError};
use finding::Case;

/// The report on a database.
pub struct Report {
    /// How the user names the source on the command line.
    pub source: String,
    /// One for each trace.
    pub traces: Vec<TraceReport>,
}

/// The report on a trace.
pub struct TraceReport {
    /// What is known.
    pub facts: Facts,
    /// What is wrong, what costs most first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Looks at the traces of a database, or at one of them (a row number of `traces`). `source` is
    /// how the user names the database or the trace; further commands are suggested with it.
    pub fn new(database: &Database, source: &str, only: Option<i64>) -> Result<Report, StoreError> {
        let mut traces = facts::traces(database)?;
        if let Some(only) = only {
            let known: Vec<String> = traces.iter().map(|trace| trace.id.to_string()).collect();
            traces.retain(|trace| trace.id == only);
            if traces.is_empty() {
                return Err(StoreError::Usage(format!(
                    "there is no trace {only}; the database has {}",
                    if known.is_empty() { "none".into() } else { known.join(", ") }
                )));
            }
        }
        let many = traces.len() > 1 || only.is_some();
        let mut reports = Vec::new();
        for trace in traces {
            let id = trace.id;
            let facts = Facts::read(database, trace)?;
            let case = Case::new(database, &facts, source, many.then_some(id));
            let mut findings = Vec::new();
            for rule in RULES {
                findings.extend((rule.check)(&case)?);
            }
            findings.sort_by(|a, b| {
                b.cost_ns.cmp(&a.cost_ns).then_with(|| a.rule.name.cmp(b.rule.name))
            });
            reports.push(TraceReport { facts, findings });
        }
        Ok(Report { source: source.into(), traces: reports })
    }
}
