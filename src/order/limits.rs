//! How late a trace may be.
//!
//! Comes in: nothing. Goes out: the bounds that both orderings cut times to. The one idea: only damage
//! says such times, and sums of what is below the bounds do not overflow.

/// No event is later after the start of its trace, nanoseconds: 36 years. Only damage says so, and
/// sums of such times must not overflow. The start may be any: most clocks count from when the
/// machine was started, those of js/wasm from 1970.
pub(super) const LONGEST_TRACE: i64 = 1 << 60;

/// No trace starts later, nanoseconds on its clock: the year 2116, if that counts from 1970.
pub(super) const LATEST_START: i64 = 1 << 62;
