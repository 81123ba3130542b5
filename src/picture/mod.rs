//! What is looked at: graphs of calls, flame graphs and plots.
//!
//! Comes in: numbers, a profile's graph ([`crate::profile::Dot`]) or its stacks. Goes out: SVG. The layout
//! of graphs is `layers`'s; all colours are in [`palette`], and all text of others goes through
//! [`escaped`] or [`shown`].

mod flame;
mod flame_svg;
mod graph;
mod layers;
pub mod palette;
mod plot;
mod text;

pub use flame::{ColorBy, FlameOptions, flame};
pub use graph::graph;
pub use palette::theme_css;
pub use plot::{Band, Curve, Panel, Plots, nice_step};
pub use text::{escaped, shown};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// What was asked for cannot be drawn; the text is for users.
    #[error("{0}")]
    Unfit(String),
}
