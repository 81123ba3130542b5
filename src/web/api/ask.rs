//! Canned queries and SQL, as tables for pages and in every form for scripts.

use crate::analysis::results::{RowForm, RowText, json as cell_json};
use crate::analysis::{Filters, Question, moment};
use crate::store::{Batch, Cell, ColumnInfo, Database, QueryResult, Unit, Value};
use crate::web::asker::Asker;
use crate::web::message::{Answer, Body, Request, Result, bad};
use crate::web::session::LIMITS;
use serde_json::{Map, Value as Json, json};
use std::io;

/// How many rows a page gets where it does not say.
const ROWS: u64 = 10_000;
/// Integers beyond this are not exact in JavaScript, and are sent as texts.
const EXACT: i64 = 1 << 53;

/// What is asked of the database, and in which form the answer is wanted.
struct Asked {
    question: Question,
    filters: Filters,
    form: Option<RowForm>,
    name: String,
    /// After how many rows the query ends by itself, as the request or else the query says; `None` for SQL and
    /// where it gives all.
    own_limit: Option<u64>,
}

/// `/api/query/NAME`, `/api/query/NAME.csv`: parameters of the query stand in the address, and the
/// filters, too.
pub fn canned(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let name = request.path.rsplit('/').next().unwrap_or("");
    let (name, form) = match name.rsplit_once('.') {
        Some((name, ending)) => (name, form(ending)?),
        None => (name, None),
    };
    let is_filter = |name: &str| FILTERS.contains(&name) || name == "limit_rows";
    let query = crate::store::find_query(name)?;
    let has = |name: &str| query.parameters.iter().any(|parameter| parameter.name == name);
    // A parameter of the query goes before a filter of the same name.
    let given = request.parameters.iter().filter(|(name, _)| has(name) || !is_filter(name));
    let question = Question::new(name, given.cloned().collect())?;
    let filters = filters(|name| if has(name) { None } else { request.get(name) })?;
    let limit = request.number("limit_rows")?;
    let own = query.parameters.iter().find(|parameter| parameter.name == "limit");
    let own = own.map(|parameter| request.get("limit").unwrap_or(&parameter.default));
    // All, -1, is no limit of its own.
    let own_limit = own.and_then(|limit| limit.parse().ok());
    answer(asker, Asked { question, filters, form, name: name.into(), own_limit }, limit)
}

/// `POST /api/sql` of `{sql, parameters, format, limit, filters}`.
pub fn sql(request: &Request, asker: &mut Asker) -> Result<Answer> {
    let body = request.json()?;
    let text = |object: &Json, key: &str| object.get(key).and_then(Json::as_str).map(String::from);
    let sql = text(&body, "sql").ok_or_else(|| bad("sql: want the statement"))?;
    let given = match body.get("parameters") {
        Some(Json::Object(object)) => object.clone(),
        None | Some(Json::Null) => Map::new(),
        Some(_) => return Err(bad("parameters: want an object of names and values")),
    };
    let mut parameters = Vec::with_capacity(given.len());
    let mut nulls = Vec::new();
    for (name, value) in given {
        match value {
            Json::Null => nulls.push(name),
            Json::String(text) => parameters.push((name, text)),
            other => parameters.push((name, other.to_string())),
        }
    }
    let question = Question::new(&sql, parameters)?;
    let question = nulls.into_iter().fold(question, Question::with_null);
    let given = body.get("filters").cloned().unwrap_or(Json::Null);
    let filters = filters(|name| given.get(name).and_then(Json::as_str))?;
    let form = text(&body, "format").map(|name| form(&name)).transpose()?.flatten();
    let limit = body.get("limit").and_then(Json::as_i64);
    answer(asker, Asked { question, filters, form, name: "result".into(), own_limit: None }, limit)
}

const FILTERS: [&str; 5] = ["from", "to", "goroutine", "function", "task"];

/// The filters of `gotrace query`.
pub fn filters<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Filters> {
    let goroutines = get("goroutine").unwrap_or("");
    let number = |text: &str| text.trim().parse().map_err(|_| bad("goroutine: want numbers"));
    let goroutines = goroutines.split(',').filter(|it| !it.is_empty()).map(number);
    Ok(Filters {
        from: moment("from", get("from"))?,
        to: moment("to", get("to"))?,
        goroutines: goroutines.collect::<Result<_>>()?,
        function: get("function").map(String::from),
        task: get("task").map(String::from),
    })
}

/// `None` for what pages take.
fn form(name: &str) -> Result<Option<RowForm>> {
    Ok(match name {
        "table" => None,
        "csv" => Some(RowForm::Csv),
        "tsv" => Some(RowForm::Tsv),
        "json" => Some(RowForm::Json),
        "jsonl" => Some(RowForm::Jsonl),
        _ => return Err(bad("the form is csv, tsv, json or jsonl")),
    })
}

fn answer(asker: &mut Asker, asked: Asked, limit: Option<i64>) -> Result<Answer> {
    let limit = limit.map(|limit| u64::try_from(limit).unwrap_or(0));
    match asked.form {
        Some(form) => stream(asker, asked, form, limit),
        None => table(asker.database()?.1, asked, limit.map(|rows| rows.max(1))),
    }
}

/// Rows for pages: `{columns, rows, has_more, remarks}`.
fn table(database: &Database, asked: Asked, limit: Option<u64>) -> Result<Answer> {
    asked.filters.apply(database)?;
    let own_limit = asked.own_limit.filter(|_| limit.is_none());
    let limit = own_limit.or(limit).unwrap_or(ROWS);
    let question = match own_limit {
        Some(_) => asked.question,
        // One row more tells whether there are more.
        None => asked.question.at_most(limit.saturating_add(1)),
    };
    let mut table = Table { columns: Vec::new(), rows: Vec::new(), limit, has_more: false };
    let rows = question.ask(database, LIMITS, &mut table)?;
    let has_more = table.has_more || own_limit == Some(rows);
    Ok(Answer::json(&json!({
        "columns": table.columns,
        "rows": table.rows,
        "has_more": has_more,
        "remarks": question.remarks(database, rows),
    })))
}

/// All rows, to be saved.
fn stream(asker: &mut Asker, asked: Asked, form: RowForm, limit: Option<u64>) -> Result<Answer> {
    asker.database()?;
    let (content_type, ending) = match form {
        RowForm::Csv => ("text/csv; charset=utf-8", "csv"),
        RowForm::Tsv => ("text/tab-separated-values; charset=utf-8", "tsv"),
        RowForm::Json => ("application/json", "json"),
        RowForm::Jsonl => ("application/jsonl; charset=utf-8", "jsonl"),
    };
    let file_name = Some(format!("{}.{ending}", asked.name));
    let write = move |asker: &mut Asker, out: &mut dyn io::Write| {
        let (_, database) = asker.database().map_err(|it| io::Error::other(it.error))?;
        let question = match limit {
            Some(rows) => asked.question.at_most(rows),
            None => asked.question,
        };
        let mut rows = RowText::new(form, out);
        asked.filters.apply(database).map_err(io::Error::other)?;
        question.ask(database, LIMITS, &mut rows).map_err(io::Error::other)?;
        rows.finish().map(drop)
    };
    let body = Body::Written(Box::new(write));
    Ok(Answer { body, file_name, ..Answer::new(content_type, Vec::new()) })
}

/// A result as pages take it.
struct Table {
    columns: Vec<Json>,
    rows: Vec<Json>,
    limit: u64,
    has_more: bool,
}

impl QueryResult for Table {
    fn columns(&mut self, columns: &[ColumnInfo]) -> io::Result<()> {
        self.columns = columns.iter().map(column).collect();
        Ok(())
    }

    fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        for row in 0..batch.rows() {
            if self.rows.len() as u64 >= self.limit {
                self.has_more = true;
                break;
            }
            self.rows.push(batch.row(row).map(value).collect());
        }
        Ok(())
    }

    fn keeps_rows(&self) -> bool {
        true
    }
}

/// What is known of a column.
pub fn column(column: &ColumnInfo) -> Json {
    let unit = column.unit.map(|unit| match unit {
        Unit::Nanoseconds => "ns",
        Unit::Bytes => "bytes",
        Unit::Share => "share",
    });
    json!({ "name": column.name, "type": column.ty, "unit": unit, "doc": column.doc })
}

/// A value, exact in JavaScript.
pub fn value(cell: Cell<'_>) -> Json {
    match cell {
        Cell::Integer(number) if number.unsigned_abs() > EXACT as u64 => number.to_string().into(),
        other => cell_json(other),
    }
}

/// The rows of a statement of ours, as objects.
pub fn objects(database: &Database, sql: &str, given: &[(&str, Value)]) -> Result<Vec<Json>> {
    let mut rows = crate::store::Rows::default();
    let given: Vec<(String, Value)> =
        given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    database.ask(sql, &given, &mut rows)?;
    let names: Vec<&str> = rows.columns.iter().map(|column| column.name.as_str()).collect();
    let object = |row: &Vec<Value>| {
        let pairs = names.iter().zip(row);
        Json::Object(pairs.map(|(name, it)| ((*name).to_owned(), value(Cell::from(it)))).collect())
    };
    Ok(rows.rows.iter().map(object).collect())
}
