//! Looking at a part of a database: `--from`, `--to`, `--goroutine`, `--function`, `--task`.
//!
//! A filter is no business of the queries. It puts relations of the same names into the connection's
//! temporary schema, where SQLite looks first, that hold only what was asked for, *as if nothing else
//! had been recorded*: states are cut where the time begins and ends and marked as open there, sums
//! are those of what is left, what began before has no beginning. A statement then reads them
//! without knowing. Only the relations that it names, directly or through views, are made.

mod of_database;
mod shadows;
mod sums;

use super::budget::Budget;
use super::relations::RELATIONS;
use super::tables::TABLE_FUNCTIONS;
use super::{StoreError, nearest};
use rusqlite::Connection;
use shadows::{Recipe, SHADOWS};
use std::collections::BTreeSet;

/// What to look at. Times are nanoseconds since the start of the trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this time on.
    pub from_ns: Option<i64>,
    /// Before this time.
    pub to_ns: Option<i64>,
    /// Only goroutines with these numbers; empty for all.
    pub goroutines: Vec<i64>,
    /// Only goroutines that began with this function; `*` stands for any characters.
    pub function: Option<String>,
    /// Only what was done for tasks with this number or of this type, and for their subtasks.
    pub task: Option<String>,
}

impl Filter {
    /// Whether it leaves everything as it is.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether it chooses among goroutines.
    pub fn chooses_goroutines(&self) -> bool {
        !self.goroutines.is_empty() || self.function.is_some() || self.task.is_some()
    }

    fn borders(&self) -> (i64, i64) {
        (self.from_ns.unwrap_or(0).max(0), self.to_ns.unwrap_or(i64::MAX))
    }
}

/// A filter that is in force, and what has been made for it.
#[derive(Debug, Default)]
pub(super) struct Active {
    filter: Filter,
    made: BTreeSet<&'static str>,
    has_choice: bool,
}

impl Active {
    fn make(
        &mut self,
        connection: &Connection,
        budget: &Budget,
        wanted: &BTreeSet<&'static str>,
    ) -> Result<(), StoreError> {
        if self.filter.chooses_goroutines() && !self.has_choice {
            choose(connection, &self.filter)?;
            self.has_choice = true;
        }
        for shadow in SHADOWS {
            if wanted.contains(shadow.name) && self.made.insert(shadow.name) {
                make(connection, budget, shadow.recipe(self.has_choice), &self.filter)?;
            }
        }
        // Views over what is filtered have to be in the same schema to see it.
        for relation in RELATIONS.iter().filter(|relation| !relation.is_table) {
            if wanted.contains(relation.name) && self.made.insert(relation.name) {
                let sql = relation.sql.replacen("create view", "create temp view", 1);
                connection.execute_batch(&sql)?;
            }
        }
        Ok(())
    }
}

/// All relations and functions that a statement names, directly or through views. Names in texts
/// count too: functions take statements as texts. One too many only costs time.
fn relations_of(sql: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut texts = vec![sql];
    while let Some(text) = texts.pop() {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words: BTreeSet<String> = words.map(str::to_ascii_lowercase).collect();
        let mut add = |name: &'static str, texts: &mut Vec<&str>| {
            if found.insert(name) {
                let relation = RELATIONS.iter().find(|relation| relation.name == name);
                texts.extend(relation.filter(|one| !one.is_table).map(|one| one.sql));
                let shadow = SHADOWS.iter().find(|shadow| shadow.name == name);
                texts.extend(shadow.map(|shadow| shadow.needs));
            }
        };
        for relation in RELATIONS.iter().filter(|relation| words.contains(relation.name)) {
            add(relation.name, &mut texts);
        }
        for shadow in SHADOWS.iter().filter(|shadow| words.contains(shadow.name)) {
            add(shadow.name, &mut texts);
        }
        for function in TABLE_FUNCTIONS.iter().filter(|one| words.contains(one.name)) {
            function.reads.iter().for_each(|name| add(name, &mut texts));
        }
        if words.contains("state_at") || words.contains("state_goroutine") {
            for name in ["raw_goroutines", "raw_state_ranges", "raw_goroutine_states"] {
                add(name, &mut texts);
            }
        }
    }
    found
}

fn make(
    connection: &Connection,
    budget: &Budget,
    recipe: Recipe,
    filter: &Filter,
) -> Result<(), StoreError> {
    let (from, to) = filter.borders();
    match recipe {
        Recipe::Sql(sql) => {
            let sql = sql.replace("{from}", &from.to_string()).replace("{to}", &to.to_string());
            Ok(connection.execute_batch(&sql)?)
        }
        Recipe::Sums => sums::make(connection, &budget.work()),
        Recipe::Nothing => Ok(()),
    }
}

fn drop_all(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare("select type, name from sqlite_temp_schema where type in ('view', 'table')")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let made = rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    drop(statement);
    for (kind, name) in made {
        connection.execute_batch(&format!("drop {kind} temp.\"{name}\""))?;
    }
    Ok(())
}

/// Fills `filter_windows`: which goroutines are looked at, and when.
fn choose(connection: &Connection, filter: &Filter) -> Result<(), StoreError> {
    let (from, to) = filter.borders();
    connection.execute_batch(
        "create temp table filter_goroutines (id integer primary key not null);
         create temp table filter_tasks (id integer primary key not null, trace_id, task);
         create temp table filter_windows (
           id integer primary key not null, goroutine_id integer not null, from_ns integer not null,
           to_ns integer not null);
         create index temp.filter_windows_by_goroutine on filter_windows (goroutine_id);
         insert into filter_goroutines select id from main.raw_goroutines;",
    )?;
    if !filter.goroutines.is_empty() {
        for goid in &filter.goroutines {
            let sql = "select count(*) from main.raw_goroutines where goid = ?1";
            let found: i64 = connection.query_row(sql, [goid], |row| row.get(0))?;
            if found == 0 {
                return Err(StoreError::Usage(format!("there is no goroutine {goid}")));
            }
        }
        let list: Vec<String> = filter.goroutines.iter().map(i64::to_string).collect();
        connection.execute_batch(&format!(
            "delete from filter_goroutines where id not in (
               select id from main.raw_goroutines where goid in ({}))",
            list.join(", ")
        ))?;
    }
    if let Some(function) = &filter.function {
        let sql = "delete from filter_goroutines where id not in (
                     select g.id from main.raw_goroutines g
                     join main.functions f on f.id = g.function_id
                     where f.name = ?1 or (instr(?1, '*') and f.name glob ?2))";
        // In GLOB, brackets are sets of characters; names of Go functions have them.
        let pattern = function.replace('[', "[[]").replace('?', "[?]");
        connection.execute(sql, [function, &pattern])?;
        refuse_nothing(connection, function)?;
    }
    match &filter.task {
        Some(task) => choose_tasks(connection, task, from, to),
        None => Ok(connection.execute_batch(&format!(
            "insert into filter_windows (goroutine_id, from_ns, to_ns)
             select id, {from}, {to} from filter_goroutines order by id"
        ))?),
    }
}

fn refuse_nothing(connection: &Connection, function: &str) -> Result<(), StoreError> {
    let sql = "select count(*) from filter_goroutines";
    let left: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if left > 0 {
        return Ok(());
    }
    let mut statement = connection.prepare(
        "select distinct f.name from main.raw_goroutines g
         join main.functions f on f.id = g.function_id",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    let names = rows.collect::<rusqlite::Result<Vec<String>>>()?;
    let hint = match nearest(function, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "'gotrace query SOURCE goroutines' lists the functions".into(),
    };
    Err(StoreError::Usage(format!(
        "no chosen goroutine began with a function '{function}'; {hint}"
    )))
}

/// A goroutine works for a task while a region of it is open on it. The one that created the task,
/// if it is also the one that ended it, does so all the time.
fn choose_tasks(connection: &Connection, task: &str, from: i64, to: i64) -> Result<(), StoreError> {
    let number = task.parse::<i64>().ok();
    connection.execute(
        "insert into filter_tasks (id, trace_id, task)
         with recursive tree (id, trace_id, task) as (
           select id, trace_id, task from main.tasks where task = ?1 or (?1 is null and type = ?2)
           union
           select t.id, t.trace_id, t.task from tree r
           join main.tasks t on t.parent = r.task and t.trace_id = r.trace_id
         )
         select id, trace_id, task from tree",
        rusqlite::params![number, task],
    )?;
    let sql = "select count(*) from filter_tasks";
    let found: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if found == 0 {
        let what = if number.is_some() { "number" } else { "type" };
        return Err(StoreError::Usage(format!(
            "there is no task with the {what} '{task}'; 'gotrace query SOURCE tasks' lists the types"
        )));
    }
    let mut statement = connection.prepare(
        "select r.goroutine_id as goroutine_id, coalesce(r.start_ns, 0), coalesce(r.end_ns, ?2)
         from main.regions r
         join filter_tasks f on f.trace_id = r.trace_id and f.task = r.task
         where r.goroutine_id in (select id from filter_goroutines)
         union all
         select t.goroutine_id, coalesce(t.start_ns, 0), coalesce(t.end_ns, ?2)
         from filter_tasks f
         join main.tasks t on t.id = f.id
         where t.goroutine_id in (select id from filter_goroutines)
           and (t.end_goroutine_id is null or t.end_goroutine_id = t.goroutine_id)
         order by 1, 2",
    )?;
    let rows = statement.query_map([from, to], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.max(from), row.get::<_, i64>(2)?.min(to)))
    });
    let mut insert = connection
        .prepare("insert into filter_windows (goroutine_id, from_ns, to_ns) values (?1, ?2, ?3)")?;
    let mut open: Option<(i64, i64, i64)> = None;
    for row in rows? {
        let (goroutine, start, end): (i64, i64, i64) = row?;
        if start >= end {
            continue;
        }
        match &mut open {
            Some(last) if last.0 == goroutine && start <= last.2 => last.2 = last.2.max(end),
            _ => {
                if let Some(done) = open.replace((goroutine, start, end)) {
                    insert.execute(done)?;
                }
            }
        }
    }
    if let Some(done) = open {
        insert.execute(done)?;
    }
    Ok(connection.execute_batch(
        "delete from filter_goroutines
         where id not in (select goroutine_id from filter_windows)",
    )?)
}
