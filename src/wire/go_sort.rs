//! Go's unstable sort, to the swap.
//!
//! Comes in: a slice and what is less. Goes out: the slice in the order that Go's `slices.SortFunc`
//! leaves it in. Where two threads' events or two CPU samples have the same time, Go's reader takes
//! the one that this sort happens to leave first. To give the same order, gotrace must sort the same
//! way: this follows the algorithm of Go 1.27 `slices/zsortanyfunc.go` (pattern-defeating
//! quicksort with insertion sort up to 12 elements) step by step.
//!
//! It stands here, below the ordering, because the samples are sorted when a generation has been read.

/// Longest run that is sorted by insertion.
const MAX_INSERTION: usize = 12;

/// Sorts `data` by `less` and leaves equal elements in the order Go's `slices.SortFunc` does.
pub fn sort_like_go<T>(data: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let len = data.len();
    Sorter { data, less }.pdq(0, len, bits_len(len));
}

/// Number of bits needed to write `n`, as Go's `bits.Len`.
fn bits_len(n: usize) -> u32 {
    usize::BITS - n.leading_zeros()
}

#[derive(PartialEq)]
enum Hint {
    Increasing,
    Decreasing,
    Unknown,
}

struct Sorter<'a, T, F> {
    data: &'a mut [T],
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn lt(&self, i: usize, j: usize) -> bool {
        (self.less)(&self.data[i], &self.data[j])
    }

    fn pdq(&mut self, mut a: usize, mut b: usize, mut limit: u32) {
        let mut was_balanced = true;
        let mut was_partitioned = true;
        loop {
            let len = b - a;
            if len <= MAX_INSERTION {
                return self.insertion(a, b);
            }
            if limit == 0 {
                return self.heap(a, b);
            }
            if !was_balanced {
                self.break_patterns(a, b);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(a, b);
            if hint == Hint::Decreasing {
                self.data[a..b].reverse();
                pivot = (b - 1) - (pivot - a);
                hint = Hint::Increasing;
            }
            if was_balanced
                && was_partitioned
                && hint == Hint::Increasing
                && self.partial_insertion(a, b)
            {
                return;
            }
            if a > 0 && !self.lt(a - 1, pivot) {
                a = self.partition_equal(a, b, pivot);
                continue;
            }
            let (mid, already) = self.partition(a, b, pivot);
            was_partitioned = already;
            let (left, right) = (mid - a, b - mid);
            let threshold = len / 8;
            if left < right {
                was_balanced = left >= threshold;
                self.pdq(a, mid, limit);
                a = mid + 1;
            } else {
                was_balanced = right >= threshold;
                self.pdq(mid + 1, b, limit);
                b = mid;
            }
        }
    }

    fn insertion(&mut self, a: usize, b: usize) {
        for i in a + 1..b {
            let mut j = i;
            while j > a && self.lt(j, j - 1) {
                self.data.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    fn sift_down(&mut self, mut root: usize, hi: usize, first: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= hi {
                return;
            }
            if child + 1 < hi && self.lt(first + child, first + child + 1) {
                child += 1;
            }
            if !self.lt(first + root, first + child) {
                return;
            }
            self.data.swap(first + root, first + child);
            root = child;
        }
    }

    fn heap(&mut self, a: usize, b: usize) {
        let len = b - a;
        for i in (0..=(len - 1) / 2).rev() {
            self.sift_down(i, len, a);
        }
        for i in (0..len).rev() {
            self.data.swap(a, a + i);
            self.sift_down(0, i, a);
        }
    }

    /// Moves elements smaller than the pivot before it and the others behind it.
    fn partition(&mut self, a: usize, b: usize, pivot: usize) -> (usize, bool) {
        self.data.swap(a, pivot);
        // Both ends are inclusive; `j` never passes below `a`.
        let (mut i, mut j) = (a + 1, b - 1);
        let mut already = true;
        loop {
            while i <= j && self.lt(i, a) {
                i += 1;
            }
            while i <= j && !self.lt(j, a) {
                j -= 1;
            }
            if i > j {
                break;
            }
            self.data.swap(i, j);
            already = false;
            i += 1;
            j -= 1;
        }
        self.data.swap(j, a);
        (j, already)
    }

    /// Moves elements equal to the pivot before the greater ones.
    fn partition_equal(&mut self, a: usize, b: usize, pivot: usize) -> usize {
        self.data.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        loop {
            while i <= j && !self.lt(a, i) {
                i += 1;
            }
            while i <= j && self.lt(a, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.data.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    /// Tries to finish a nearly sorted run with a few shifts.
    fn partial_insertion(&mut self, a: usize, b: usize) -> bool {
        const MAX_STEPS: usize = 5;
        const SHORTEST_SHIFTING: usize = 50;
        let mut i = a + 1;
        for _ in 0..MAX_STEPS {
            while i < b && !self.lt(i, i - 1) {
                i += 1;
            }
            if i == b {
                return true;
            }
            if b - a < SHORTEST_SHIFTING {
                return false;
            }
            self.data.swap(i, i - 1);
            if i - a >= 2 {
                for j in (1..i).rev() {
                    if !self.lt(j, j - 1) {
                        break;
                    }
                    self.data.swap(j, j - 1);
                }
            }
            if b - i >= 2 {
                for j in i + 1..b {
                    if !self.lt(j, j - 1) {
                        break;
                    }
                    self.data.swap(j, j - 1);
                }
            }
        }
        false
    }

    fn break_patterns(&mut self, a: usize, b: usize) {
        let len = b - a;
        if len < 8 {
            return;
        }
        let mut random = len as u64;
        let mask = (1u64 << bits_len(len)) - 1;
        let middle = a + (len / 4) * 2;
        for index in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = (random & mask) as usize;
            if other >= len {
                other -= len;
            }
            self.data.swap(index, a + other);
        }
    }

    fn choose_pivot(&self, a: usize, b: usize) -> (usize, Hint) {
        const SHORTEST_NINTHER: usize = 50;
        const MAX_SWAPS: usize = 12;
        let len = b - a;
        let mut swaps = 0;
        let (mut i, mut j, mut k) = (a + len / 4, a + len / 4 * 2, a + len / 4 * 3);
        if len >= 8 {
            if len >= SHORTEST_NINTHER {
                i = self.median(i - 1, i, i + 1, &mut swaps);
                j = self.median(j - 1, j, j + 1, &mut swaps);
                k = self.median(k - 1, k, k + 1, &mut swaps);
            }
            j = self.median(i, j, k, &mut swaps);
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            MAX_SWAPS => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        (j, hint)
    }

    fn median(&self, a: usize, b: usize, c: usize, swaps: &mut usize) -> usize {
        let mut order = |x, y| {
            if self.lt(y, x) {
                *swaps += 1;
                (y, x)
            } else {
                (x, y)
            }
        };
        let (a, b) = order(a, b);
        let (b, _) = order(b, c);
        let (_, b) = order(a, b);
        b
    }
}

#[cfg(test)]
mod tests {
    use super::sort_like_go;

    /// The order in which Go 1.27's `slices.SortFunc` leaves these pairs, sorted by the first
    /// number only. Recorded with a Go program that fills the slice with the same generator.
    #[test]
    fn equal_elements_end_where_go_leaves_them() {
        let expected = include_str!("go_sort_expected.txt");
        let mut lines = expected.lines();
        for (len, distinct) in
            [(5, 2), (12, 3), (13, 3), (40, 5), (64, 7), (100, 4), (1000, 30), (3000, 3000)]
        {
            let mut state = len as u64;
            let mut data: Vec<(u64, usize)> = (0..len)
                .map(|i| {
                    state =
                        state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    ((state >> 33) % distinct, i)
                })
                .collect();
            sort_like_go(&mut data, |a, b| a.0 < b.0);
            let got: Vec<String> = data.iter().map(|pair| pair.1.to_string()).collect();
            assert_eq!(got.join(" "), lines.next().unwrap(), "{len} elements");
        }
        assert!(lines.next().is_none());
    }

    #[test]
    fn patterns_are_sorted() {
        for len in [0, 1, 2, 13, 50, 200, 1000] {
            let patterns: [fn(usize, usize) -> usize; 4] = [
                |i, _| i,
                |i, len| len - i,
                |i, len| i % (len / 7 + 1),
                |i, len| if i < len / 2 { i } else { len - i },
            ];
            for pattern in patterns {
                let mut data: Vec<usize> = (0..len).map(|i| pattern(i, len)).collect();
                sort_like_go(&mut data, |a, b| a < b);
                assert!(data.is_sorted());
            }
        }
    }
}
