//! The colours of all pictures and pages.
//!
//! A word has one colour in all plots and bars, `syscall` for instance; pages have a light and a dark theme,
//! as variables of their style sheet. Frames of flame graphs and boxes have other, light colours, on which
//! black text can be read.

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

/// Text and lines of the graph of calls.
pub const INK: &str = "#000000";
/// A box of the graph of calls that has no colour of its own.
pub const BOX: &str = "#f8f8f8";
/// Frames of the runtime, and of no single state.
pub const GREY: Rgb = Rgb { r: 218, g: 218, b: 218 };

/// A state of goroutines as frames show it.
pub struct StateColor {
    /// As the label `state` of samples has it.
    pub state: &'static str,
    /// The colour of frames.
    pub fill: Rgb,
    /// What the colour is called.
    pub color_name: &'static str,
}

/// The states of goroutines.
pub const STATES: [StateColor; 4] = [
    StateColor { state: "running", fill: Rgb { r: 126, g: 200, b: 120 }, color_name: "green" },
    StateColor { state: "runnable", fill: Rgb { r: 248, g: 178, b: 84 }, color_name: "orange" },
    StateColor { state: "waiting", fill: Rgb { r: 148, g: 186, b: 228 }, color_name: "blue" },
    StateColor { state: "syscall", fill: Rgb { r: 206, g: 162, b: 220 }, color_name: "violet" },
];

/// A light colour of a package, on which black text can be read.
pub fn package(package: &str) -> Rgb {
    if package == "runtime" || package.starts_with("runtime/") || package.starts_with("internal/") {
        return GREY;
    }
    // FNV-1a: the same colours in every picture.
    let hash = package.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let hue = (hash >> 16) % 360;
    let (low, high) = (if hash & 1 == 0 { 145 } else { 180 }, 245);
    // Around the circle of colours, in sixths: one part is high, one low, one rises or falls.
    let rising = low + (high - low) * (hue % 60) / 60;
    let falling = high + low - rising;
    let (r, g, b) = match hue / 60 {
        0 => (high, rising, low),
        1 => (falling, high, low),
        2 => (low, high, rising),
        3 => (low, falling, high),
        4 => (rising, low, high),
        _ => (high, low, falling),
    };
    Rgb { r: r as u8, g: g as u8, b: b as u8 }
}

/// The variables of the light and the dark theme, which the style sheets of pages are written with.
pub fn theme_css() -> &'static str {
    include_str!("theme.css")
}
