//! gotrace: what a Go program recorded about itself, in SQL.
//!
//! The modules are the layers of the program, in the direction of the data:
//!
//! ```text
//! source -> wire -> order -> model -> profile, export -> store, picture -> report -> analysis -> web ->  cli
//! bytes     wire    ordered  model    profiles, files    SQLite,  SVG      findings  questions   pages   command
//!           events  events   items                                                                       line
//! ```
//!
//! A module imports only modules to its left (not those it shares a place with), and `diagnostic`, in which all of
//! them report what was repaired, skipped or lost. `tests/layers.rs` checks it. `docs/architecture.md` follows one
//! event from the bytes to a row, a line and a pixel.
//!
//! # Features
//!
//! Without any (`default-features = false`) this is the decoder: `source`, `wire`, `order` and
//! `model`. `url` has `source` read from the web. `analysis` adds all up to the layer of that name, and
//! with them SQLite. `cli`, the default, is the whole program.
//!
//! # The ordered events of a trace
//!
//! `examples/iterate_events.rs` goes through all events in order, with their functions, and needs no feature:
//!
//! ```no_run
#![doc = include_str!("../examples/iterate_events.rs")]
//! ```
//!
//! To be told of synchronisation points and gaps too, implement [`order::Sink`]; to get states, ranges,
//! tasks and the like in place of events, read into a [`model::Builder`].
//!
//! # Whatever can be asked
//!
//! With the feature `analysis`, `examples/ask_a_trace.rs` asks several sources together, traces, profiles or a
//! database, a canned query or SQL.
//!
#![cfg_attr(
    feature = "analysis",
    doc = concat!("```no_run\n", include_str!("../examples/ask_a_trace.rs"), "```\n")
)]
//!
//! # What is wrong with a program
//!
//! With the feature `analysis`, `examples/list_findings.rs` lists what the rules of the report find, each with its cost
//! and its numbers.
//!
#![cfg_attr(
    feature = "analysis",
    doc = concat!("```no_run\n", include_str!("../examples/list_findings.rs"), "```\n")
)]
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
#[cfg(feature = "web")]
#[doc(hidden)]
pub mod web;

/// Only for the program; no part of the library.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
