//! Questions to a database: canned queries by name, and SQL.

use super::{Error, Result};
use crate::store::{self, CannedQuery, Database, FilterUse, Limits, QueryResult, Value, human_ns};

/// A canned query or a statement, with its parameters.
pub struct Question {
    /// The statement, or the name of the canned query.
    text: String,
    /// `None` if it is a statement.
    canned: Option<&'static CannedQuery>,
    given: Vec<(String, String)>,
    /// Parameters of a statement that are NULL.
    nulls: Vec<String>,
    /// After how many rows a statement ends that has no parameter for it.
    enough: Option<u64>,
}

impl Question {
    /// Finds out what is asked. `given` are names and values of parameters.
    ///
    /// # Errors
    /// If it is a single word that no canned query is called.
    pub fn new(text: &str, given: Vec<(String, String)>) -> Result<Question> {
        let text = text.trim();
        let name = text.trim_end_matches(';').trim_end();
        let canned = store::is_query_name(name).then(|| store::find_query(name)).transpose()?;
        Ok(Question { text: text.to_owned(), canned, given, nulls: Vec::new(), enough: None })
    }

    /// The same question of only one trace, by its row in `traces`.
    ///
    /// # Errors
    /// If it is a statement, or a canned query that has no such parameter.
    pub fn of_trace(mut self, trace: i64) -> Result<Question> {
        let what = match self.canned {
            Some(query) if has_parameter(query, "trace") => {
                self.given.push(("trace".into(), trace.to_string()));
                return Ok(self);
            }
            Some(query) => {
                format!("query '{}' is always of all traces of a database", query.name)
            }
            None => format!("SQL says itself of which trace it is, as with trace_id = {trace}"),
        };
        Err(Error::Usage(format!("--trace: {what}")))
    }

    /// The same question with a parameter that is NULL, which no text is in a statement.
    pub fn with_null(mut self, name: String) -> Question {
        match self.canned {
            Some(_) => self.given.push((name, "null".into())),
            None => self.nulls.push(name),
        }
        self
    }

    /// The same question, of which so many rows are enough.
    pub fn at_most(mut self, rows: u64) -> Question {
        match self.canned {
            Some(query) if has_parameter(query, "limit") => {
                self.given.push(("limit".into(), rows.to_string()));
            }
            _ => self.enough = Some(rows),
        }
        self
    }

    /// Asks it; the filters of the database hold. Returns the number of rows.
    ///
    /// # Errors
    /// If the statement or a parameter is wrong, a limit is passed, or the result does not take a row. What
    /// came before is still an answer.
    pub fn ask(
        &self,
        database: &Database,
        limits: Limits,
        result: &mut dyn QueryResult,
    ) -> Result<u64> {
        let limits = Limits { enough: self.enough, ..limits };
        Ok(match self.canned {
            Some(query) => database.canned(query, &self.given, limits, result)?,
            None => database.query(&self.text, &self.parameters(), limits, result)?,
        })
    }

    fn parameters(&self) -> Vec<(String, Value)> {
        let given =
            self.given.iter().map(|(name, value)| (name.clone(), guess_type(value.clone())));
        given.chain(self.nulls.iter().map(|name| (name.clone(), Value::Null))).collect()
    }

    /// What whoever asked should know about an answer of so many rows.
    pub fn remarks(&self, database: &Database, rows: u64) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(query) = self.canned
            && let Some(traces) = summed_traces(database, query, &self.given)
        {
            let advice = match has_parameter(query, "trace") {
                true => "--trace ID asks one of them",
                false => "for one of them, ask the trace itself",
            };
            remarks.push(format!("of all {traces} traces together; {advice}"));
        }
        if rows == 0 {
            let why = why_empty(database, self.canned, &self.parameters());
            remarks.push(format!("0 rows: {why}"));
        }
        remarks
    }
}

/// `NAME=VALUE` of a parameter.
///
/// # Errors
/// If there is no `=`.
pub fn parameter(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(Error::Usage(format!("-p: want NAME=VALUE, got '{text}'"))),
    }
}

fn has_parameter(query: &CannedQuery, name: &str) -> bool {
    query.parameters.iter().any(|parameter| parameter.name == name)
}

/// Whether a canned query is about traces: what no filter means anything to is about profiles.
fn is_of_traces(query: &CannedQuery) -> bool {
    has_parameter(query, "trace") || query.filters != FilterUse::None
}

/// How many traces a canned query has put together that could be asked of each; `None` if it is of one, or
/// tells them apart.
fn summed_traces(
    database: &Database,
    query: &CannedQuery,
    given: &[(String, String)],
) -> Option<i64> {
    let tells_apart = query.columns.iter().any(|column| column.name == "trace_id");
    if !is_of_traces(query) || tells_apart || given.iter().any(|(name, _)| name == "trace") {
        return None;
    }
    match database.first_row("select count(*) from main.traces", &[]).as_deref() {
        Ok([Value::Integer(traces @ 2..)]) => Some(*traces),
        _ => None,
    }
}

/// Why a result has no row, as far as that can be said.
fn why_empty(
    database: &Database,
    canned: Option<&CannedQuery>,
    parameters: &[(String, Value)],
) -> String {
    let Some(query) = canned else { return "the statement gives none".into() };
    if !is_of_traces(query) {
        return "the source has nothing that the query is about".into();
    }
    // The whole trace, whatever the filters leave of it.
    let whole = "select count(*), max(duration_ns) from main.traces";
    let (traces, end_ns) = match database.first_row(whole, &[]).as_deref() {
        Ok([Value::Integer(traces), end]) => {
            (*traces, if let Value::Integer(end) = end { *end } else { 0 })
        }
        _ => (0, 0),
    };
    if traces == 0 {
        return "the source holds no trace".into();
    }
    if database.filter().from_ns.is_some_and(|from| from >= end_ns) {
        return format!("--from is behind the end of the trace, which is at {}", human_ns(end_ns));
    }
    let goid = parameters.iter().find(|(name, _)| name == "goid");
    if let Some(goid) = goid {
        let known = "select count(*) from main.raw_goroutines where goid = :goid";
        let known = database.first_row(known, std::slice::from_ref(goid));
        if let Ok(known) = known
            && known[..] == [Value::Integer(0)]
            && let Value::Integer(goid) = goid.1
        {
            return format!("there is no goroutine {goid} in the trace");
        }
    }
    "the trace has nothing that the query is about, or the filters leave nothing".into()
}

/// Parameters of ad-hoc SQL have no declared type: what reads as a number is one.
fn guess_type(text: String) -> Value {
    if let Ok(value) = text.parse() {
        Value::Integer(value)
    } else if let Ok(value) = text.parse() {
        Value::Real(value)
    } else {
        Value::Text(text)
    }
}
