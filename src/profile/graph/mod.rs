//! Samples collected into a graph of functions (or lines, or addresses) and calls.
//!
//! Source: Go 1.27 pprof `internal/graph/graph.go`. Two things differ inside: nodes and edges are
//! numbers, so that a sample costs a few array accesses for each frame; and what Go leaves to the
//! order of its maps (nodes that are equal in everything that is compared) is in the order of the
//! profile here, so that two runs print the same.

mod build;
mod node;
mod order;
mod tags;
mod tree;
mod trim;

pub use build::{GraphOptions, location_nodes};
pub use node::{Graph, Node, NodeInfo};
pub use tags::{Tag, TagCount, TagMap, sort as sort_tags};
pub use trim::{MAX_NODELETS, NodeSet};

/// What Go's conversion of a float to an int64 gives on amd64, out of range too.
pub fn to_int(value: f64) -> i64 {
    const LIMIT: f64 = 9223372036854775808.0;
    // Not a number is in no range.
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}
