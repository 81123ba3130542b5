//! Damaged databases, and what is asked of them.
//!
//! A database may come from anywhere, and then holds what its author likes. Here a good one is changed: single
//! values to the numbers at which arithmetic goes wrong, bytes, whole pages. Whatever comes out of it, every
//! question must be answered or refused, soon.

use super::{Trace, load_file};
use gotrace::report::{Report, write};
use gotrace::store::{
    Batch, ColumnInfo, Database, FUNCTIONS, Limits, QueryResult, RELATIONS, canned_queries, tables,
};
use std::fs;
use std::io::{self, sink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Bytes of a page.
const PAGE: usize = 8192;
/// The bytes of an edit in a script.
pub const EDIT: usize = 6;
/// Numbers at which something may overflow, be negative where nothing is, or be more than there is.
const NUMBERS: &[i64] = &[
    i64::MAX,
    i64::MIN,
    i64::MAX - 1,
    1 << 62,
    -(1 << 62),
    (1 << 61) + 1,
    1 << 60,
    1 << 40,
    1 << 32,
    u32::MAX as i64,
    1 << 31,
    100_000,
    -1,
    0,
    1,
    7,
];

/// A good database.
fn whole() -> &'static [u8] {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let file = load_file(&Trace::new("go1.26/gc").bytes()).unwrap();
        file.connection.execute_batch("pragma journal_mode = delete").unwrap();
        fs::read(&file.path).unwrap()
    })
}

/// Writes a database that is damaged as a script says, an edit for each six bytes.
pub fn damage(script: &[u8], path: &Path) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    fs::write(path, whole()).map_err(failed)?;
    let columns: Vec<(&str, &str, bool)> = RELATIONS
        .iter()
        .filter(|relation| relation.is_table)
        .flat_map(|relation| relation.columns.iter().map(|one| (relation.name, one)))
        .map(|(table, column)| (table, column.name, column.ty == "text"))
        .collect();
    for edit in script.chunks_exact(EDIT) {
        let two = |at: usize| usize::from(u16::from_le_bytes([edit[at], edit[at + 1]]));
        if edit[0] % 4 < 2 {
            let (table, column, is_text) = columns[two(1) % columns.len()];
            let value = match is_text {
                true => format!("replace(hex(zeroblob({})), '0', 'x')", 1 << (edit[3] % 18)),
                false => NUMBERS[usize::from(edit[3]) % NUMBERS.len()].to_string(),
            };
            let rows = match two(4) {
                all if all % 3 == 0 => String::new(),
                row => format!(" where id = {}", 1 + row % 100),
            };
            // What cannot be written, because of other damage or of a rule, is left as it is.
            let _ = rusqlite::Connection::open(path).and_then(|connection| {
                connection.execute_batch(&format!(
                    "pragma journal_mode = off; pragma synchronous = off;
                     update or ignore {table} set {column} = {value}{rows}"
                ))
            });
            continue;
        }
        let mut bytes = fs::read(path).map_err(failed)?;
        let pages = bytes.len() / PAGE;
        let page = two(1) % pages * PAGE;
        if edit[0] % 4 == 2 {
            // Most depends on the first bytes of a page.
            let at = if edit[5] % 2 == 0 { two(3) % 64 } else { two(3) % PAGE };
            bytes[page + at] = edit[5];
        } else {
            bytes.copy_within(page..page + PAGE, two(3) % pages * PAGE);
        }
        fs::write(path, bytes).map_err(failed)?;
    }
    Ok(())
}

/// Takes rows and forgets them.
struct Forget;

impl QueryResult for Forget {
    fn columns(&mut self, _: &[ColumnInfo]) -> io::Result<()> {
        Ok(())
    }

    fn batch(&mut self, _: &Batch) -> io::Result<()> {
        Ok(())
    }
}

/// Longest a question may take, and most memory.
pub const LIMITS: Limits = Limits {
    time: Some(Duration::from_millis(50)),
    rows: Some(20_000),
    enough: None,
    memory: 64 << 20,
    spill: 64 << 20,
};

/// Asks everything of a database. The error is what should not be.
pub fn examine(path: &Path) -> Result<usize, String> {
    let Ok(database) = Database::open(path) else { return Ok(0) };
    let mut answers = 0;
    let mut ask = |what: &str, ask: &mut dyn FnMut() -> bool| -> Result<(), String> {
        let started = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| {
            let _ = database.start(LIMITS);
            ask()
        })) {
            Err(_) => return Err(format!("{what} panicked")),
            Ok(is_answered) => answers += usize::from(is_answered),
        }
        let seconds = started.elapsed().as_secs();
        // Far more than the limit: the machine may be busy.
        if seconds < 10 { Ok(()) } else { Err(format!("{what} took {seconds} s")) }
    };
    ask("the report", &mut || {
        let Ok(report) = Report::new(&database, "x.db", None) else { return false };
        write::write_text(&report, Some(80), &mut write::Unstyled(&mut sink())).is_ok()
            && write::write_markdown(&report, &mut sink()).is_ok()
            && write::write_json(&report, &mut sink()).is_ok()
            && write::write_html(&report, &mut sink()).is_ok()
    })?;
    for query in canned_queries() {
        ask(query.name, &mut || database.canned(query, &[], LIMITS, &mut Forget).is_ok())?;
    }
    let relations = RELATIONS.iter().map(|one| format!("select * from {}", one.name));
    let examples = FUNCTIONS.iter().map(|one| one.example.1.to_owned());
    let of_tables = tables::TABLE_FUNCTIONS.iter().map(|one| one.example.1.to_owned());
    for sql in relations.chain(examples).chain(of_tables) {
        ask(&sql, &mut || database.query(&sql, &[], LIMITS, &mut Forget).is_ok())?;
    }
    Ok(answers)
}
