//! Ranks of values in order.

/// Place of the value of which at least this share of all is not greater; `None` if there is none.
pub fn nearest_rank(count: usize, share: f64) -> Option<usize> {
    let last = count.checked_sub(1)?;
    Some(((share * count as f64).ceil() as usize).saturating_sub(1).min(last))
}
