//! A profile out of a database that it was loaded into.

use crate::analysis::{Error, Result};
use crate::profile::{Builder, Frame, Profile};
use crate::source::Location;
use crate::store::{Database, Limits, QueryResult, Rows, Value};
use std::collections::HashMap;
use std::time::Duration;

/// The number; 0 for whatever is none.
pub fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(value) => *value,
        _ => 0,
    }
}

/// The text; empty for whatever is none.
pub fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

/// Asks about one profile, or one trace.
pub struct Asker<'a> {
    database: &'a Database,
    /// `:id` in statements.
    id: i64,
}

impl<'a> Asker<'a> {
    /// Chooses a row of a table; `wanted` need not be given if there is only one.
    pub fn choose(
        database: &'a Database,
        location: &Location,
        one: &str,
        wanted: Option<i64>,
    ) -> Result<Self> {
        let failed = |what: String| Error::Failed(format!("{location}: {what}"));
        let mut asker = Asker { database, id: wanted.unwrap_or(0) };
        let known = asker.ask(&format!("select id, source from {one}s order by id"))?;
        let list = || {
            let lines = known.iter().map(|row| format!("{} {}", integer(&row[0]), text(&row[1])));
            lines.collect::<Vec<_>>().join(", ")
        };
        asker.id = match (&known[..], wanted) {
            ([], _) => {
                let hint =
                    if one == "profile" { "; --type says what to measure in a trace" } else { "" };
                return Err(failed(format!("there is no {one} in this database{hint}")));
            }
            ([only], None) => integer(&only[0]),
            (_, None) => {
                let what = format!("there are several {one}s; say with --{one} N which one");
                return Err(Error::Usage(format!("{}: {what}: {}", location, list())));
            }
            (_, Some(wanted)) if known.iter().any(|row| integer(&row[0]) == wanted) => wanted,
            (_, Some(wanted)) => {
                return Err(failed(format!("there is no {one} {wanted}, only {}", list())));
            }
        };
        Ok(asker)
    }

    /// All rows of an answer.
    pub fn ask(&self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let mut rows = Rows::default();
        self.ask_each(sql, &mut rows)?;
        Ok(rows.rows)
    }

    /// The rows of an answer, one by one.
    pub fn ask_each(&self, sql: &str, result: &mut dyn QueryResult) -> Result<()> {
        let parameters = match sql.contains(":id") {
            true => vec![("id".to_owned(), Value::Integer(self.id))],
            false => Vec::new(),
        };
        self.database.ask(sql, &parameters, result)?;
        Ok(())
    }
}

/// Begins to ask a database, for so many seconds.
pub fn start(database: &Database, seconds: Option<u64>) -> Result<()> {
    let limits = Limits::default();
    let time = seconds.map_or(limits.time, |seconds| Some(Duration::from_secs(seconds)));
    Ok(database.start(Limits { time, rows: None, ..limits })?)
}

/// Reads a profile; `wanted` is its row number, which need not be given if there is only one.
pub fn read(database: &Database, location: &Location, wanted: Option<i64>) -> Result<Profile> {
    build(&Asker::choose(database, location, "profile", wanted)?)
}

fn build(asker: &Asker<'_>) -> Result<Profile> {
    let types = asker.ask(
        "select type, unit, is_default from profile_types where profile_id = :id order by position",
    )?;
    let names: Vec<(&str, &str)> = types.iter().map(|row| (text(&row[0]), text(&row[1]))).collect();
    let mut builder = Builder::new(&names);
    if let Some(default) = types.iter().find(|row| integer(&row[2]) == 1) {
        builder.default_sample_type(text(&default[0]));
    }
    let head = asker.ask(
        "select time_unix_ns, duration_ns, period_type, period_unit, period, program, build_id
         from profiles where id = :id",
    )?;
    if let Some(row) = head.first() {
        builder.time(integer(&row[0]), integer(&row[1]));
        builder.period(text(&row[2]), text(&row[3]), integer(&row[4]));
    }
    let stacks = stacks(asker, &mut builder)?;
    let labels = labels(asker)?;
    let samples = asker.ask(
        "select s.sample_id, s.stack_id, t.position, s.value
         from raw_profile_samples s join profile_types t on t.id = s.type_id
         where t.profile_id = :id order by s.sample_id",
    )?;
    for rows in samples.chunk_by(|a, b| integer(&a[0]) == integer(&b[0])) {
        let mut values = vec![0; names.len()];
        for row in rows {
            if let Some(value) = values.get_mut(integer(&row[2]) as usize) {
                *value = integer(&row[3]);
            }
        }
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        for row in labels.get(&integer(&rows[0][0])).into_iter().flatten() {
            match &row[2] {
                Value::Text(value) => texts.push((text(&row[1]), &**value)),
                _ => numbers.push((text(&row[1]), integer(&row[3]), text(&row[4]))),
            }
        }
        let set = builder.labels(&texts, &numbers);
        let stack = stacks.get(&integer(&rows[0][1])).map_or(&[][..], Vec::as_slice);
        builder.add(stack, set, &values);
    }
    let mut profile = builder.finish();
    if let (Some(row), Some(mapping)) = (head.first(), profile.mappings.first_mut()) {
        mapping.file = profile.texts.intern(text(&row[5]));
        mapping.build_id = profile.texts.intern(text(&row[6]));
    }
    Ok(profile)
}

/// The stacks of the profile. Frames with one address, side by side, are what was inlined there.
fn stacks(asker: &Asker<'_>, builder: &mut Builder) -> Result<HashMap<i64, Vec<u32>>> {
    let frames = asker.ask(
        "select stack_id, function, file, line, pc from stack_frames
         where stack_id in (select stack_id from profile_samples where profile_id = :id)
         order by stack_id, position",
    )?;
    let mut stacks: HashMap<i64, Vec<u32>> = HashMap::new();
    let is_same_place = |a: &Vec<Value>, b: &Vec<Value>| {
        integer(&a[0]) == integer(&b[0]) && integer(&a[4]) == integer(&b[4]) && integer(&a[4]) != 0
    };
    for rows in frames.chunk_by(is_same_place) {
        let pc = integer(&rows[0][4]) as u64;
        let frame = |row: &Vec<Value>| {
            (text(&row[1]).to_owned(), text(&row[2]).to_owned(), integer(&row[3]))
        };
        let named: Vec<(String, String, i64)> = rows.iter().map(frame).collect();
        let frames: Vec<Frame<'_>> = named
            .iter()
            .map(|(function, file, line)| Frame { function, file, line: *line, pc })
            .collect();
        stacks.entry(integer(&rows[0][0])).or_default().push(builder.location(pc, &frames));
    }
    Ok(stacks)
}

/// The labels of each sample.
fn labels(asker: &Asker<'_>) -> Result<HashMap<i64, Vec<Vec<Value>>>> {
    let mut labels: HashMap<i64, Vec<Vec<Value>>> = HashMap::new();
    let sql = "select sample_id, key, text, number, unit from profile_labels
               where profile_id = :id order by id";
    for row in asker.ask(sql)? {
        labels.entry(integer(&row[0])).or_default().push(row);
    }
    Ok(labels)
}
