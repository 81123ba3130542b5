//! Intervals: any statement whose rows have a `start_ns` and a `duration_ns`.

use super::{Call, Cell, Item, Rows, TableFunction};
use crate::store::budget::{Work, sane};
use crate::store::refusal::refuse;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Result, Row, Statement};
use std::collections::HashMap;

pub(super) const A: Item = Item {
    name: "intervals",
    doc: "a relation's name or a SELECT, as a text, with the columns start_ns and duration_ns",
};
const BY: Item = Item {
    name: "by",
    doc: "name of a column: only intervals that agree in it meet each other; left out, all do",
};

/// See its `doc`.
pub static INTERSECT: TableFunction = TableFunction {
    name: "interval_intersect",
    doc: "The times that both of two sets of intervals cover, a row for each pair that meets. The intervals \
          of one set must not overlap each other (with `by`: of one group), or sums over the result \
          would count time twice; the error names two that do. interval_union makes a set fit; interval_join \
          has no such rule.",
    arguments: &[
        Item {
            name: "a",
            doc: "a relation's name or a SELECT, as a text, with the columns start_ns and duration_ns, and id if its rows are to be named",
        },
        Item { name: "b", doc: "the same" },
        BY,
    ],
    required: 2,
    columns: &[
        Item { name: "start_ns", doc: "when both are under way" },
        Item { name: "duration_ns", doc: "for how long" },
        Item {
            name: "a_id",
            doc: "column id of the row of a; its place in a, counted from 1, if there is none",
        },
        Item { name: "b_id", doc: "the same for b" },
        Item { name: "group_value", doc: "value of the column `by`; NULL without" },
    ],
    example: (
        "go1.26/gc",
        "select count(*) as pieces, sum(duration_ns) as paused_ns\n\
         from interval_intersect('gc_cycles', 'select * from stop_the_world where kind like ''GC%''')",
    ),
    reads: &[],
    run: |call, rows| meet(call, rows, true),
};

/// See its `doc`.
pub static JOIN: TableFunction = TableFunction {
    name: "interval_join",
    doc: "All pairs of an interval of one set and an interval of another that overlap, with the time they share. \
          Intervals of one set may overlap each other.",
    arguments: INTERSECT.arguments,
    required: 2,
    columns: INTERSECT.columns,
    example: (
        "go1.27/annotations",
        "select r.type, count(*) as waits\n\
         from interval_join('select id, start_ns, end_ns - start_ns as duration_ns, goroutine_id from regions',\n\
         \u{20}   'waits', 'goroutine_id') j\n\
         join regions r on r.id = j.a_id\n\
         group by r.type order by waits desc limit 3",
    ),
    reads: &[],
    run: |call, rows| meet(call, rows, false),
};

/// See its `doc`.
pub static UNION: TableFunction = TableFunction {
    name: "interval_union",
    doc: "The times that at least one of the intervals covers; intervals that overlap or touch become one.",
    arguments: &[A, BY],
    required: 1,
    columns: &[
        Item { name: "start_ns", doc: "when the first of them begins" },
        Item { name: "duration_ns", doc: "until the last of them ends" },
        Item { name: "intervals", doc: "how many became one" },
        Item { name: "group_value", doc: "value of the column `by`; NULL without" },
    ],
    example: (
        "go1.26/gc",
        "select count(*) as pieces, sum(duration_ns) as someone_assists_ns\n\
         from interval_union('select * from ranges where name = ''GC mark assist''')",
    ),
    reads: &[],
    run: |call, rows| {
        let mut set = Set::read(call, 0, 1)?;
        set.sort();
        let mut open: Option<(usize, i64, i64, i64)> = None;
        for one in &set.intervals {
            match &mut open {
                Some((group, _, end, count)) if *group == one.group && one.start <= *end => {
                    *end = one.end.max(*end);
                    *count += 1;
                }
                _ => {
                    if let Some(done) = open.replace((one.group, one.start, one.end, 1)) {
                        push_union(done, rows)?;
                    }
                }
            }
        }
        if let Some(done) = open {
            push_union(done, rows)?;
        }
        rows.keep(set.groups);
        Ok(())
    },
};

fn push_union((group, start, end, count): (usize, i64, i64, i64), rows: &mut Rows) -> Result<()> {
    rows.push([start.into(), (end - start).into(), count.into(), Cell::Other(group as u32)])
}

/// See its `doc`.
pub static OVERLAP_COUNT: TableFunction = TableFunction {
    name: "overlap_count",
    doc: "How many of the intervals are under way at the same time: a row for each span in which the number does \
          not change, from the first beginning to the last end.",
    arguments: &[A, BY],
    required: 1,
    columns: &[
        Item { name: "start_ns", doc: "when the span begins" },
        Item { name: "duration_ns", doc: "how long it lasts" },
        Item { name: "count", doc: "how many intervals are under way in it" },
        Item { name: "group_value", doc: "value of the column `by`; NULL without" },
    ],
    example: (
        "go1.27/sync",
        "select max(count) as most_waiters\n\
         from overlap_count('select * from lock_waits where wait_kind = ''mutex''')",
    ),
    reads: &[],
    run: |call, rows| {
        let set = Set::read(call, 0, 1)?;
        for (group, edges) in set.edges(&call.work)?.into_iter().enumerate() {
            let mut edges = edges.into_iter().peekable();
            let mut count = 0;
            while let Some((time, change)) = edges.next() {
                count += change;
                let next = match edges.peek() {
                    Some((next, _)) if *next == time => continue,
                    Some((next, _)) => *next,
                    None => break,
                };
                let value = Cell::Other(group as u32);
                rows.push([time.into(), (next - time).into(), count.into(), value])?;
            }
        }
        rows.keep(set.groups);
        Ok(())
    },
};

/// Where a step begins when a length is cut into equal steps.
pub fn step_border(length: i64, step: usize, steps: usize) -> i64 {
    (i128::from(length) * step as i128 / steps as i128) as i64
}

/// An interval of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    group: usize,
    pub start: i64,
    pub end: i64,
    /// Its column `id`, or its place.
    pub id: i64,
}

/// The intervals of a statement.
#[derive(Default)]
pub(super) struct Set {
    pub intervals: Vec<Interval>,
    /// Value of each group.
    groups: Vec<Value>,
    /// What errors call it.
    name: String,
}

/// A value as a key of groups: equal if SQLite finds them equal, and NULL with NULL.
fn key(value: ValueRef<'_>) -> Vec<u8> {
    match value {
        ValueRef::Null => vec![0],
        ValueRef::Integer(value) => [&[1][..], &value.to_le_bytes()].concat(),
        ValueRef::Real(value) => [&[2][..], &value.to_le_bytes()].concat(),
        ValueRef::Text(text) => [&[3][..], text].concat(),
        ValueRef::Blob(bytes) => [&[4][..], bytes].concat(),
    }
}

impl Set {
    /// Runs the statement of an argument; `by` is the index of the argument that names a column.
    pub fn read(call: &Call<'_>, argument: usize, by: usize) -> Result<Set> {
        let mut set = Set::default();
        let mut numbers = HashMap::new();
        set.add(call, argument, by, &mut numbers, None)?;
        Ok(set)
    }

    fn add(
        &mut self,
        call: &Call<'_>,
        argument: usize,
        by: usize,
        numbers: &mut HashMap<Vec<u8>, usize>,
        only: Option<&Cover>,
    ) -> Result<()> {
        let text = call.text(argument)?;
        let name = call.function.arguments[argument].name;
        self.name = format!("{}({name})", call.function.name);
        let by = if by < call.arguments.len() { call.optional_text(by)? } else { None };
        let mut statement = prepare(call, text)?;
        let column = |wanted: &str| statement.column_index(wanted).ok();
        let want = |wanted: &str| {
            column(wanted).ok_or_else(|| {
                refuse(format!("{}: the statement has no column {wanted}", self.name))
            })
        };
        let (start_at, duration_at) = (want("start_ns")?, want("duration_ns")?);
        let (id_at, by_at) = (column("id"), by.map(want).transpose()?);
        let mut rows = statement.raw_query();
        let mut number = 0;
        while let Some(row) = rows.next()? {
            number += 1;
            let id = match id_at {
                Some(at) => row.get::<_, Option<i64>>(at)?.unwrap_or(number),
                None => number,
            };
            call.work.step()?;
            let (Some(start), Some(duration)) = (time(row, start_at)?, time(row, duration_at)?)
            else {
                // Unknown when: it meets nothing.
                continue;
            };
            if duration < 0 {
                return Err(refuse(format!(
                    "{}: the interval with id {id} has duration_ns {duration}; it ends before it begins",
                    self.name
                )));
            }
            let end = sane(start.saturating_add(duration));
            if only.is_some_and(|cover| !cover.meets(start, end)) {
                continue;
            }
            let group = match by_at {
                Some(at) => {
                    let value = row.get_ref(at)?;
                    let key = key(value);
                    match numbers.get(&key) {
                        Some(&number) => number,
                        None => {
                            // A text is kept twice.
                            call.work.hold(2 * key.len() + size_of::<(Vec<u8>, usize)>() * 2)?;
                            self.groups.push(super::owned(value));
                            numbers.insert(key, self.groups.len() - 1);
                            self.groups.len() - 1
                        }
                    }
                }
                None => {
                    if self.groups.is_empty() {
                        self.groups.push(Value::Null);
                    }
                    0
                }
            };
            call.work.push(&mut self.intervals, Interval { group, start, end, id })?;
        }
        Ok(())
    }

    /// Puts them in order of groups and beginnings.
    pub fn sort(&mut self) {
        self.intervals.sort_unstable_by_key(|one| (one.group, one.start, one.end, one.id));
    }

    /// Fails if two intervals of one group overlap; they must be sorted.
    fn refuse_overlaps(&self) -> Result<()> {
        let Some(pair) = self
            .intervals
            .windows(2)
            .find(|pair| pair[0].group == pair[1].group && pair[1].start < pair[0].end)
        else {
            return Ok(());
        };
        let show = |one: &Interval| {
            format!("id {} (start_ns {}, duration_ns {})", one.id, one.start, one.end - one.start)
        };
        Err(refuse(format!(
            "{}: intervals of one set must not overlap, but {} and {} do; interval_union makes such a \
             set fit, interval_join allows it",
            self.name,
            show(&pair[0]),
            show(&pair[1])
        )))
    }

    /// For each group its beginnings and ends in order of time, ends first, with the change of the
    /// number under way.
    fn edges(&self, work: &Work) -> Result<Vec<Vec<(i64, i64)>>> {
        work.hold(self.groups.len() * size_of::<Vec<(i64, i64)>>())?;
        let mut groups: Vec<Vec<(i64, i64)>> = vec![Vec::new(); self.groups.len()];
        for one in &self.intervals {
            work.extend(&mut groups[one.group], [(one.start, 1), (one.end, -1)])?;
        }
        groups.iter_mut().for_each(|edges| edges.sort_unstable());
        Ok(groups)
    }
}

/// Start and end of each interval of an argument.
pub(super) fn each_interval(
    call: &Call<'_>,
    argument: usize,
    mut take: impl FnMut(i64, i64) -> Result<()>,
) -> Result<()> {
    let mut statement = prepare(call, call.text(argument)?)?;
    let want = |wanted: &str| {
        statement.column_index(wanted).map_err(|_| {
            refuse(format!("{}: the statement has no column {wanted}", call.function.name))
        })
    };
    let (start_at, duration_at) = (want("start_ns")?, want("duration_ns")?);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if let (Some(start), Some(duration)) = (time(row, start_at)?, time(row, duration_at)?) {
            take(start, sane(start.saturating_add(duration.max(0))))?;
        }
    }
    Ok(())
}

/// The times that any interval of a set covers.
pub(super) struct Cover(Vec<(i64, i64)>);

impl Cover {
    pub fn new(set: &Set, work: &Work) -> Result<Cover> {
        let mut spans: Vec<(i64, i64)> = Vec::new();
        work.room(&mut spans, set.intervals.len())?;
        spans.extend(set.intervals.iter().map(|one| (one.start, one.end)));
        spans.sort_unstable();
        spans.dedup_by(|next, last| {
            let is_one = next.0 <= last.1;
            if is_one {
                last.1 = last.1.max(next.1);
            }
            is_one
        });
        Ok(Cover(spans))
    }

    /// Whether any of them lies between two moments.
    pub fn meets(&self, start: i64, end: i64) -> bool {
        let first = self.0.partition_point(|span| span.1 <= start);
        self.0.get(first).is_some_and(|span| span.0 < end)
    }
}

pub(super) fn prepare<'a>(call: &Call<'a>, text: &str) -> Result<Statement<'a>> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let sql = if is_name { format!("select * from {text}") } else { text.to_owned() };
    let statement = call.connection.prepare(&sql)?;
    if statement.column_count() == 0 || !statement.readonly() {
        return Err(refuse(format!("{}: want a SELECT, got: {text}", call.function.name)));
    }
    Ok(statement)
}

pub(super) fn time(row: &Row<'_>, at: usize) -> Result<Option<i64>> {
    match row.get_ref(at)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(value) => Ok(Some(sane(value))),
        ValueRef::Real(value) => Ok(Some(sane(value.round() as i64))),
        _ => Err(refuse(format!(
            "want a number of nanoseconds as {}, got a text or blob",
            row.as_ref().column_name(at)?
        ))),
    }
}

/// Pairs the intervals of two sets that overlap.
fn meet(call: &Call<'_>, rows: &mut Rows, is_strict: bool) -> Result<()> {
    let mut numbers = HashMap::new();
    let mut a = Set::default();
    a.add(call, 0, 2, &mut numbers, None)?;
    // Both count groups alike.
    let mut b = Set { groups: a.groups.clone(), ..Set::default() };
    // Where overlaps are no error, what meets nothing need not be kept: b may be all states of a trace.
    let cover = Cover::new(&a, &call.work)?;
    b.add(call, 1, 2, &mut numbers, if is_strict { None } else { Some(&cover) })?;
    for set in [&mut a, &mut b] {
        set.sort();
        if is_strict {
            set.refuse_overlaps()?;
        }
    }
    // Those of b that may still be under way, by group order.
    let mut active: Vec<Interval> = Vec::new();
    let mut next = 0;
    for one in &a.intervals {
        call.work.steps(1 + active.len())?;
        active.retain(|other| other.group == one.group && other.end > one.start);
        while let Some(&other) = b.intervals.get(next) {
            if (other.group, other.start) >= (one.group, one.end) {
                break;
            }
            next += 1;
            if other.group == one.group && other.end > one.start {
                call.work.push(&mut active, other)?;
            }
        }
        for other in active.iter().filter(|other| other.start < one.end) {
            let (start, end) = (one.start.max(other.start), one.end.min(other.end));
            if start < end {
                rows.push([
                    start.into(),
                    (end - start).into(),
                    one.id.into(),
                    other.id.into(),
                    Cell::Other(one.group as u32),
                ])?;
            }
        }
    }
    rows.keep(b.groups);
    Ok(())
}
