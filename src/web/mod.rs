//! Pages for the browser, and the server that they come from.
//!
//! Comes in: requests. Goes out: pages, and answers as JSON, CSV and tiles. What is asked is asked of a
//! [`SharedAnalysis`](crate::analysis::SharedAnalysis); nothing is analysed here.
//!
//! ```text
//! http       connections; requests whole, answers in parts
//! door       who is let in, and the headers that every answer has
//! pages      which address shows which page, and the addresses of go tool trace and pprof
//! api        what pages and scripts ask: one file for each subject
//! session    the sources, and what requests share; progress is what pages see while they are loaded
//! timelines  the lanes of traces, and the orders in which pages see them
//! kept       what is costly to make and asked for often
//! workers    threads, each with its own connection to the database (asker)
//! assets     the files of `web/`, which are a part of the program
//! ```
//!
//! The server has one thread for all connections; whatever asks the database runs on another one and ends
//! when the browser goes away.

mod api;
mod asker;
mod assets;
mod door;
mod failure;
mod http;
mod kept;
mod message;
mod pages;
mod progress;
mod session;
mod timelines;
mod workers;

pub use door::Secret;
pub use http::{Server, ServerOptions};
pub use session::{Load, Session};
