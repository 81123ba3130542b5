//! Which thread's event is next: a min-heap of the threads by the time of their next event.
//!
//! It is the heap of Go 1.27 `internal/trace/batchcursor.go`, operation for operation, because
//! which of two threads with equal times comes first depends on how the heap was built.

use crate::wire::sort_like_go;

/// A thread's next event.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Its time, nanoseconds on the trace's clock.
    pub time: i64,
    /// Index of the thread's cursor.
    pub cursor: u32,
}

/// The heap.
#[derive(Debug, Default)]
pub struct Frontier {
    heap: Vec<Candidate>,
}

impl Frontier {
    pub fn clear(&mut self) {
        self.heap.clear();
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<Candidate> {
        self.heap.get(index).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.heap.iter()
    }

    /// The time up to which the first candidate stays first if only it moves on.
    #[inline(always)]
    pub fn runner_up(&self) -> i64 {
        let child =
            |index: usize| self.heap.get(index).map_or(i64::MAX, |candidate| candidate.time);
        child(1).min(child(2))
    }

    pub fn insert(&mut self, candidate: Candidate) {
        self.heap.push(candidate);
        self.sift_up(self.heap.len() - 1);
    }

    /// The candidate at `index` has a new time.
    #[inline]
    pub fn update(&mut self, index: usize, time: i64) {
        self.heap[index].time = time;
        if self.sift_up(index) == index {
            self.sift_down(index);
        }
    }

    /// The thread of the candidate at `index` has no more events.
    pub fn remove(&mut self, mut index: usize) {
        while index > 0 {
            let parent = (index - 1) / 2;
            self.heap.swap(parent, index);
            index = parent;
        }
        self.heap.swap_remove(0);
        self.sift_down(0);
    }

    /// Sorts all candidates by time. A sorted heap is still a heap.
    pub fn sort(&mut self) {
        sort_like_go(&mut self.heap, |a, b| a.time < b.time);
    }

    fn sift_up(&mut self, mut index: usize) -> usize {
        while index > 0 {
            let parent = (index - 1) / 2;
            if self.heap[parent].time <= self.heap[index].time {
                break;
            }
            self.heap.swap(parent, index);
            index = parent;
        }
        index
    }

    fn sift_down(&mut self, mut index: usize) {
        loop {
            let mut least = index;
            let mut least_time = match self.heap.get(index) {
                Some(candidate) => candidate.time,
                None => return,
            };
            for child in [2 * index + 1, 2 * index + 2] {
                if let Some(candidate) = self.heap.get(child)
                    && candidate.time < least_time
                {
                    least = child;
                    least_time = candidate.time;
                }
            }
            if least == index {
                return;
            }
            self.heap.swap(index, least);
            index = least;
        }
    }
}
