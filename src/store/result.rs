//! Running statements and handing out their rows.

use super::batch::{Batch, ColumnInfo, columns_of};
use super::budget::{Budget, Stopper};
use super::catalog::{CannedQuery, FilterUse, Parameter, ParameterType, nearest};
use super::filter::Filter;
use super::functions::FUNCTIONS;
use super::human::human_bytes;
use super::limits::{INTERRUPTED, Limits};
use super::relations::{RELATIONS, Relation};
use super::value::Value;
use super::{Database, StoreError, guard};
use crate::profile::parse_duration;
use rusqlite::{Error, ErrorCode, Statement, ToSql, ffi};
use std::sync::atomic::Ordering;

/// Rows that are kept count in portions of so many bytes.
const HOLD: usize = 1 << 20;

/// A statement as SQLite understands it. Only statements that read can be described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Names of its parameters, in order, without their mark.
    pub parameters: Vec<String>,
    /// Names of the columns of its result.
    pub columns: Vec<String>,
}

/// Takes the result of a query.
pub trait QueryResult {
    /// The columns; before any row.
    ///
    /// # Errors
    /// Whatever ends the query.
    fn columns(&mut self, columns: &[ColumnInfo]) -> std::io::Result<()>;
    /// Some rows, in order; [`Batch::all`] has them one by one.
    ///
    /// # Errors
    /// Whatever ends the query.
    fn batch(&mut self, batch: &Batch) -> std::io::Result<()>;
    /// Whether it keeps rows, so that they count as memory of the statement.
    fn keeps_rows(&self) -> bool {
        false
    }
}

/// A result that is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Its columns.
    pub columns: Vec<ColumnInfo>,
    /// Its rows, with values in the order of the columns.
    pub rows: Vec<Vec<Value>>,
}

impl QueryResult for Rows {
    fn columns(&mut self, columns: &[ColumnInfo]) -> std::io::Result<()> {
        self.columns = columns.to_vec();
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> std::io::Result<()> {
        self.rows.extend(batch.all());
        Ok(())
    }

    fn keeps_rows(&self) -> bool {
        true
    }
}

impl Database {
    /// Runs one statement. Parameters that it names get their values from `parameters`.
    pub fn query(
        &self,
        sql: &str,
        parameters: &[(String, Value)],
        limits: Limits,
        result: &mut dyn QueryResult,
    ) -> Result<u64, StoreError> {
        self.start(limits)?;
        self.ask(sql, parameters, result)
    }

    /// Begins anew to count what is used: until the next call, all that is asked must keep within these limits
    /// together.
    pub fn start(&self, limits: Limits) -> Result<(), StoreError> {
        self.budget.start(limits);
        guard::set_limits(&self.connection, limits)
    }

    /// What stops it from another thread.
    pub fn stopper(&self) -> Stopper {
        self.budget.stopper()
    }

    /// Runs one statement within what is left of the limits. See [`Database::query`].
    ///
    /// # Errors
    /// If the statement or a parameter is wrong, a limit is passed, or the result does not take a row.
    pub fn ask(
        &self,
        sql: &str,
        parameters: &[(String, Value)],
        result: &mut dyn QueryResult,
    ) -> Result<u64, StoreError> {
        self.ask_declared(sql, parameters, None, result)
    }

    /// The same of a statement whose columns are known to be these.
    fn ask_declared(
        &self,
        sql: &str,
        parameters: &[(String, Value)],
        declared: Option<&[ColumnInfo]>,
        result: &mut dyn QueryResult,
    ) -> Result<u64, StoreError> {
        let _watch = self.budget.watch();
        // What a filter takes counts too.
        let done = self.prepare_filtered(sql).and_then(|()| {
            let mut statement = self.prepare(sql)?;
            bind(&mut statement, parameters)?;
            let columns = declared.map_or_else(|| columns_of(&statement), <[_]>::to_vec);
            run(&mut statement, &columns, &self.budget, result)
        });
        done.map_err(|error| self.explain(error))
    }

    /// All rows of one of gotrace's tables and views, with what is declared of its columns.
    ///
    /// # Errors
    /// If there is none of this name, a limit is passed, or the result does not take a row.
    pub fn relation(
        &self,
        name: &str,
        limits: Limits,
        result: &mut dyn QueryResult,
    ) -> Result<u64, StoreError> {
        let relation = find_relation(name)?;
        let columns: Vec<ColumnInfo> = (relation.columns.iter())
            .map(|column| ColumnInfo::declared(column.name, column.ty, column.doc))
            .collect();
        // By name: a database that was made elsewhere may have them in another order.
        let names: Vec<&str> = relation.columns.iter().map(|column| column.name).collect();
        let sql = format!("select {} from {}", names.join(", "), relation.name);
        self.start(limits)?;
        self.ask_declared(&sql, &[], Some(&columns), result)
    }

    /// The first row of what a statement gives, within what is left of the limits; empty if there is
    /// none.
    pub fn first_row(
        &self,
        sql: &str,
        parameters: &[(String, Value)],
    ) -> Result<Vec<Value>, StoreError> {
        /// Keeps one row.
        struct First(Vec<Value>);
        impl QueryResult for First {
            fn columns(&mut self, _: &[ColumnInfo]) -> std::io::Result<()> {
                Ok(())
            }

            fn batch(&mut self, batch: &Batch) -> std::io::Result<()> {
                if self.0.is_empty() {
                    self.0 = batch.all().next().unwrap_or_default();
                }
                Ok(())
            }
        }
        let mut first = First(Vec::new());
        self.ask(sql, parameters, &mut first)?;
        Ok(first.0)
    }

    /// An error of running a statement, in words for users.
    pub(super) fn explain(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Sqlite(error) => explain_run(&error, self.budget.limits()),
            error => error,
        }
    }

    /// What a statement takes and gives, without running it.
    pub fn describe(&self, sql: &str) -> Result<Description, StoreError> {
        self.prepare_filtered(sql)?;
        let statement = self.prepare(sql)?;
        let parameters = (1..=statement.parameter_count()).map(|index| {
            let name = statement.parameter_name(index).unwrap_or("?");
            name.trim_start_matches([':', '@', '$']).to_owned()
        });
        Ok(Description {
            parameters: parameters.collect(),
            columns: statement.column_names().into_iter().map(String::from).collect(),
        })
    }

    /// Runs a canned query. `given` are the parameters as the user typed them.
    pub fn canned(
        &self,
        query: &CannedQuery,
        given: &[(String, String)],
        limits: Limits,
        result: &mut dyn QueryResult,
    ) -> Result<u64, StoreError> {
        for (name, _) in given {
            if !query.parameters.iter().any(|parameter| parameter.name == *name) {
                let names: Vec<&str> =
                    query.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
                let hint = match nearest(name, names.iter().copied()) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None if names.is_empty() => "it has none".into(),
                    None => format!("it has {}", names.join(", ")),
                };
                return Err(StoreError::Usage(format!(
                    "query '{}' has no parameter '{name}'; {hint}",
                    query.name
                )));
            }
        }
        let filter = self.filter();
        let (by_filter, during) = match self.filter_as_parameters(query)? {
            None => (Vec::new(), filter.clone()),
            // Times of a query that has none of its own still cut.
            Some(by_filter) => {
                let times = query.filters == FilterUse::Time;
                let (from_ns, to_ns) =
                    if times { (filter.from_ns, filter.to_ns) } else { (None, None) };
                (by_filter, Filter { from_ns, to_ns, ..Filter::default() })
            }
        };
        let given = [by_filter.as_slice(), given].concat();
        let mut parameters = Vec::new();
        for parameter in &query.parameters {
            let text = given.iter().rev().find(|(name, _)| *name == parameter.name);
            let value = parse_value(parameter, text.map_or(&parameter.default, |(_, text)| text))?;
            parameters.push((parameter.name.clone(), value));
        }
        let columns: Vec<ColumnInfo> = (query.columns.iter())
            .map(|column| ColumnInfo::declared(&column.name, &column.ty, &column.doc))
            .collect();
        self.start(limits)?;
        let mut ask = || self.ask_declared(query.sql, &parameters, Some(&columns), result);
        if during == filter {
            return ask();
        }
        self.set_filter(during)?;
        let done = ask();
        self.set_filter(filter)?;
        done
    }

    fn prepare(&self, sql: &str) -> Result<Statement<'_>, StoreError> {
        let statement =
            self.connection.prepare(sql).map_err(|error| self.explain_prepare(sql, &error))?;
        if statement.column_count() == 0 {
            return Err(StoreError::Statement("the statement is empty or gives no result".into()));
        }
        if !statement.readonly() {
            return Err(StoreError::Statement("only statements that read are allowed".into()));
        }
        Ok(statement)
    }

    /// An error of compilation, with the statement, a caret and the nearest name.
    fn explain_prepare(&self, sql: &str, error: &Error) -> StoreError {
        let (message, offset) = match error {
            Error::MultipleStatement => ("only one statement at a time".into(), None),
            Error::SqlInputError { msg, offset, .. } => {
                (msg.clone(), usize::try_from(*offset).ok())
            }
            Error::SqliteFailure(failure, message) => {
                let message = message.clone().unwrap_or_else(|| failure.to_string());
                (message, None)
            }
            other => (other.to_string(), None),
        };
        let is_refused =
            error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied);
        // That a view cannot be written to is found out before anybody is asked whether one may write.
        let is_write =
            message.starts_with("cannot modify ") || message.ends_with("may not be modified");
        let mut text = if is_refused || is_write {
            "only statements that read are allowed here: no writes, ATTACH, PRAGMA or extensions"
                .into()
        } else {
            message.clone()
        };
        // SQLite does not say where a table stands that does not exist.
        let offset = offset.or_else(|| find_word(sql, message.strip_prefix("no such table: ")?));
        if let Some(offset) = offset.filter(|&offset| offset <= sql.len()) {
            text.push_str(&caret(sql, offset));
        }
        if let Some(hint) = self.hint(&message) {
            text.push_str(&format!("\n{hint}"));
        }
        StoreError::Statement(text)
    }

    /// The nearest name for one that does not exist.
    fn hint(&self, message: &str) -> Option<String> {
        if let Some(name) = message.strip_prefix("wrong number of arguments to function ") {
            let name = name.trim_end_matches("()");
            let function = FUNCTIONS.iter().find(|function| function.name == name)?;
            return Some(format!("it is {name}({})", function.arguments));
        }
        if let Some(name) = message.strip_prefix("no such function: ") {
            let near = nearest(name, FUNCTIONS.iter().map(|function| function.name))?;
            return Some(format!("did you mean '{near}'?"));
        }
        let table = message.strip_prefix("no such table: ");
        let column = message.strip_prefix("no such column: ");
        let name = table.or(column)?.rsplit('.').next()?.trim_matches('"');
        let names: Vec<&str> = if table.is_some() {
            RELATIONS.iter().map(|relation| relation.name).collect()
        } else {
            RELATIONS
                .iter()
                .flat_map(|relation| relation.columns.iter().map(|column| column.name))
                .collect()
        };
        let near = nearest(name, names.into_iter())?;
        let place = match column {
            Some(_) => {
                let owners: Vec<&str> = RELATIONS
                    .iter()
                    .filter(|relation| !relation.name.starts_with("raw_"))
                    .filter(|relation| relation.columns.iter().any(|column| column.name == near))
                    .map(|relation| relation.name)
                    .collect();
                format!(" (in {})", owners.join(", "))
            }
            None => String::new(),
        };
        Some(format!("did you mean '{near}'?{place}"))
    }
}

/// The table or view with this name.
///
/// # Errors
/// If there is none; the error names the nearest.
pub fn find_relation(name: &str) -> Result<&'static Relation, StoreError> {
    RELATIONS.iter().find(|relation| relation.name == name).ok_or_else(|| {
        let hint = match nearest(name, RELATIONS.iter().map(|relation| relation.name)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "docs/schema.md lists them".into(),
        };
        StoreError::Usage(format!("there is no table '{name}'; {hint}"))
    })
}

fn bind(statement: &mut Statement<'_>, parameters: &[(String, Value)]) -> Result<(), StoreError> {
    for index in 1..=statement.parameter_count() {
        let name =
            statement.parameter_name(index).unwrap_or("?").trim_start_matches([':', '@', '$']);
        let Some((_, value)) = parameters.iter().rev().find(|(given, _)| given == name) else {
            return Err(StoreError::Usage(format!(
                "the statement has a parameter '{name}'; give it with -p {name}=VALUE"
            )));
        };
        let value: &dyn ToSql = match value {
            Value::Null => &rusqlite::types::Null,
            Value::Integer(value) => value,
            Value::Real(value) => value,
            Value::Text(value) => value,
            Value::Blob(value) => value,
        };
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

fn run(
    statement: &mut Statement<'_>,
    columns: &[ColumnInfo],
    budget: &Budget,
    result: &mut dyn QueryResult,
) -> Result<u64, StoreError> {
    result.columns(columns)?;
    let mut batch = Batch::new(columns.len());
    let mut count = 0;
    let done = fill(statement, budget, result, &mut batch, &mut count);
    // What came before an error is still an answer.
    if batch.rows() > 0 && !matches!(done, Err(StoreError::Io(_))) {
        result.batch(&batch)?;
    }
    done.map(|()| count)
}

/// Hands out full batches; what is in `batch` at the end is not yet.
fn fill(
    statement: &mut Statement<'_>,
    budget: &Budget,
    result: &mut dyn QueryResult,
    batch: &mut Batch,
    count: &mut u64,
) -> Result<(), StoreError> {
    let (limits, work) = (budget.limits(), budget.work());
    let mut rows = statement.raw_query();
    let mut kept = 0;
    while limits.enough.is_none_or(|enough| *count < enough)
        && let Some(row) = rows.next()?
    {
        if limits.rows.is_some_and(|limit| *count >= limit) {
            return Err(StoreError::Statement(format!(
                "stopped after {count} rows; --max-rows raises the limit"
            )));
        }
        *count += 1;
        let bytes = batch.push(row)?;
        if result.keeps_rows() {
            kept += bytes;
            if kept > HOLD {
                work.hold(std::mem::take(&mut kept))?;
            }
        }
        if batch.is_full() {
            let done = result.batch(batch);
            batch.clear();
            done?;
        }
    }
    Ok(())
}

fn explain_run(error: &Error, limits: Limits) -> StoreError {
    let text = match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) if INTERRUPTED.swap(false, Ordering::Relaxed) => {
            "stopped".into()
        }
        Some(ErrorCode::OperationInterrupted) => {
            let seconds = limits.time.map_or(0.0, |limit| limit.as_secs_f64());
            format!("stopped after {seconds} s; --timeout raises the limit")
        }
        Some(ErrorCode::OutOfMemory) => limits.memory_message(),
        Some(ErrorCode::TooBig) => format!(
            "a text or blob is longer than {}, a 32nd of --max-memory",
            human_bytes(limits.value_bytes().into())
        ),
        Some(ErrorCode::DiskFull) => format!(
            "stopped: it needs more than {} in temporary files; --max-temp raises the limit",
            human_bytes(limits.spill as f64)
        ),
        _ => match error {
            Error::SqliteFailure(ffi::Error { .. }, Some(message)) => message.clone(),
            other => other.to_string(),
        },
    };
    StoreError::Statement(text)
}

/// Where a name stands in a statement as a word of its own.
fn find_word(sql: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    sql.match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !sql[..at].ends_with(is_part) && !sql[at + name.len()..].starts_with(is_part))
}

/// The line of a statement with a caret under a byte offset.
fn caret(sql: &str, offset: usize) -> String {
    let offset = (0..=offset).rev().find(|&at| sql.is_char_boundary(at)).unwrap_or(0);
    let start = sql[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = sql[start..].lines().next().unwrap_or("");
    let column = sql[start..offset].chars().count();
    format!("\n  {line}\n  {}^", " ".repeat(column))
}

fn parse_value(parameter: &Parameter, text: &str) -> Result<Value, StoreError> {
    if text == "null" {
        return Ok(Value::Null);
    }
    let refuse = |want: &str| {
        StoreError::Usage(format!("parameter '{}': want {want}, got '{text}'", parameter.name))
    };
    Ok(match parameter.ty {
        ParameterType::Text => Value::Text(text.into()),
        ParameterType::Integer => Value::Integer(text.parse().map_err(|_| refuse("an integer"))?),
        ParameterType::Real => Value::Real(text.parse().map_err(|_| refuse("a number"))?),
        ParameterType::Duration => {
            Value::Integer(parse_duration(text).ok_or_else(|| refuse("a duration such as 1.5ms"))?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place_on_its_line() {
        assert_eq!(caret("select\n  x from y", 9), "\n    x from y\n    ^");
    }
}
