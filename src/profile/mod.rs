//! Stack-weighted samples: pprof profiles, and every view of them.
//!
//! Comes in: a pprof profile ([`read`]), or samples out of a trace ([`Builder`]). Goes out: a
//! profile again ([`Profile::write`]), or a report: `top`, `tree`, `peek`, `list`, `traces`,
//! `tags`, `raw`, `dot`, `callgrind` and others.
//!
//! The one idea: a profile is a few flat arrays of small integers. All texts are interned
//! ([`Text`]), stacks are runs of one array, and samples with equal labels share one set of them,
//! so that a million samples take little more memory than their bytes in the file.
//!
//! What the numbers, names and layouts mean follows `go tool pprof` of Go 1.27 to the byte; the
//! rules are cited where they are implemented (`github.com/google/pprof`, vendored in Go's tree).

mod builder;
mod config;
mod decode;
mod encode;
mod error;
mod focus;
pub mod from_trace;
mod goroutine_text;
mod graph;
mod label_frames;
mod labels;
mod legacy;
mod limits;
mod merge;
mod model;
mod paths;
mod pattern;
mod prepare;
mod quantity;
mod report;
mod samples;
mod sniff;
mod text;
mod threshold;
pub mod units;

pub use builder::{Builder, Frame};
pub use config::{Config, GRANULARITIES, OPTIONS};
pub use decode::{read, read_within};
pub use error::ProfileError;
pub use labels::{Label, LabelSet, LabelSets, LabelValue};
pub use limits::ReadLimits;
pub use merge::{make_compatible, merge};
pub use model::{Function, Line, Location, Mapping, Profile, ValueType};
pub use pattern::Pattern;
pub use prepare::{BASE_LABEL, Preparation, Symbolize, prepare};
pub use quantity::{parse_duration, parse_quantity, parse_size};
pub use report::{
    Dot, DotEdge, DotNode, FlameNode, FlameTree, Listing, ListingFunction, ListingLine, Neighbour,
    Report, SourceFinder, TagGroup, Tags, Top, TopItem, Trace, TraceFrame, Traces, Tree, TreeNode,
    View, ViewError,
};
pub use samples::Samples;
pub use sniff::is_profile;
pub use text::{Text, Texts};
pub use threshold::{Threshold, ThresholdError};
