//! SQL functions of gotrace's own connections.

mod declared;
mod histogram;
mod owners;
mod pprof;

pub use declared::{FUNCTIONS, Function};

use super::StoreError;
use super::tables;
use crate::model::stack_pattern::{StackPattern, glob};
use crate::model::wait_kinds::package_of;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};
use std::sync::{Arc, Mutex, MutexGuard};

/// Packages whose frames say how something waits rather than where the program does.
const PLUMBING: &[&str] = &[
    "runtime",
    "internal/",
    "sync",
    "syscall",
    "os",
    "net",
    "io",
    "bufio",
    "time",
    "reflect",
    "iter",
];

/// Makes the functions forget what they have read of states: others are looked at from here on.
pub fn forget_states(connection: &Connection) -> Result<()> {
    owners::register(connection)
}

/// What all functions promise: same arguments, same value, and nothing else happens.
fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS
}

/// An error with a text for users.
fn refuse(text: impl Into<String>) -> Error {
    Error::UserFunctionError(text.into().into())
}

/// Adds the functions to a connection.
pub fn register(connection: &Connection) -> std::result::Result<(), StoreError> {
    let flags = flags();
    connection.create_scalar_function("human_ns", 1, flags, |context| {
        Ok(context.get::<Option<i64>>(0)?.map(human_ns))
    })?;
    connection.create_aggregate_function("percentile", 2, flags, Percentile)?;
    let stacks = Stacks::default();
    for (name, view) in [
        ("stack", View::Whole),
        ("stack_leaf", View::Leaf),
        ("stack_root", View::Root),
        ("stack_user", View::User),
        ("stack_call", View::Call),
    ] {
        let stacks = stacks.clone();
        connection
            .create_scalar_function(name, 1, flags, move |context| stacks.show(context, view))?;
    }
    connection
        .create_scalar_function("stack_match", 2, flags, move |context| stacks.matches(context))?;
    // Not deterministic for SQLite: it depends on the tables too.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("state_at", 2, flags, |context| {
        let goid = context.get::<Option<i64>>(0)?;
        let time_ns = context.get::<Option<i64>>(1)?;
        let (Some(goid), Some(time_ns)) = (goid, time_ns) else { return Ok(None) };
        // SAFETY: as in `Stacks::loaded`.
        let connection = unsafe { context.get_connection()? };
        tables::state_at(&connection, goid, time_ns)
    })?;
    owners::register(connection)?;
    histogram::register(connection)?;
    pprof::register(connection)?;
    tables::register(connection)
}

/// A duration for people: three significant digits and a unit, as `1.25ms`.
pub fn human_ns(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let size = ns.unsigned_abs();
    let (value, unit) = match size {
        0..1_000 => return format!("{sign}{size}ns"),
        1_000..999_500 => (size as f64 / 1e3, "µs"),
        999_500..999_500_000 => (size as f64 / 1e6, "ms"),
        _ => (size as f64 / 1e9, "s"),
    };
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{sign}{value:.digits$}{unit}")
}

/// A number of bytes for people.
pub fn human_bytes(bytes: f64) -> String {
    let (value, unit) = match bytes.abs() {
        size if size < 1024.0 => return format!("{bytes:.0}B"),
        size if size < 1024.0 * 1024.0 => (bytes / 1024.0, "KiB"),
        size if size < 1024.0 * 1024.0 * 1024.0 => (bytes / (1024.0 * 1024.0), "MiB"),
        _ => (bytes / (1024.0 * 1024.0 * 1024.0), "GiB"),
    };
    format!("{value:.1}{unit}")
}

/// `percentile(x, p)`: the smallest value of which at least the share `p` (0 to 1) of all values
/// is not greater. NULLs are left out; without any value the result is NULL.
struct Percentile;

#[derive(Default)]
struct Values {
    integers: Vec<i64>,
    reals: Vec<f64>,
    share: f64,
}

impl Aggregate<Values, Value> for Percentile {
    fn init(&self, _: &mut Context<'_>) -> Result<Values> {
        Ok(Values::default())
    }

    fn step(&self, context: &mut Context<'_>, values: &mut Values) -> Result<()> {
        values.share = context.get(1)?;
        if !(0.0..=1.0).contains(&values.share) {
            return Err(Error::UserFunctionError(
                "percentile: the second argument is a share between 0 and 1, such as 0.99".into(),
            ));
        }
        match context.get_raw(0) {
            ValueRef::Null => {}
            ValueRef::Integer(value) => values.integers.push(value),
            ValueRef::Real(value) => values.reals.push(value),
            _ => return Err(Error::UserFunctionError("percentile: want numbers".into())),
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, values: Option<Values>) -> Result<Value> {
        let Some(mut values) = values else { return Ok(Value::Null) };
        if values.reals.is_empty() {
            let rank = nearest_rank(values.integers.len(), values.share);
            return Ok(match rank {
                Some(rank) => Value::Integer(*values.integers.select_nth_unstable(rank).1),
                None => Value::Null,
            });
        }
        let mut all = values.reals;
        all.extend(values.integers.iter().map(|&value| value as f64));
        Ok(match nearest_rank(all.len(), values.share) {
            Some(rank) => Value::Real(*all.select_nth_unstable_by(rank, f64::total_cmp).1),
            None => Value::Null,
        })
    }
}

/// Place of the value of which at least this share of all is not greater; `None` if there is none.
pub fn nearest_rank(count: usize, share: f64) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(((share * count as f64).ceil() as usize).saturating_sub(1).min(last))
}

#[derive(Clone, Copy)]
enum View {
    Whole,
    Leaf,
    Root,
    User,
    Call,
}

/// The stacks of the database, read when a function first asks for one.
#[derive(Clone, Default)]
struct Stacks(Arc<Mutex<Option<Loaded>>>);

struct Loaded {
    /// By stack id - 1: range of `frames`.
    stacks: Vec<(usize, usize)>,
    /// Function name, file and line.
    frames: Vec<u32>,
    distinct: Vec<(u32, i64)>,
    functions: Vec<(String, String)>,
    /// The pattern asked for last, with what is known about functions and stacks.
    pattern: Option<KnownPattern>,
}

struct KnownPattern {
    text: String,
    pattern: StackPattern,
    words: Vec<String>,
    /// By function and word: 0 not compared yet, 1 does not fit, 2 fits.
    fits: Vec<u8>,
    /// By stack, likewise.
    matches: Vec<u8>,
}

impl Stacks {
    fn loaded(&self, context: &Context<'_>) -> Result<MutexGuard<'_, Option<Loaded>>> {
        let mut guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if guard.is_none() {
            // SAFETY: the connection is only used to read tables, inside this call; it is not
            // kept, closed or handed on.
            let connection = unsafe { context.get_connection()? };
            *guard = Some(Loaded::read(&connection)?);
        }
        Ok(guard)
    }

    fn matches(&self, context: &Context<'_>) -> Result<Option<bool>> {
        let Some(id) = context.get::<Option<i64>>(0)? else { return Ok(None) };
        let Some(text) = context.get::<Option<String>>(1)? else { return Ok(None) };
        let mut guard = self.loaded(context)?;
        guard.as_mut().expect("filled by loaded()").matches(id, &text)
    }

    fn show(&self, context: &Context<'_>, view: View) -> Result<Option<String>> {
        let Some(id) = context.get::<Option<i64>>(0)? else { return Ok(None) };
        let mut guard = self.loaded(context)?;
        let loaded = guard.as_mut().expect("filled by loaded()");
        let index = usize::try_from(id - 1).unwrap_or(usize::MAX);
        let Some(&(start, end)) = loaded.stacks.get(index) else { return Ok(None) };
        let frames = &loaded.frames[start..end];
        let name = |&frame: &u32| {
            let (function, _) = loaded.distinct[frame as usize];
            loaded.functions[function as usize].0.clone()
        };
        Ok(match view {
            View::Whole => Some(loaded.text(frames)),
            View::Leaf => frames.first().map(name),
            View::Root => frames.last().map(name),
            View::Call => loaded.call(frames),
            View::User => {
                frames.iter().map(name).find(|name| !is_plumbing(name)).or(frames.first().map(name))
            }
        })
    }
}

impl Loaded {
    fn read(connection: &Connection) -> Result<Loaded> {
        let mut statement = connection.prepare("select name, file from functions order by id")?;
        let functions = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(String, String)>>>()?;
        let mut statement =
            connection.prepare("select function_id, line from frames order by id")?;
        let distinct = statement
            .query_map([], |row| Ok((row.get::<_, u32>(0)?.saturating_sub(1), row.get(1)?)))?
            .collect::<Result<Vec<(u32, i64)>>>()?;
        let mut statement =
            connection.prepare("select frame_id from raw_stack_frames order by id")?;
        let frames = statement
            .query_map([], |row| Ok(row.get::<_, u32>(0)?.saturating_sub(1)))?
            .collect::<Result<Vec<u32>>>()?;
        let mut statement =
            connection.prepare("select first_frame, depth from stacks order by id")?;
        let stacks = statement
            .query_map([], |row| {
                let first = row.get::<_, usize>(0)?.saturating_sub(1);
                Ok((first, first.saturating_add(row.get::<_, usize>(1)?)))
            })?
            .collect::<Result<Vec<(usize, usize)>>>()?;
        let is_sound = stacks.iter().all(|&(start, end)| start <= end && end <= frames.len())
            && frames.iter().all(|&frame| (frame as usize) < distinct.len())
            && distinct.iter().all(|&(function, _)| (function as usize) < functions.len());
        if !is_sound {
            return Err(Error::UserFunctionError("the stacks of this database are damaged".into()));
        }
        Ok(Loaded { stacks, frames, distinct, functions, pattern: None })
    }

    fn name(&self, frame: u32) -> &str {
        &self.functions[self.distinct[frame as usize].0 as usize].0
    }

    /// The function that makes the system call at a stack.
    fn call(&self, frames: &[u32]) -> Option<String> {
        let names = || frames.iter().map(|&frame| self.name(frame));
        let run = names().take_while(|name| is_of_system_calls(name)).count();
        let last = frames[..run].last().map(|&frame| self.name(frame));
        match last {
            // A call of C code is made by the function that stands for it.
            Some(name) if package_of(name) == "runtime" => names().nth(run).or(Some(name)),
            Some(name) => Some(name),
            None => names().next(),
        }
        .map(String::from)
    }

    fn matches(&mut self, id: i64, text: &str) -> Result<Option<bool>> {
        let index = usize::try_from(id - 1).unwrap_or(usize::MAX);
        let Some(&(start, end)) = self.stacks.get(index) else { return Ok(None) };
        let mut known = match self.pattern.take() {
            Some(known) if known.text == text => known,
            _ => {
                let pattern = StackPattern::parse(text)
                    .map_err(|error| refuse(format!("stack_match: {error}")))?;
                let words: Vec<String> = pattern.words().map(String::from).collect();
                KnownPattern {
                    text: text.into(),
                    fits: vec![0; self.functions.len() * words.len()],
                    matches: vec![0; self.stacks.len()],
                    pattern,
                    words,
                }
            }
        };
        if known.matches[index] == 0 {
            let frames = &self.frames[start..end];
            let KnownPattern { pattern, words, fits, .. } = &mut known;
            let is_match = pattern.matches(frames.len(), |word, depth| {
                let function = self.distinct[frames[frames.len() - 1 - depth] as usize].0 as usize;
                let fit = &mut fits[function * words.len() + word];
                if *fit == 0 {
                    *fit = 1 + u8::from(glob(&words[word], &self.functions[function].0));
                }
                *fit == 2
            });
            known.matches[index] = 1 + u8::from(is_match);
        }
        let is_match = known.matches[index] == 2;
        self.pattern = Some(known);
        Ok(Some(is_match))
    }

    fn text(&self, frames: &[u32]) -> String {
        let mut text = String::new();
        for &frame in frames {
            let (function, line) = self.distinct[frame as usize];
            let (name, file) = &self.functions[function as usize];
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{name}\n\t{file}:{line}"));
        }
        text
    }
}

/// Whether a function belongs to the runtime or only makes system calls.
fn is_of_system_calls(name: &str) -> bool {
    let package = package_of(name);
    matches!(package, "runtime" | "syscall")
        || ["internal/syscall/", "internal/runtime/", "runtime/internal/", "golang.org/x/sys/"]
            .iter()
            .any(|root| package.starts_with(root))
}

/// Whether a function belongs to the runtime or to what stands between it and the program.
fn is_plumbing(name: &str) -> bool {
    let package = package_of(name);
    PLUMBING.iter().any(|plumbing| match plumbing.strip_suffix('/') {
        Some(root) => package == root || package.starts_with(plumbing),
        None => {
            package == *plumbing
                || (package.starts_with(plumbing)
                    && package[plumbing.len()..].starts_with('/')
                    && *plumbing != "net")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_the_right_unit() {
        for (ns, want) in [
            (0, "0ns"),
            (999, "999ns"),
            (1_000, "1.00µs"),
            (12_345, "12.3µs"),
            (999_499, "999µs"),
            (999_500, "1.00ms"),
            (250_000_000, "250ms"),
            (1_500_000_000, "1.50s"),
            (75_000_000_000, "75.0s"),
            (-2_500_000, "-2.50ms"),
            (i64::MIN, "-9223372037s"),
        ] {
            assert_eq!(human_ns(ns), want);
        }
    }

    #[test]
    fn percentiles_are_nearest_ranks_and_ignore_null() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let ask = |sql: &str| -> Result<Value> { connection.query_row(sql, [], |row| row.get(0)) };
        let values = "from (values (1), (2), (3), (4), (null))";
        assert_eq!(
            ask(&format!("select percentile(column1, 0.5) {values}")).unwrap(),
            Value::Integer(2)
        );
        assert_eq!(
            ask(&format!("select percentile(column1, 0.99) {values}")).unwrap(),
            Value::Integer(4)
        );
        assert_eq!(
            ask(&format!("select percentile(column1, 0) {values}")).unwrap(),
            Value::Integer(1)
        );
        assert_eq!(ask("select percentile(1, 0.5) where 0").unwrap(), Value::Null);
        assert!(
            ask("select percentile(1, 99)").unwrap_err().to_string().contains("between 0 and 1")
        );
    }

    #[test]
    fn plumbing_is_told_from_programs_by_package() {
        for name in [
            "runtime.gopark",
            "internal/poll.(*FD).Read",
            "sync.(*Mutex).Lock",
            "sync/atomic.x",
            "net.(*conn).Read",
        ] {
            assert!(is_plumbing(name), "{name}");
        }
        for name in ["main.main", "net/http.(*conn).serve", "github.com/x/sync.Do", "synthetic.F"] {
            assert!(!is_plumbing(name), "{name}");
        }
    }
}
