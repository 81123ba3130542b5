//! What passes over rows share: numbers out of them, and how a pass ends early.

use super::packed::MOST_NS;
use crate::store::StoreError;
use crate::store::refusal::refuse;

/// A time out of the database, cut to what a lane can hold.
#[inline(always)]
pub fn cut(ns: i64) -> i64 {
    ns.clamp(-MOST_NS, MOST_NS)
}

/// A row number that may be NULL; 0 for none.
pub fn row(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// An error inside a pass over rows, which can be stopped with one of SQLite only: it is kept.
pub fn stop_at<T>(
    result: Result<T, StoreError>,
    kept: &mut Option<StoreError>,
) -> rusqlite::Result<T> {
    result.map_err(|error| {
        *kept = Some(error);
        refuse("the pass is stopped")
    })
}
