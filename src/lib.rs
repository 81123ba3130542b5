//! gotrace: what a Go program recorded about itself, in SQL.
//!
//! The modules are the layers of the program, in the direction of the data:
//!
//! ```text
//! source -> wire -> order -> model -> profile, export -> store -> report -> cli
//! bytes     wire    ordered  model    profiles, files    SQLite   findings  command line
//!           events  events   items
//! ```
//!
//! A module imports only modules to its left, and `diagnostic`, in which all of them report what
//! was repaired, skipped or lost. `tests/layers.rs` checks it.

// Blank lines keep the formatter from sorting the layers.
pub mod diagnostic;

pub mod source;

pub mod wire;

pub mod order;

pub mod model;

pub mod profile;

pub mod export;

pub mod store;

pub mod report;

pub mod cli;
