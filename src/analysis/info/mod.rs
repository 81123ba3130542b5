//! What a source is, and what is in it.
//!
//! A trace is read once, as for loading it, and no row is kept.

mod database;
mod json;
mod profile;
mod trace;

pub use database::DatabaseInfo;
pub use json::{packing, sorted};
pub use profile::{ProfileInfo, known};
pub use trace::{GenerationInfo, TraceInfo};

use super::Result;
use super::opened::{Kind, Opened};

/// What a source is, and what is in it.
pub enum Info {
    /// Of a trace.
    Trace(Box<TraceInfo>),
    /// Of a profile.
    Profile(Box<ProfileInfo>),
    /// Of a database.
    Database(DatabaseInfo),
}

impl Info {
    /// Reads a source.
    ///
    /// # Errors
    /// If it is nothing that gotrace reads, or cannot be read.
    pub fn read(opened: Opened) -> Result<Info> {
        Ok(match opened.kind {
            Kind::Trace => Info::Trace(Box::new(trace::read(opened)?)),
            Kind::Profile => Info::Profile(Box::new(profile::read(opened)?)),
            Kind::Database => {
                let location = opened.location.clone();
                Info::Database(database::read(&location, &opened.into_database()?)?)
            }
            Kind::Other(_) => return Err(opened.refuse()),
        })
    }

    /// As one object, whose keys `docs/info-json.md` lists.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Info::Trace(info) => json::trace(info),
            Info::Profile(info) => info.json(),
            Info::Database(info) => json::database(info),
        }
    }
}
