//! The canned queries: `queries/*.sql`, each with a header that says what it answers.

use super::StoreError;
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/queries.rs"));

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// An integer.
    Integer,
    /// A number.
    Real,
    /// A text.
    Text,
    /// A duration: `1.5ms`, or nanoseconds as an integer.
    Duration,
}

/// A parameter of a canned query, `:name` in its statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub ty: ParameterType,
    /// Its value if none is given, as it would be typed; `null` for none.
    pub default: String,
    /// What it does.
    pub doc: String,
}

/// A column of a canned query's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name; a unit ends it.
    pub name: String,
    /// INTEGER, REAL or TEXT.
    pub ty: String,
    /// What it means.
    pub doc: String,
}

/// Which of `--from`, `--to`, `--goroutine`, `--function` and `--task` a canned query obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterUse {
    /// None: what it shows has no time and no goroutine.
    None,
    /// Its own parameters `from`, `to`, `goid` and `task` are meant.
    Parameters,
    /// `--from` and `--to`: it shows something about the program as a whole.
    Time,
    /// All of them.
    All,
}

/// A canned query.
#[derive(Debug, Clone, PartialEq)]
pub struct CannedQuery {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line.
    pub title: String,
    /// What it answers and how to read it.
    pub description: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its columns, in order.
    pub columns: Vec<ResultColumn>,
    /// Which filters it obeys.
    pub filters: FilterUse,
    /// The statement, without the header.
    pub sql: &'static str,
}

/// All canned queries, in the order of their names.
pub fn canned_queries() -> &'static [CannedQuery] {
    static QUERIES: LazyLock<Vec<CannedQuery>> = LazyLock::new(|| {
        QUERY_FILES
            .iter()
            .map(|(name, text)| {
                parse(name, text).unwrap_or_else(|error| panic!("queries/{name}.sql: {error}"))
            })
            .collect()
    });
    &QUERIES
}

/// Whether a text is meant as the name of a canned query: a single word of letters, digits and hyphens. No
/// statement that gives a result is that, and whatever else is typed is one to SQLite.
pub fn is_query_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The canned query with a name; the error suggests the nearest one.
pub fn find_query(name: &str) -> Result<&'static CannedQuery, StoreError> {
    let all = canned_queries();
    all.iter().find(|query| query.name == name).ok_or_else(|| {
        let near = nearest(name, all.iter().map(|query| query.name));
        let hint = match near {
            Some(near) => format!("did you mean '{near}'?"),
            None => "'gotrace queries' lists them".into(),
        };
        StoreError::Usage(format!("there is no query '{name}'; {hint}"))
    })
}

/// The candidate most like a word, if any is like it.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Parses a query file: lines `-- title:`, `-- description:`, `-- param NAME TYPE = DEFAULT: doc`,
/// `-- column NAME TYPE: doc`, each continued by lines that begin with `--   `, then the statement.
fn parse(name: &'static str, text: &'static str) -> Result<CannedQuery, String> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while let Some(comment) = rest.strip_prefix("--") {
        let (line, behind) = comment.split_once('\n').unwrap_or((comment, ""));
        rest = behind;
        if let Some(more) = line.strip_prefix("   ") {
            let entry = entries.last_mut().ok_or("a continuation line without a line before it")?;
            entry.1.push(' ');
            entry.1.push_str(more.trim());
        } else {
            let line = line.trim();
            let (key, value) =
                line.split_once(": ").ok_or_else(|| format!("want 'key: value': {line}"))?;
            entries.push((key.into(), value.trim().into()));
        }
    }
    let mut query = CannedQuery {
        name,
        title: String::new(),
        description: String::new(),
        parameters: Vec::new(),
        columns: Vec::new(),
        filters: FilterUse::None,
        sql: rest.trim().trim_end_matches(';').trim_end(),
    };
    let mut has_filters = false;
    for (key, value) in entries {
        let words: Vec<&str> = key.split_whitespace().collect();
        match words[..] {
            ["title"] => query.title = value,
            ["description"] => query.description = value,
            ["filters"] => {
                has_filters = true;
                query.filters = match value.as_str() {
                    "none" => FilterUse::None,
                    "parameters" => FilterUse::Parameters,
                    "time" => FilterUse::Time,
                    "time, goroutines" => FilterUse::All,
                    _ => return Err(format!("unknown filters '{value}'")),
                };
            }
            ["column", name, ty] => {
                query.columns.push(ResultColumn { name: name.into(), ty: ty.into(), doc: value });
            }
            ["param", name, ty, "=", ..] => query.parameters.push(Parameter {
                name: name.into(),
                ty: match ty {
                    "INTEGER" => ParameterType::Integer,
                    "REAL" => ParameterType::Real,
                    "TEXT" => ParameterType::Text,
                    "DURATION" => ParameterType::Duration,
                    _ => return Err(format!("parameter {name} has unknown type {ty}")),
                },
                default: words[4..].join(" ").trim_matches('\'').to_owned(),
                doc: value,
            }),
            _ => return Err(format!("unknown header line '{key}'")),
        }
    }
    if query.title.is_empty()
        || query.description.is_empty()
        || query.columns.is_empty()
        || query.sql.is_empty()
        || !has_filters
    {
        return Err("title, description, filters, columns or statement are missing".into());
    }
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_parse_with_continuation_lines_and_defaults() {
        let query = parse(
            "waits",
            "-- title: Waits\n-- description: One line\n--   and another.\n-- filters: time\n\
             -- param min_ns DURATION = 1ms: shortest\n-- param name TEXT = null: which\n\
             -- column id INTEGER: row\nselect 1 as id;\n",
        )
        .unwrap();
        assert_eq!(query.description, "One line and another.");
        assert_eq!(query.parameters[0].default, "1ms");
        assert_eq!(query.parameters[1].ty, ParameterType::Text);
        assert_eq!(query.sql, "select 1 as id");
        assert_eq!(query.filters, FilterUse::Time);
        assert!(parse("x", "-- title: x\nselect 1;").is_err());
        assert!(parse("x", "-- titel: x\nselect 1;").is_err());
    }

    #[test]
    fn names_are_words_and_all_else_is_sql() {
        for text in ["goroutines", "gc-assists", "GC", "nosuch", "select"] {
            assert!(is_query_name(text), "{text}");
        }
        for text in ["", "values(1)", "select(1)", "select/**/1", "/**/select(1)", ";select(1)"] {
            assert!(!is_query_name(text), "{text}");
        }
    }

    #[test]
    fn wrong_names_suggest_the_nearest() {
        assert_eq!(
            nearest("gorutines", ["gc", "goroutines", "stw"].into_iter()),
            Some("goroutines")
        );
        assert_eq!(nearest("zzz", ["gc", "goroutines"].into_iter()), None);
        let all = || canned_queries().iter().map(|query| query.name);
        assert_eq!((nearest("nosuch", all()), nearest("locs", all())), (None, Some("locks")));
    }
}
