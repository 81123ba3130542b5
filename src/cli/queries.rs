//! `gotrace queries`.

use super::Result;
use crate::cli::terminal;
use crate::store::{CannedQuery, ParameterType, canned_queries, find_query};
use clap::Args;
use std::io::Write;

#[derive(Args)]
pub struct QueriesArguments {
    /// Show this query: what it answers, its parameters, columns and SQL
    name: Option<String>,
}

pub fn run(arguments: &QueriesArguments) -> Result<()> {
    let mut out = terminal::output();
    match &arguments.name {
        None => list(&mut out),
        Some(name) => show(find_query(name)?, &mut out),
    }
}

/// Writes the names and titles of all queries.
pub fn list(out: &mut dyn Write) -> Result<()> {
    let width = canned_queries().iter().map(|query| query.name.len()).max().unwrap_or(0);
    for query in canned_queries() {
        writeln!(out, "{:width$}  {}", query.name, query.title)?;
    }
    Ok(())
}

/// Writes all there is to know of a query.
pub fn show(query: &CannedQuery, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{}: {}\n\n{}", query.name, query.title, query.description)?;
    if !query.parameters.is_empty() {
        writeln!(out, "\nParameters (-p NAME=VALUE):")?;
        for parameter in &query.parameters {
            let ty = match parameter.ty {
                ParameterType::Integer => "integer",
                ParameterType::Real => "number",
                ParameterType::Text => "text",
                ParameterType::Duration => "duration",
            };
            writeln!(
                out,
                "  {} ({ty}, default {}): {}",
                parameter.name, parameter.default, parameter.doc
            )?;
        }
    }
    writeln!(out, "\nColumns:")?;
    for column in &query.columns {
        writeln!(out, "  {} ({}): {}", column.name, column.ty.to_lowercase(), column.doc)?;
    }
    writeln!(out, "\nSQL:\n{};", query.sql)?;
    Ok(())
}
