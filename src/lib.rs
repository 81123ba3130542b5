//! gotrace: what a Go program recorded about itself, in SQL.
//!
//! The modules are the layers of the program, in the direction of the data:
//!
//! ```text
//! source -> wire -> order -> model -> profile, export -> store, picture -> report -> analysis -> cli
//! bytes     wire    ordered  model    profiles, files    SQLite,  SVG      findings  questions   command
//!           events  events   items                                                               line
//! ```
//!
//! A module imports only modules to its left, and `diagnostic`, in which all of them report what
//! was repaired, skipped or lost. `tests/layers.rs` checks it.
//!
//! # Features
//!
//! Without any (`default-features = false`) this is the decoder: `source`, `wire`, `order` and
//! `model`. `url` has `source` read from the web. `analysis` adds all up to the layer of that name, and
//! with them SQLite. `cli`, the default, is the whole program.
//!
//! # The ordered events of a trace
//!
//! `examples/iterate_events.rs`:
//!
//! ```no_run
#![doc = include_str!("../examples/iterate_events.rs")]
//! ```
//!
//! To be told of synchronisation points and gaps too, implement [`order::Sink`]; to get states, ranges,
//! tasks and the like in place of events, read into a [`model::Builder`].

#![deny(missing_docs)]

// Blank lines keep the formatter from sorting the layers.
pub mod diagnostic;

pub mod source;

pub mod wire;

pub mod order;

pub mod model;

#[cfg(feature = "analysis")]
pub mod profile;

#[cfg(feature = "analysis")]
pub mod export;

#[cfg(feature = "analysis")]
pub mod store;

#[cfg(feature = "analysis")]
pub mod picture;

#[cfg(feature = "analysis")]
pub mod report;

#[cfg(feature = "analysis")]
pub mod analysis;

/// Only for the program; no part of the library.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
