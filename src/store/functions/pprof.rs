//! `pprof(stack_id, type, unit, value, ...)`: any query as a profile.

use super::{integer, refuse, refuse_call, text};
use crate::profile::{Builder, Frame, LabelSet};
use crate::store::budget::{Budget, Work};
use indexmap::IndexMap;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::{Connection, Result};
use rustc_hash::FxBuildHasher;

/// Most values of a sample.
const MAX_VALUES: usize = 8;

/// Adds the function to a connection.
pub fn register(connection: &Connection, budget: &Budget) -> Result<()> {
    // Not deterministic for SQLite: it depends on the tables too.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("pprof", -1, flags, Pprof(budget.clone()))
}

struct Pprof(Budget);

/// What has been added up so far.
struct Sums {
    work: Work,
    /// Name and unit of each value, as the first row tells them.
    types: Vec<(String, String)>,
    /// By stack; `None` for rows without one.
    stacks: IndexMap<Option<i64>, [i64; MAX_VALUES], FxBuildHasher>,
}

impl Sums {
    fn add(&mut self, context: &Context<'_>) -> Result<()> {
        let count = context.len();
        if count < 4 || !(count - 1).is_multiple_of(3) || count > 1 + 3 * MAX_VALUES {
            return Err(refuse_call(
                "pprof",
                "want a stack, and one to eight times type, unit and value, as in \
                 pprof(stack_id, 'delay', 'nanoseconds', duration_ns)",
            ));
        }
        if self.types.is_empty() {
            for at in (1..count).step_by(3) {
                let word = |at| {
                    let word = text(context, "pprof", at)?;
                    word.ok_or_else(|| refuse_call("pprof", "type and unit are texts, not NULL"))
                };
                self.types.push((word(at)?, word(at + 1)?));
            }
        }
        let stack = integer(context, "pprof", 0)?;
        if self.stacks.len() == self.stacks.capacity() {
            // The bytes of an entry, and those of its place in the profile to come.
            self.work.hold(self.stacks.capacity().max(4).saturating_mul(400))?;
        }
        let sums = self.stacks.entry(stack).or_insert([0; MAX_VALUES]);
        for (sum, at) in sums.iter_mut().zip((3..count).step_by(3)) {
            // A NULL adds nothing: it is unknown how much it would be.
            if let Some(value) = integer(context, "pprof", at)? {
                *sum = sum.saturating_add(value);
            }
        }
        Ok(())
    }

    fn write(mut self, connection: &Connection) -> Result<Vec<u8>> {
        let types: Vec<(&str, &str)> =
            self.types.iter().map(|(kind, unit)| (kind.as_str(), unit.as_str())).collect();
        let mut builder = Builder::new(&types);
        builder.period("trace", "count", 1);
        set_time(&mut builder, connection)?;
        let mut frames = connection.prepare(
            "select function, file, line, pc from stack_frames where stack_id = ? order by position",
        )?;
        self.stacks.sort_unstable_keys();
        let mut stack = Vec::new();
        for (id, sums) in &self.stacks {
            stack.clear();
            self.work.step()?;
            let mut rows = frames.query([id])?;
            while let Some(row) = rows.next()? {
                let text = |column| -> Result<String> { row.get(column) };
                let (function, file) = (text(0)?, text(1)?);
                let pc = row.get::<_, i64>(3)? as u64;
                let frame = Frame { function: &function, file: &file, line: row.get(2)?, pc };
                self.work.push(&mut stack, builder.frame(&frame))?;
            }
            builder.add(&stack, LabelSet::EMPTY, &sums[..types.len()]);
        }
        let mut bytes = Vec::new();
        let written = builder.finish().write_packed(&mut bytes);
        written.map_err(|error| refuse(format!("pprof: {error}")))?;
        Ok(bytes)
    }
}

/// Sets when and for how long, if the database holds one trace.
fn set_time(builder: &mut Builder, connection: &Connection) -> Result<()> {
    let sql = "select count(*), max(start_unix_ns), max(duration_ns) from traces";
    let (traces, start, duration): (i64, Option<i64>, Option<i64>) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if traces == 1 {
        builder.time(start.unwrap_or(0), duration.unwrap_or(0));
    }
    Ok(())
}

impl Aggregate<Sums, Option<Vec<u8>>> for Pprof {
    fn init(&self, _: &mut Context<'_>) -> Result<Sums> {
        Ok(Sums { work: self.0.work(), types: Vec::new(), stacks: IndexMap::default() })
    }

    fn step(&self, context: &mut Context<'_>, sums: &mut Sums) -> Result<()> {
        sums.add(context)
    }

    fn finalize(&self, context: &mut Context<'_>, sums: Option<Sums>) -> Result<Option<Vec<u8>>> {
        let Some(sums) = sums else { return Ok(None) };
        // SAFETY: the connection is only used to read tables, inside this call; it is not kept,
        // closed or handed on.
        let connection = unsafe { context.get_connection()? };
        sums.write(&connection).map(Some)
    }
}
