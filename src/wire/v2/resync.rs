//! Finding the next batch where bytes are damaged.
//!
//! The surest sign of a batch is the length in its header, which the runtime writes as a number of
//! ten bytes ([`PADDED_SIZE_LEN`](super::batch::PADDED_SIZE_LEN)). A trace that another tool has
//! written has no such sign; there a header must be followed by another header, or by the end of the
//! input, at the place its length says.

use super::EventType;
use super::batch::{BatchHeader, BatchKind, parse_header};

/// How far behind its predecessor or ahead of it a batch's generation may be and still be
/// believed. Traces of years have fewer generations than this.
pub const PLAUSIBLE_GENERATIONS: u64 = 1 << 20;
/// How far apart the times of two batches may be: about a day of 64 ns ticks.
const PLAUSIBLE_TICKS: u64 = 1 << 40;

/// What is known about the trace when a batch is searched.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Number of the current or the last generation; 0 before the first.
    pub generation: u64,
    /// Time of the last batch, clock ticks; 0 if none was read.
    pub ticks: u64,
    /// Whether the runtime has written the trace, as far as its headers show.
    pub is_padded: bool,
}

impl Known {
    /// Whether a header may be one of this trace.
    pub fn allows(&self, header: &BatchHeader) -> bool {
        if header.kind == BatchKind::EndOfGeneration {
            return true;
        }
        let near = |a: u64, b: u64, distance: u64| a.abs_diff(b) <= distance;
        header.generation != 0
            && header.time_ticks != 0
            && near(header.generation, self.generation, PLAUSIBLE_GENERATIONS)
            && (self.ticks == 0 || near(header.time_ticks, self.ticks, PLAUSIBLE_TICKS))
    }
}

/// The first place from `from` on, and before `limit`, at which a batch begins.
pub fn find_batch(bytes: &[u8], from: usize, limit: usize, known: Known) -> Option<usize> {
    let places = || {
        (from..limit.min(bytes.len())).filter(|&at| {
            // Almost every position fails this.
            bytes[at] == EventType::EventBatch as u8
                || bytes[at] == EventType::ExperimentalBatch as u8
        })
    };
    let padded = places().find(|&at| {
        parse_header(&bytes[at..]).is_ok_and(|header| header.is_padded && known.allows(&header))
    });
    if padded.is_some() || known.is_padded {
        return padded;
    }
    places().find(|&at| is_followed_batch(&bytes[at..], known))
}

/// Whether a batch begins here, to which its length and what stands behind it testify.
fn is_followed_batch(bytes: &[u8], known: Known) -> bool {
    let Ok(header) = parse_header(bytes) else { return false };
    if !known.allows(&header) || header.data_len == 0 {
        return false;
    }
    match bytes.get(header.header_len + header.data_len..) {
        None => false,
        Some([]) => true,
        Some(behind) => parse_header(behind).is_ok_and(|next| {
            known.allows(&next)
                && (next.kind == BatchKind::EndOfGeneration
                    || next.generation == header.generation
                    || next.generation == header.generation + 1)
        }),
    }
}
