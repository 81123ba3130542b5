//! Opened sources, and what can be asked of them. Every front, the command line, a page, a library's
//! user, is thin over this.
//!
//! Comes in: [`Location`](crate::source::Location)s: files, standard input, URLs; traces, profiles, dumps of
//! goroutines, databases. Goes out: answers. An [`Analysis`] is a set of sources of which anything can be
//! asked, also several things; below it stand the parts that one question needs: [`Opened`] is a source
//! that was opened once, with what it is, and each question consumes it.
//!
//! Nothing here draws or prints: an [`Observer`] is told what goes on.

mod database;
mod error;
mod events;
mod explain;
mod files;
mod filters;
mod folders;
pub mod info;
mod ingest;
mod load;
mod load_profile;
mod moments;
mod observer;
mod opened;
mod place;
mod profile;
mod question;
pub mod results;
mod snapshot;
mod sources;
mod timeline;
mod views;

pub use database::{Storage, database};
pub use error::{Error, Result, refuse_loss};
pub use events::{EventsForm, WireEvents, event_kinds, write_events};
pub use files::{PendingFile, TemporaryFile, remove_all};
pub use filters::{Filters, moment};
pub use folders::{Wanted, expand};
pub use ingest::{Ingest, Ingested, default_target, folder_target};
pub use load::{Loaded, load_source};
pub use load_profile::ProfileTotals;
pub use moments::parse_moment;
pub use observer::{Observer, Ongoing, Silent, Work};
pub use opened::{Kind, Opened, OpenedTrace, is_recorded, save_sources, save_url};
pub use place::{CPU_PROFILE, TRACE, is_host_and_port, place, places};
pub use profile::{ProfileOptions, ProfileRequest, is_program, trace_profiles};
pub use question::{Question, parameter};
pub use snapshot::{SharedAnalysis, Snapshot};
pub use sources::{Analysis, Options};
pub use timeline::write_timeline_of;
pub use views::{Shown, VIEWS, ViewForm, find_view, view_names, write_view};
