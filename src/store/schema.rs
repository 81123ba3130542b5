//! Whether a database has the tables and views that gotrace writes, and no others in their place.
//!
//! A view that looks like a table can run for ever, and a generated column or an index over an expression can do
//! what its author likes whenever the table is read. So everything that statements read by a name of ours must
//! be exactly what gotrace makes of it. Tables, views and plain indexes with other names are the user's.

use super::StoreError;
use super::relations::RELATIONS;
use super::tables::TABLE_FUNCTIONS;
use super::writer::IndexSpec;
use rusqlite::Connection;
use std::collections::HashMap;

/// The indexes. Each serves a way of asking: by goroutine.
pub(super) const INDEXES: &[IndexSpec] = &[
    IndexSpec { table: "raw_state_ranges", column: "goroutine_id" },
    IndexSpec { table: "raw_goroutine_waits", column: "goroutine_id" },
    IndexSpec { table: "profile_labels", column: "sample_id" },
];

/// Most tables, views and indexes a database may have.
const MAX_OBJECTS: usize = 10_000;

/// A row of `sqlite_schema`.
struct Object {
    kind: String,
    /// Of an index or a trigger.
    table: String,
    sql: String,
}

/// Fails if a table or view is not the one that gotrace makes.
pub fn check(connection: &Connection) -> Result<(), StoreError> {
    let found = read(connection)?;
    let mut wanted: HashMap<String, String> = HashMap::new();
    wanted.extend(RELATIONS.iter().map(|one| (one.name.to_owned(), one.sql.to_owned())));
    wanted.extend(INDEXES.iter().map(|index| (index.name(), index.sql())));
    for (name, sql) in &wanted {
        match found.get(name) {
            Some(objects) if objects.len() == 1 && is_same(name, &objects[0].sql, sql) => {}
            Some(_) => return Err(refuse(&format!("its {name} is not the one gotrace makes"))),
            None => return Err(refuse(&format!("its {name} is missing"))),
        }
    }
    let others = found.iter().filter(|(name, _)| !wanted.contains_key(name.as_str()));
    for (name, object) in others.flat_map(|(name, objects)| objects.iter().map(move |o| (name, o)))
    {
        if is_function(name) {
            return Err(refuse(&format!("its {} {name} hides a function", object.kind)));
        }
        let is_on_ours = RELATIONS.iter().any(|relation| relation.name == object.table);
        let is_odd = match object.kind.as_str() {
            "trigger" => true,
            "index" => !is_of_columns(&object.sql),
            _ => false,
        };
        if is_on_ours && is_odd {
            return Err(refuse(&format!("its {} {name} is not gotrace's", object.kind)));
        }
    }
    Ok(())
}

/// Whether an index is over columns: not over an expression, which may be anything, and not a partial one.
fn is_of_columns(sql: &str) -> bool {
    let Some((_, columns)) = sql.split_once('(') else { return sql.is_empty() };
    let Some(columns) = columns.trim_end().strip_suffix(')') else { return false };
    columns.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_,\"".contains(c))
}

/// Whether a table of this name would be asked in place of a function that gives rows.
fn is_function(name: &str) -> bool {
    TABLE_FUNCTIONS.iter().any(|function| function.name == name)
        || ["json_each", "json_tree"].contains(&name)
        || name.starts_with("pragma_")
}

fn refuse(what: &str) -> StoreError {
    StoreError::Usage(format!(
        "it is not as gotrace makes databases: {what}; ingest the trace again"
    ))
}

/// What the file has, by name in small letters: SQLite makes no difference.
fn read(connection: &Connection) -> Result<HashMap<String, Vec<Object>>, StoreError> {
    let mut statement =
        connection.prepare("select type, name, tbl_name, sql from sqlite_schema")?;
    let mut rows = statement.query([])?;
    let (mut found, mut count) = (HashMap::<String, Vec<Object>>::new(), 0);
    while let Some(row) = rows.next()? {
        count += 1;
        if count > MAX_OBJECTS {
            return Err(refuse(&format!("it has more than {MAX_OBJECTS} tables and indexes")));
        }
        let text = |at| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
        let object = Object { kind: text(0)?, table: text(2)?.to_ascii_lowercase(), sql: text(3)? };
        found.entry(text(1)?.to_ascii_lowercase()).or_default().push(object);
    }
    Ok(found)
}

/// Whether a statement of the file makes what one of ours makes.
fn is_same(name: &str, found: &str, ours: &str) -> bool {
    // SQLite keeps the text from the name on, so most are the same to the letter, which is quickly seen.
    let is_equal = match (found.find(name), ours.find("create ")) {
        (Some(at), Some(create)) => {
            let (kind, found) = found.split_at(at);
            let ours = ours[create..].trim_end().trim_end_matches(';');
            ours.get(..at).is_some_and(|ours| ours.eq_ignore_ascii_case(kind))
                && ours[at..] == *found
        }
        _ => false,
    };
    is_equal || plain(found) == plain(ours)
}

/// A statement without comments and with single spaces: a comment may change with the version. SQLite writes
/// the first two words in capitals.
fn plain(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or(""));
    let mut words = lines.flat_map(str::split_whitespace);
    let start: Vec<String> = words.by_ref().take(2).map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = start.iter().map(String::as_str).chain(words).collect();
    words.join(" ").trim_end_matches(';').trim_end().to_owned()
}
