//! SQL functions of gotrace's own connections.

mod declared;
mod histogram;
mod owners;
mod pprof;

pub use declared::{FUNCTIONS, Function};

use super::StoreError;
use super::budget::{Budget, Work};
use super::human::human_ns;
use super::rank::nearest_rank;
use super::tables;
use crate::model::stack_pattern::{StackPattern, glob};
use crate::model::wait_kinds::package_of;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result, Row};
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

/// Longest text of a stack, bytes: as long as a value may be by default. Stacks of 100,000 frames have a tenth.
const MAX_STACK_BYTES: usize = 64 << 20;

/// Makes the functions forget what they have read of states: others are looked at from here on.
pub fn forget_states(connection: &Connection, budget: &Budget) -> Result<()> {
    owners::register(connection, budget)
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

/// An error that shows how a function is called.
fn refuse_call(name: &str, what: &str) -> Error {
    let arguments = FUNCTIONS.iter().find(|function| function.name == name);
    refuse(format!("{name}({}): {what}", arguments.map_or("", |one| one.arguments)))
}

/// An argument that is a number, rounded if it is not whole; `None` for NULL.
fn integer(context: &Context<'_>, name: &str, at: usize) -> Result<Option<i64>> {
    match context.get_raw(at) {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(value) => Ok(Some(value)),
        ValueRef::Real(value) => Ok(Some(value.round() as i64)),
        other => Err(refuse_call(name, &wanted("a number", at, other))),
    }
}

/// An argument that is a text; `None` for NULL.
fn text(context: &Context<'_>, name: &str, at: usize) -> Result<Option<String>> {
    match context.get_raw(at) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => Ok(Some(String::from_utf8_lossy(text).into_owned())),
        other => Err(refuse_call(name, &wanted("a text", at, other))),
    }
}

/// What is wrong with an argument.
fn wanted(what: &str, at: usize, got: ValueRef<'_>) -> String {
    let got = match got {
        ValueRef::Text(text) => {
            format!("the text '{:.40}'", String::from_utf8_lossy(&text[..text.len().min(160)]))
        }
        ValueRef::Blob(_) => "a blob".into(),
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(_) | ValueRef::Real(_) => "a number".into(),
    };
    format!("want {what} as argument {}, got {got}", at + 1)
}

/// Adds the functions to a connection.
pub fn register(connection: &Connection, budget: &Budget) -> std::result::Result<(), StoreError> {
    let flags = flags();
    connection.create_scalar_function("human_ns", 1, flags, |context| {
        Ok(integer(context, "human_ns", 0)?.map(human_ns))
    })?;
    connection.create_aggregate_function("percentile", 2, flags, Percentile(budget.clone()))?;
    let stacks = Stacks { loaded: Arc::default(), budget: budget.clone() };
    for (name, view) in [
        ("stack", View::Whole),
        ("stack_leaf", View::Leaf),
        ("stack_root", View::Root),
        ("stack_user", View::User),
        ("stack_call", View::Call),
    ] {
        let stacks = stacks.clone();
        connection.create_scalar_function(name, 1, flags, move |c| stacks.show(c, name, view))?;
    }
    connection
        .create_scalar_function("stack_match", 2, flags, move |context| stacks.matches(context))?;
    // Not deterministic for SQLite: it depends on the tables too.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("state_at", 2, flags, |context| {
        let goid = integer(context, "state_at", 0)?;
        let time_ns = integer(context, "state_at", 1)?;
        let (Some(goid), Some(time_ns)) = (goid, time_ns) else { return Ok(None) };
        // SAFETY: as in `Stacks::loaded`.
        let connection = unsafe { context.get_connection()? };
        tables::state_at(&connection, goid, time_ns)
    })?;
    owners::register(connection, budget)?;
    histogram::register(connection)?;
    pprof::register(connection, budget)?;
    tables::register(connection, budget)
}

/// `percentile(x, p)`: the smallest value of which at least the share `p` (0 to 1) of all values
/// is not greater. NULLs are left out; without any value the result is NULL.
struct Percentile(Budget);

struct Values {
    work: Work,
    integers: Vec<i64>,
    reals: Vec<f64>,
    share: f64,
}

impl Aggregate<Values, Value> for Percentile {
    fn init(&self, _: &mut Context<'_>) -> Result<Values> {
        let work = self.0.work();
        Ok(Values { work, integers: Vec::new(), reals: Vec::new(), share: 0.0 })
    }

    fn step(&self, context: &mut Context<'_>, values: &mut Values) -> Result<()> {
        let share = match context.get_raw(1) {
            ValueRef::Integer(value) => value as f64,
            ValueRef::Real(value) => value,
            other => return Err(refuse_call("percentile", &wanted("a share", 1, other))),
        };
        if !(0.0..=1.0).contains(&share) {
            let what = "p is a share between 0 and 1, such as 0.99";
            return Err(refuse_call("percentile", what));
        }
        values.share = share;
        match context.get_raw(0) {
            ValueRef::Null => Ok(()),
            ValueRef::Integer(value) => values.work.push(&mut values.integers, value),
            ValueRef::Real(value) => values.work.push(&mut values.reals, value),
            other => Err(refuse_call("percentile", &wanted("a number", 0, other))),
        }
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
        values.work.room(&mut all, values.integers.len())?;
        all.extend(values.integers.iter().map(|&value| value as f64));
        Ok(match nearest_rank(all.len(), values.share) {
            Some(rank) => Value::Real(*all.select_nth_unstable_by(rank, f64::total_cmp).1),
            None => Value::Null,
        })
    }
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
#[derive(Clone)]
struct Stacks {
    loaded: Arc<Mutex<Option<Loaded>>>,
    budget: Budget,
}

struct Loaded {
    /// Holds the memory for all this.
    work: Work,
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
        let mut guard = self.loaded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if guard.is_none() {
            // SAFETY: the connection is only used to read tables, inside this call; it is not
            // kept, closed or handed on.
            let connection = unsafe { context.get_connection()? };
            *guard = Some(Loaded::read(&connection, self.budget.work())?);
        }
        Ok(guard)
    }

    fn matches(&self, context: &Context<'_>) -> Result<Option<bool>> {
        let Some(id) = integer(context, "stack_match", 0)? else { return Ok(None) };
        let Some(text) = text(context, "stack_match", 1)? else { return Ok(None) };
        let mut guard = self.loaded(context)?;
        guard.as_mut().expect("filled by loaded()").matches(id, &text)
    }

    fn show(&self, context: &Context<'_>, function: &str, view: View) -> Result<Option<String>> {
        let Some(id) = integer(context, function, 0)? else { return Ok(None) };
        let mut guard = self.loaded(context)?;
        let loaded = guard.as_mut().expect("filled by loaded()");
        let index = usize::try_from(id.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(&(start, end)) = loaded.stacks.get(index) else { return Ok(None) };
        let frames = &loaded.frames[start..end];
        let name = |&frame: &u32| {
            let (function, _) = loaded.distinct[frame as usize];
            loaded.functions[function as usize].0.clone()
        };
        Ok(match view {
            View::Whole => Some(loaded.text(frames)?),
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
    fn read(connection: &Connection, work: Work) -> Result<Loaded> {
        let each = |sql: &str, take: &mut dyn FnMut(&Row<'_>) -> Result<()>| {
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                take(row)?;
            }
            Ok::<_, Error>(())
        };
        let (mut functions, mut distinct) = (Vec::<(String, String)>::new(), Vec::new());
        each("select name, file from functions order by id", &mut |row| {
            let (name, file): (String, String) = (row.get(0)?, row.get(1)?);
            work.hold(name.len() + file.len())?;
            work.push(&mut functions, (name, file))
        })?;
        each("select function_id, line from frames order by id", &mut |row| {
            work.push(&mut distinct, (row.get::<_, u32>(0)?.saturating_sub(1), row.get(1)?))
        })?;
        let (mut frames, mut stacks) = (Vec::new(), Vec::new());
        each("select frame_id from raw_stack_frames order by id", &mut |row| {
            work.push(&mut frames, row.get::<_, u32>(0)?.saturating_sub(1))
        })?;
        each("select first_frame, depth from stacks order by id", &mut |row| {
            let first = row.get::<_, usize>(0)?.saturating_sub(1);
            work.push(&mut stacks, (first, first.saturating_add(row.get::<_, usize>(1)?)))
        })?;
        let is_sound = stacks.iter().all(|&(start, end)| start <= end && end <= frames.len())
            && frames.iter().all(|&frame| (frame as usize) < distinct.len())
            && distinct.iter().all(|&(function, _)| (function as usize) < functions.len());
        if !is_sound {
            return Err(Error::UserFunctionError("the stacks of this database are damaged".into()));
        }
        Ok(Loaded { work, stacks, frames, distinct, functions, pattern: None })
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
        let index = usize::try_from(id.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(&(start, end)) = self.stacks.get(index) else { return Ok(None) };
        let mut known = match self.pattern.take() {
            Some(known) if known.text == text => known,
            _ => {
                let pattern = StackPattern::parse(text)
                    .map_err(|error| refuse(format!("stack_match: {error}")))?;
                let words: Vec<String> = pattern.words().map(String::from).collect();
                self.work.hold(self.functions.len().saturating_mul(words.len()))?;
                self.work.hold(self.stacks.len())?;
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

    fn text(&self, frames: &[u32]) -> Result<String> {
        let mut text = String::new();
        for &frame in frames {
            if text.len() > MAX_STACK_BYTES {
                let what = format!("the text is longer than {MAX_STACK_BYTES} bytes");
                return Err(refuse_call("stack", &what));
            }
            let (function, line) = self.distinct[frame as usize];
            let (name, file) = &self.functions[function as usize];
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{name}\n\t{file}:{line}"));
        }
        Ok(text)
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
        register(&connection, &Budget::new()).unwrap();
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
