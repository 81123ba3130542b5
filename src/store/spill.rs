//! A bound on what SQLite puts into temporary files.
//!
//! Sorting, grouping and subqueries that do not fit into SQLite's cache go to temporary files, which SQLite
//! does not bound. So connections for asking open their files through a layer of SQLite's own kind: it is
//! the system's, except that the writes to temporary files are counted. What is written beyond the limit is
//! refused as if the disk were full, which ends the statement.
//!
//! Source: "The SQLite OS Interface or VFS" (sqlite.org/vfs.html): a file is its table of methods and what
//! the layer keeps behind it; so a layer that keeps nothing of its own puts another table there.

use super::StoreError;
use rusqlite::ffi::{
    self, SQLITE_FULL, SQLITE_OK, SQLITE_OPEN_SUBJOURNAL, SQLITE_OPEN_TEMP_DB,
    SQLITE_OPEN_TEMP_JOURNAL, SQLITE_OPEN_TRANSIENT_DB, sqlite3_file, sqlite3_filename,
    sqlite3_int64, sqlite3_io_methods, sqlite3_vfs,
};
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// The name of the layer.
pub const LAYER: &CStr = c"gotrace";

const TEMPORARY: c_int = SQLITE_OPEN_TEMP_DB
    | SQLITE_OPEN_TRANSIENT_DB
    | SQLITE_OPEN_TEMP_JOURNAL
    | SQLITE_OPEN_SUBJOURNAL;

/// Most bytes in temporary files, for the process.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);
/// Bytes in temporary files.
static USED: AtomicI64 = AtomicI64::new(0);
static LAYERED: OnceLock<Layered> = OnceLock::new();
/// The methods of the system's temporary files, and those put in their place. They are the same for all.
static METHODS: OnceLock<(sqlite3_io_methods, sqlite3_io_methods)> = OnceLock::new();

/// The system's layer. SQLite keeps the address of `own` for as long as the process runs.
struct Layered {
    own: sqlite3_vfs,
    open: OpenFile,
}

type OpenFile = unsafe extern "C" fn(
    *mut sqlite3_vfs,
    sqlite3_filename,
    *mut sqlite3_file,
    c_int,
    *mut c_int,
) -> c_int;

// SAFETY: SQLite itself uses the layers from all threads; here nothing but constants is read of them.
unsafe impl Send for Layered {}
// SAFETY: likewise.
unsafe impl Sync for Layered {}

/// Sets the limit, bytes.
pub fn set_limit(bytes: u64) {
    LIMIT.store(bytes, Relaxed);
}

/// Makes the layer known to SQLite, once.
pub fn register() -> Result<(), StoreError> {
    let layered = LAYERED.get_or_init(|| {
        // SAFETY: SQLite gives its default layer, which lives as long as the process; copying the structure
        // copies pointers to its functions and constants.
        let system = unsafe { *ffi::sqlite3_vfs_find(std::ptr::null()) };
        let own = sqlite3_vfs {
            zName: LAYER.as_ptr(),
            pNext: std::ptr::null_mut(),
            xOpen: Some(open),
            ..system
        };
        Layered { own, open: system.xOpen.expect("SQLite's own layer opens files") }
    });
    // SAFETY: the structure is never dropped. SQLite writes its `pNext` only, under its own lock; it is not
    // read here. To register a layer again is harmless.
    let code = unsafe { ffi::sqlite3_vfs_register((&raw const layered.own).cast_mut(), 0) };
    match code {
        SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into()),
    }
}

unsafe extern "C" fn open(
    layer: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let Some(layered) = LAYERED.get() else { return ffi::SQLITE_ERROR };
    // SAFETY: as SQLite called it; the copied layer is what the system's functions expect.
    let code = unsafe { (layered.open)(layer, name, file, flags, out_flags) };
    if code != SQLITE_OK || flags & TEMPORARY == 0 {
        return code;
    }
    // SAFETY: the file is open, so it has methods.
    let system = unsafe { *(*file).pMethods };
    let (_, counting) = METHODS.get_or_init(|| {
        let counting = sqlite3_io_methods {
            // The first version: files are neither mapped nor grown but by writing.
            iVersion: 1,
            xWrite: Some(write),
            xTruncate: Some(truncate),
            xClose: Some(close),
            ..system
        };
        (system, counting)
    });
    // SAFETY: the table lives as long as the process.
    unsafe { (*file).pMethods = counting };
    code
}

/// The methods of the system.
fn system() -> Option<&'static sqlite3_io_methods> {
    METHODS.get().map(|(system, _)| system)
}

/// The length of a file; 0 if it cannot be told.
unsafe fn length(file: *mut sqlite3_file) -> sqlite3_int64 {
    let mut length = 0;
    if let Some(size) = system().and_then(|system| system.xFileSize) {
        // SAFETY: the file is open.
        unsafe { size(file, &raw mut length) };
    }
    length
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let Some(write) = system().and_then(|system| system.xWrite) else { return ffi::SQLITE_IOERR };
    // SAFETY: as SQLite called it.
    let grown = unsafe { offset.saturating_add(count.into()).saturating_sub(length(file)).max(0) };
    let used = USED.load(Relaxed).saturating_add(grown);
    if u64::try_from(used).is_ok_and(|used| used > LIMIT.load(Relaxed)) {
        return SQLITE_FULL;
    }
    // SAFETY: as SQLite called it.
    let code = unsafe { write(file, bytes, count, offset) };
    if code == SQLITE_OK {
        USED.fetch_add(grown, Relaxed);
    }
    code
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let Some(truncate) = system().and_then(|system| system.xTruncate) else {
        return ffi::SQLITE_IOERR;
    };
    // SAFETY: as SQLite called it.
    let (before, code) = unsafe { (length(file), truncate(file, size)) };
    if code == SQLITE_OK {
        // SAFETY: the file is open.
        USED.fetch_add(unsafe { length(file) } - before, Relaxed);
    }
    code
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let Some(close) = system().and_then(|system| system.xClose) else { return ffi::SQLITE_IOERR };
    // SAFETY: the file is open until the system's method has closed it.
    unsafe {
        USED.fetch_sub(length(file), Relaxed);
        close(file)
    }
}
