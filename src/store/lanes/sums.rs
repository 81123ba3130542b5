//! Exact sums over lanes: of a window, and of each of its columns.

use super::class::CLASSES;
use super::packed::Entry;
use super::packed_file::{Stretch, Visitor};

/// Time and number of states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Nanoseconds.
    pub ns: i64,
    /// States that lie in the window, or reach into it.
    pub states: u64,
}

/// By class.
pub type ClassSums = [Sum; CLASSES];

/// Sums up a window.
#[derive(Default)]
pub struct Summer {
    pub sums: ClassSums,
}

impl Summer {
    #[inline(always)]
    fn add(&mut self, class: u8, states: u64, ns: i64) {
        // Gaps are of no class.
        if let Some(sum) = self.sums.get_mut(usize::from(class)) {
            sum.ns = sum.ns.saturating_add(ns);
            sum.states += states;
        }
    }
}

impl Visitor for Summer {
    fn stretch(&mut self, stretch: &Stretch<'_>) -> bool {
        for &(class, states, ns) in stretch.sums.parts() {
            self.add(class, u64::from(states), ns);
        }
        true
    }

    fn state(&mut self, state: &Entry) {
        self.add(state.class, 1, state.end_ns.saturating_sub(state.start_ns));
    }
}

/// Nanoseconds by class of a column.
pub type Column = [i64; CLASSES];

/// A window cut into columns of equal width: column `i` of `n` begins at `length * i / n`, rounded down,
/// behind the beginning.
#[derive(Clone, Copy)]
pub struct Grid {
    from_ns: i64,
    length_ns: u64,
    columns: u64,
}

impl Grid {
    /// Of a window that is not empty, in at least one column.
    pub fn new((from_ns, to_ns): (i64, i64), columns: usize) -> Grid {
        let length_ns = to_ns.saturating_sub(from_ns).max(1) as u64;
        Grid { from_ns, length_ns, columns: columns.max(1) as u64 }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns as usize
    }

    /// When a column begins; the number of columns for the end of the last.
    pub fn border_ns(&self, column: usize) -> i64 {
        let offset = u128::from(self.length_ns) * column as u128 / u128::from(self.columns);
        self.from_ns.saturating_add(offset as i64)
    }

    /// The column in which a time of the window lies.
    #[inline(always)]
    fn column_at(&self, ns: i64) -> usize {
        let offset = ns.saturating_sub(self.from_ns).max(0) as u64;
        // The last column whose border, rounded down, is not behind it.
        let column = match (offset + 1).checked_mul(self.columns) {
            Some(product) => (product - 1) / self.length_ns,
            None => {
                let product = (u128::from(offset) + 1) * u128::from(self.columns);
                ((product - 1) / u128::from(self.length_ns)) as u64
            }
        };
        column.min(self.columns - 1) as usize
    }
}

/// Sums up the columns of a window.
pub struct Columns {
    grid: Grid,
    pub columns: Vec<Column>,
}

impl Columns {
    pub fn new(grid: Grid) -> Columns {
        Columns { grid, columns: vec![[0; CLASSES]; grid.columns()] }
    }

    #[inline(always)]
    fn add(&mut self, column: usize, class: u8, ns: i64) {
        if let Some(sum) = self.columns[column].get_mut(usize::from(class)) {
            *sum = sum.saturating_add(ns);
        }
    }
}

impl Visitor for Columns {
    fn stretch(&mut self, stretch: &Stretch<'_>) -> bool {
        let column = self.grid.column_at(stretch.start_ns);
        if stretch.end_ns > self.grid.border_ns(column + 1) {
            return false;
        }
        for &(class, _, ns) in stretch.sums.parts() {
            self.add(column, class, ns);
        }
        true
    }

    fn state(&mut self, state: &Entry) {
        let mut column = self.grid.column_at(state.start_ns);
        let mut start_ns = state.start_ns;
        while start_ns < state.end_ns {
            let end_ns = match column + 1 < self.grid.columns() {
                true => self.grid.border_ns(column + 1).min(state.end_ns),
                false => state.end_ns,
            };
            self.add(column, state.class, end_ns.saturating_sub(start_ns));
            start_ns = end_ns;
            column = (column + 1).min(self.grid.columns() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_in_the_column_whose_borders_are_around_it() {
        for (length, columns) in [(1, 1), (10, 3), (7, 7), (5, 8), (1000, 999), (1 << 40, 1600)] {
            let grid = Grid::new((100, 100 + length), columns);
            assert_eq!((grid.border_ns(0), grid.border_ns(columns)), (100, 100 + length));
            let borders = (0..columns).map(|column| grid.border_ns(column));
            for ns in borders.flat_map(|ns| [ns - 1, ns, ns + 1]) {
                if (100..100 + length).contains(&ns) {
                    let column = grid.column_at(ns);
                    let around = grid.border_ns(column)..grid.border_ns(column + 1);
                    assert!(around.contains(&ns), "{length} {columns} {ns}");
                }
            }
        }
        let long = Grid::new((-(1 << 57), 1 << 57), 8192);
        assert_eq!(long.column_at(0), 4096);
        assert_eq!(long.column_at((1 << 57) - 1), 8191);
    }
}
