//! What is run on an input, and what must hold of the result.

use super::committed::damage::is_v1;
use super::committed::databases;
use super::committed::examine::examine;
use super::committed::{invariants, load_file, load_in_memory, source_of, violations};
use gotrace::diagnostic::{Diagnostic, Diagnostics};
use gotrace::export::write_wire_text;
use gotrace::source::RandomAccess;
use gotrace::store::{Database, Limits, Rows};
use gotrace::wire::header::HEADER_LEN;
use gotrace::wire::parse_header;
use gotrace::wire::v1::{self, Scan, WireEvent};
use gotrace::wire::v2::raw::RawReader;
use gotrace::wire::v2::spec::{MAX_ARGS, MAX_BATCH_SIZE};
use gotrace::wire::v2::{self, Reader, parse_text};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// Something an input showed, as a hash.
pub type Feature = u64;

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Framing and decoding of v1.
    WireV1,
    /// Framing and decoding of v2, generation by generation and event by event.
    WireV2,
    /// Either format into the model and into text.
    Pipeline,
    /// The text form into a trace, and that into the model.
    Text,
    /// A database written page by page against one written by INSERT.
    Store,
    /// A profile, read, reported on and written.
    Profile,
    /// A database, damaged as the input says, and asked everything.
    Database,
}

/// What an input showed.
#[derive(Default)]
struct Seen(HashSet<Feature>);

impl Seen {
    fn note(&mut self, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.0.insert(hasher.finish());
    }

    /// Which kinds of events there were, and how many.
    fn note_kinds(&mut self, kinds: &[bool; 256]) {
        let there = (0..kinds.len()).filter(|&kind| kinds[kind]);
        let count = there.map(|kind| self.note(("kind", kind))).count();
        self.note(("kinds", count));
    }

    /// The size of a count, by powers of two.
    fn note_size(&mut self, name: &str, count: u64) {
        self.note((name, 64 - count.leading_zeros()));
    }

    fn note_diagnostics<'a>(&mut self, all: impl Iterator<Item = &'a Diagnostic>) {
        for one in all {
            // Numbers make messages differ that say the same.
            let words: String = one.message.chars().filter(|c| !c.is_ascii_digit()).collect();
            self.note((one.code, words.get(..words.len().min(60))));
        }
    }
}

impl Target {
    pub const ALL: [Target; 7] = [
        Target::WireV1,
        Target::WireV2,
        Target::Pipeline,
        Target::Text,
        Target::Store,
        Target::Profile,
        Target::Database,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Target::WireV1 => "wire-v1",
            Target::WireV2 => "wire-v2",
            Target::Pipeline => "pipeline",
            Target::Text => "text",
            Target::Store => "store",
            Target::Profile => "profile",
            Target::Database => "database",
        }
    }

    pub fn find(name: &str) -> Result<Target, String> {
        let names = Target::ALL.map(Target::name).join(", ");
        Target::ALL
            .into_iter()
            .find(|target| target.name() == name)
            .ok_or(format!("no target {name}; there are {names}"))
    }

    /// Most memory that is spent whatever the length of the input, bytes.
    pub fn heap_base(self) -> usize {
        let asked = match self {
            Target::Database => 2 * databases::LIMITS.memory as usize,
            _ => 0,
        };
        (48 << 20) + asked
    }

    /// Whether a trace is a seed.
    pub fn takes(self, trace: &[u8]) -> bool {
        match self {
            Target::WireV1 => is_v1(trace),
            Target::WireV2 => !is_v1(trace),
            Target::Text => !is_v1(trace) && trace.len() < 20_000,
            Target::Store | Target::Database => trace.len() < 20_000,
            Target::Pipeline => true,
            // Its seeds are the committed profiles.
            Target::Profile => false,
        }
    }

    /// The seed a trace becomes.
    pub fn seed(self, trace: &[u8]) -> Vec<u8> {
        match self {
            // Any bytes are a script of edits.
            Target::Database => return trace[trace.len() / 2..].iter().copied().take(24).collect(),
            Target::Text => {}
            _ => return trace.to_vec(),
        }
        let mut reader = RawReader::new(source_of(trace)).expect("it is a trace of v2");
        let mut text = format!("Trace Go1.{}\n", reader.version().minor()).into_bytes();
        while let Ok(true) = reader.next_event() {
            write_wire_text(&mut text, reader.event());
        }
        text
    }

    /// Runs the target; returns what it showed, or what is wrong.
    pub fn execute(self, input: &[u8]) -> Result<HashSet<Feature>, String> {
        let mut seen = Seen::default();
        let result = catch_unwind(AssertUnwindSafe(|| match self {
            Target::WireV1 => wire_v1(input, &mut seen),
            Target::WireV2 => wire_v2(input, &mut seen),
            Target::Pipeline => pipeline(input, &mut seen),
            Target::Text => text(input, &mut seen),
            Target::Store => store(input, &mut seen),
            Target::Profile => profile(input, &mut seen),
            Target::Database => database(input, &mut seen),
        }));
        match result {
            Ok(result) => result.map(|()| seen.0),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?");
                Err(format!("panicked: {text}"))
            }
        }
    }
}

fn check(is_fine: bool, what: &str) -> Result<(), String> {
    if is_fine { Ok(()) } else { Err(what.to_owned()) }
}

fn check_offsets(found: &Diagnostics, len: usize) -> Result<(), String> {
    found.iter().try_for_each(|one| {
        let is_inside = one.offset.is_none_or(|offset| offset <= len as u64);
        // Of a batch that is cut off, what is missing is counted too.
        let most = len as u64 + MAX_BATCH_SIZE;
        check(is_inside && one.lost_bytes <= most, &format!("not of this input: {one}"))
    })
}

fn wire_v1(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    let start = &input[..input.len().min(HEADER_LEN)];
    let Ok(version) = parse_header(start) else { return Ok(()) };
    if version.is_v2() {
        return Ok(());
    }
    let access = RandomAccess::from_bytes(input);
    let mut found = Diagnostics::default();
    let scan = Scan::new(&access, version, &mut found);
    check_offsets(&found, input.len())?;
    let (mut events, mut kinds) = (0, [false; 256]);
    for proc in &scan.procs {
        let mut cursor = v1::Cursor::new(version);
        let mut event = WireEvent::NONE;
        loop {
            match cursor.next(&mut event, &access, &proc.batches, &scan.logs) {
                Ok(false) => break,
                Ok(true) => {
                    events += 1;
                    kinds[event.kind as usize] = true;
                }
                Err(error) => {
                    let words: String =
                        error.to_string().chars().filter(|c| !c.is_ascii_digit()).collect();
                    seen.note(("cursor", words));
                    cursor.skip_batch();
                }
            }
            check(cursor.offset() <= input.len() as u64, "read behind the end")?;
            check(events <= input.len() as u64, "there are more events than bytes")?;
        }
        check(cursor.bytes_left(&proc.batches) == 0, "a cursor ended early")?;
    }
    seen.note_kinds(&kinds);
    seen.note_size("events", events);
    seen.note_size("batches", scan.batch_count);
    seen.note_size("samples", scan.samples.len() as u64);
    seen.note_diagnostics(found.iter());
    Ok(())
}

fn wire_v2(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    let start = &input[..input.len().min(HEADER_LEN)];
    let Ok(version) = parse_header(start) else { return Ok(()) };
    if !version.is_v2() {
        return Ok(());
    }
    let mut source = source_of(input);
    source.stream.peek(HEADER_LEN);
    source.stream.consume(HEADER_LEN);
    let mut reader = Reader::new(source.stream, version);
    reader.footprint = Some(Box::default());
    let (mut events, mut last, mut bytes) = (0, 0, 0);
    while let Some(generation) = reader.next_generation() {
        check(generation.number > last, "generations are not in order")?;
        last = generation.number;
        bytes += generation.bytes;
        let mut kinds = [false; 256];
        for index in 0..generation.threads.len() {
            let mut cursor = v2::Cursor::new();
            let mut args = [0; MAX_ARGS];
            loop {
                match generation.next_event(index, &mut cursor, &mut args) {
                    Ok(None) => break,
                    Ok(Some((kind, _))) => {
                        events += 1;
                        kinds[kind as usize] = true;
                    }
                    Err(error) => {
                        seen.note(("cursor", std::mem::discriminant(&error)));
                        cursor.skip_batch();
                    }
                }
                check(events <= input.len(), "there are more events than bytes")?;
            }
        }
        seen.note_kinds(&kinds);
        seen.note_size("threads", generation.threads.len() as u64);
        seen.note_size("frames", generation.tables.frames().len() as u64);
    }
    check(reader.offset() == input.len() as u64, "the input was not read to its end")?;
    check(bytes <= input.len() as u64, "generations are larger than the input")?;
    check_offsets(&reader.diagnostics, input.len())?;
    seen.note_diagnostics(reader.diagnostics.iter());
    raw_v2(input, seen)
}

/// The raw reader stops at the first damage.
fn raw_v2(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    let Ok(mut raw) = RawReader::new(source_of(input)) else { return Ok(()) };
    let mut line = Vec::new();
    let mut last = 0;
    loop {
        match raw.next_event() {
            Ok(false) => break,
            Err(error) => {
                check(error.offset <= input.len() as u64, "a raw error behind the end")?;
                let words: String =
                    error.to_string().chars().filter(|c| !c.is_ascii_digit()).collect();
                seen.note(("raw", words));
                break;
            }
            Ok(true) => {
                check(raw.offset() > last, "a raw event is where the one before it is")?;
                last = raw.offset();
                line.clear();
                write_wire_text(&mut line, raw.event());
            }
        }
    }
    Ok(())
}

fn pipeline(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    if let Some(found) = examine(input)? {
        seen.note_size("events", found.events);
        seen.note_size("generations", found.generations.len() as u64);
        seen.note_diagnostics(found.diagnostics.iter());
    }
    Ok(())
}

fn text(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let read = match parse_text(&text) {
        Ok(read) => read,
        Err(error) => {
            check(error.line >= 1 && error.line <= text.split('\n').count() + 1, "no such line")?;
            let words: String =
                error.message.chars().filter(|c| !c.is_ascii_digit()).take(40).collect();
            seen.note(("text", words));
            return Ok(());
        }
    };
    let bytes = read.to_bytes();
    let mut printed = format!("Trace Go1.{}\n", read.version.minor()).into_bytes();
    read.events.iter().for_each(|event| write_wire_text(&mut printed, event));
    let printed = String::from_utf8(printed).map_err(|error| error.to_string())?;
    let again = parse_text(&printed).map_err(|error| format!("its own text: {error}"))?;
    check(again == read, "what was printed is not what was read")?;
    pipeline(&bytes, seen)
}

/// Either an error with a place in the input, or a profile that can be shown and written.
fn profile(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    match super::committed::profiles::examine(input)? {
        Ok(profile) => {
            seen.note_size("samples", profile.samples.len() as u64);
            seen.note_size("locations", profile.locations.len() as u64);
            seen.note_size("labels", profile.label_sets.len() as u64);
        }
        Err(words) => seen.note(("profile", words)),
    }
    Ok(())
}

/// No more edits than leave something to ask.
fn database(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("damaged.db");
    databases::damage(&input[..input.len().min(10 * databases::EDIT)], &path)?;
    seen.note(("answers", databases::examine(&path)?));
    Ok(())
}

fn store(input: &[u8], seen: &mut Seen) -> Result<(), String> {
    static INVARIANTS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let Ok(file) = load_file(input) else { return Ok(()) };
    let mut found = violations(&file.connection, INVARIANTS.get_or_init(invariants));
    // What a trace cannot break, whatever is in it. The other invariants are of what programs do: a
    // changed event may stop a stopped world or log to a task that never was. Times of decades add up
    // to more than SQL's sum() holds.
    const UNBREAKABLE: &[&str] = &[
        "integrity_check",
        "nothing_ends_before_it_starts",
        "proc_states_have_no_gap_and_no_overlap",
        "states_have_no_gap_and_no_overlap",
        "states_span_the_goroutine",
        "totals_equal_the_sum_of_their_parts",
    ];
    found.retain(|one| {
        UNBREAKABLE.iter().any(|name| one.starts_with(name)) && !one.ends_with("integer overflow")
    });
    check(found.is_empty(), &found.join("; "))?;
    // The same statements on both, through the same door.
    let inserted = load_in_memory(input)?;
    let written = Database::open(&file.path).map_err(|error| error.to_string())?;
    for table in tables(&file.connection).map_err(|error| error.to_string())? {
        let same = dump(&inserted, &table)? == dump(&written, &table)?;
        check(same, &format!("the table {table} is not the same written by INSERT"))?;
    }
    seen.note_size("events", file.loaded.totals.events);
    seen.note_size("goroutines", file.loaded.totals.goroutines);
    seen.note_diagnostics(file.loaded.diagnostics.iter());
    Ok(())
}

/// The names of the tables of a database.
fn tables(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn dump(database: &Database, table: &str) -> Result<Rows, String> {
    let mut rows = Rows::default();
    let sql = format!("select * from {table}");
    let limits = Limits { time: None, rows: None, ..Limits::default() };
    database.query(&sql, &[], limits, &mut rows).map_err(|error| error.to_string())?;
    Ok(rows)
}
