//! Goroutine states, gathered and grouped by goroutine before they become rows.
//!
//! The model hands out spans in the order of their ends, goroutines mixed. To find those of one
//! goroutine would take an index as large as half the table. Instead spans are gathered in chunks
//! and grouped by goroutine within each, so that a few row ranges name all of them.

use crate::model::{State, StateSpan};

/// Spans in a chunk. Larger chunks give fewer ranges and take more memory: 20 MB with this.
const CHUNK: usize = 1 << 18;

/// Spans of a chunk.
pub struct StateChunk {
    spans: Vec<StateSpan>,
    /// Goroutine in the upper, position in the lower half.
    order: Vec<u64>,
    scratch: Vec<u64>,
    size: usize,
}

impl StateChunk {
    pub fn new() -> Self {
        Self::of_size(CHUNK)
    }

    fn of_size(size: usize) -> Self {
        StateChunk { spans: Vec::new(), order: Vec::new(), scratch: Vec::new(), size }
    }

    /// Drops all spans.
    pub fn clear(&mut self) {
        self.spans.clear();
    }

    /// Moves the spans kept for the next chunk to `kept`.
    pub fn take_into(&mut self, kept: &mut Vec<StateSpan>) {
        kept.append(&mut self.spans);
    }

    /// Puts spans kept from the chunk before in front.
    pub fn prepend(&mut self, kept: &mut Vec<StateSpan>) {
        if !kept.is_empty() {
            kept.append(&mut self.spans);
            std::mem::swap(&mut self.spans, kept);
        }
    }

    /// Adds a span; `true` if the chunk is full.
    #[inline(always)]
    pub fn push(&mut self, span: &StateSpan) -> bool {
        self.spans.push(*span);
        self.spans.len() >= self.size
    }

    /// Hands out the spans goroutine by goroutine, each in order of time, and empties the chunk.
    ///
    /// Unless `is_last`, a system call at the end of its goroutine's spans is kept for the next
    /// chunk: the part after the loss of its proc, if there is one, must be in the same range.
    pub fn drain(
        &mut self,
        is_last: bool,
        mut range: impl FnMut(&mut dyn Iterator<Item = &StateSpan>),
    ) {
        self.order.clear();
        let spans = &self.spans;
        let keys = spans.iter().enumerate();
        self.order.extend(keys.map(|(at, span)| (span.goroutine.row() as u64) << 32 | at as u64));
        sort_by_upper_half(&mut self.order, &mut self.scratch);
        let mut kept = Vec::new();
        for group in self.order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let span = |&key: &u64| &spans[key as u32 as usize];
            let mut group = group;
            if let Some((last, before)) = group.split_last()
                && !is_last
                && span(last).state == State::Syscall
                && !span(last).open_end
            {
                kept.push(*span(last));
                group = before;
            }
            if !group.is_empty() {
                range(&mut group.iter().map(span));
            }
        }
        self.spans.clear();
        self.spans.append(&mut kept);
    }
}

/// Sorts by the upper 32 bits, equal ones left in place: radix sort by 11 bits at a time, over
/// the bits in which the keys differ.
fn sort_by_upper_half(keys: &mut Vec<u64>, scratch: &mut Vec<u64>) {
    const BITS: u32 = 11;
    let Some(least) = keys.iter().map(|key| key >> 32).min() else { return };
    let most = keys.iter().map(|key| key >> 32).max().unwrap_or(least);
    scratch.resize(keys.len(), 0);
    let mut shift = 0;
    while (most - least) >> shift != 0 {
        let digit = |key: u64| (((key >> 32) - least) >> shift) as usize & ((1 << BITS) - 1);
        let mut starts = [0u32; 1 << BITS];
        for &key in keys.iter() {
            starts[digit(key)] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += std::mem::replace(start, sum);
        }
        for &key in keys.iter() {
            let place = &mut starts[digit(key)];
            scratch[*place as usize] = key;
            *place += 1;
        }
        std::mem::swap(keys, scratch);
        shift += BITS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GoroutineId, Waker};

    #[test]
    fn keys_are_sorted_by_goroutine_and_stay_in_order_within() {
        let mut state = 1u64;
        let mut keys: Vec<u64> = (0..5000u64)
            .map(|at| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                let goroutine = if at % 3 == 0 { 7 } else { (state >> 40) % 5_000_000 };
                goroutine << 32 | at
            })
            .collect();
        let mut want = keys.clone();
        want.sort();
        sort_by_upper_half(&mut keys, &mut Vec::new());
        assert_eq!(keys, want);
    }

    fn span(goroutine: usize, start_ns: i64, state: State) -> StateSpan {
        StateSpan {
            goroutine: GoroutineId::from_index(goroutine),
            function: None,
            start_ns,
            duration_ns: 1,
            state,
            from: State::Undetermined,
            open_start: false,
            open_end: false,
            reason: None,
            stack: None,
            proc: -1,
            thread: None,
            waker: Waker::default(),
        }
    }

    #[test]
    fn every_size_of_a_chunk_hands_out_the_same_spans() {
        let states = [State::Running, State::Syscall, State::SyscallBlocked, State::Waiting];
        let (mut random, mut steps) = (7u64, [0; 4]);
        let spans: Vec<StateSpan> = (0..60)
            .map(|at| {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
                let goroutine = (random >> 40) as usize % 4;
                steps[goroutine] += 1;
                span(goroutine, at, states[(steps[goroutine] + goroutine) % 4])
            })
            .collect();
        for (size, count) in (1..=20).flat_map(|size| (0..=60).map(move |count| (size, count))) {
            let mut chunk = StateChunk::of_size(size);
            let mut seen: Vec<StateSpan> = Vec::new();
            let mut drain = |chunk: &mut StateChunk, is_last: bool| {
                chunk.drain(is_last, |range| {
                    let range: Vec<StateSpan> = range.copied().collect();
                    let last = range.last().expect("no range is empty");
                    assert!(range.iter().all(|span| span.goroutine == last.goroutine));
                    // What follows the loss of its proc must be in the same range.
                    assert!(is_last || last.state != State::Syscall, "{size} {count}");
                    seen.extend(range);
                });
            };
            for span in &spans[..count] {
                if chunk.push(span) {
                    drain(&mut chunk, false);
                }
            }
            drain(&mut chunk, true);
            // Those of each goroutine in order, none twice, none lost.
            let key = |span: &StateSpan| (span.goroutine.row(), span.start_ns);
            assert!(
                seen.chunk_by(|a, b| key(a).0 == key(b).0).all(|one| one.is_sorted_by_key(key))
            );
            seen.sort_by_key(|span| span.start_ns);
            assert!(seen.iter().map(key).eq(spans[..count].iter().map(key)), "{size} {count}");
        }
    }
}
