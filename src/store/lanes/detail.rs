//! What of a lane is drawn: states that are wide enough one by one, the others by what they sum up to.

use super::class::Class;
use super::packed::{Entry, GAP};
use super::packed_file::{Stretch, Visitor};

/// A piece of a lane: one state, or some that are too short to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// When it begins, or the window if that is later; nanoseconds since the beginning of the trace.
    pub start_ns: i64,
    /// When it ends, or the window if that is earlier.
    pub end_ns: i64,
    /// Row of `raw_goroutine_states`: of the only state, or of the first that has one; 0 for none, as
    /// where a proc is idle. States of a goroutine have rows that follow each other nearly always.
    pub state_id: i64,
    /// How many states it is.
    pub count: u64,
    /// What took most of the time.
    pub main: Class,
    /// What took most of the rest; the same as `main` if there is nothing else.
    pub second: Class,
    /// Share of `main` in the time from start to end, of 255.
    pub main_share: u8,
    /// Share of `second`; 0 if there is nothing else.
    pub second_share: u8,
}

/// What an item is made of.
#[derive(Clone, Copy)]
pub struct Pile {
    pub start_ns: i64,
    pub end_ns: i64,
    pub state_id: i64,
    pub count: u64,
    /// Time and states by class, gaps among them.
    pub ns: [i64; 16],
    pub states: [u32; 16],
}

impl Pile {
    fn of(state: &Entry) -> Pile {
        let mut pile = Pile::empty(state.start_ns, state.state_id);
        pile.add(state.class, 1, state.end_ns - state.start_ns);
        pile.end_ns = state.end_ns;
        pile
    }

    fn empty(start_ns: i64, state_id: i64) -> Pile {
        Pile { start_ns, end_ns: start_ns, state_id, count: 0, ns: [0; 16], states: [0; 16] }
    }

    #[inline(always)]
    fn add(&mut self, class: u8, states: u32, ns: i64) {
        let class = usize::from(class & 15);
        self.ns[class] = self.ns[class].saturating_add(ns);
        self.states[class] = self.states[class].saturating_add(states);
        self.count += u64::from(states);
    }
}

impl From<&Pile> for Item {
    fn from(pile: &Pile) -> Item {
        // By time; where that is equal, as between states without any, by their number.
        let weight = |class: Class| (pile.ns[class as usize], pile.states[class as usize]);
        let (mut main, mut second) = (None, None);
        for class in Class::ALL {
            if pile.states[class as usize] == 0 {
                continue;
            }
            let is_more =
                |than: Option<Class>| than.is_none_or(|than| weight(class) > weight(than));
            if is_more(main) {
                (main, second) = (Some(class), main);
            } else if is_more(second) {
                second = Some(class);
            }
        }
        let main = main.unwrap_or(Class::Undetermined);
        let length = pile.end_ns.saturating_sub(pile.start_ns);
        let share = |class: Class| match (length, pile.ns[class as usize]) {
            (_, 0) => 0,
            // What is there is seen.
            (length, ns) => {
                (ns as f64 / length.max(1) as f64 * 255.0).round().clamp(1.0, 255.0) as u8
            }
        };
        let second_share = second.map_or(0, share);
        let main_share = if length == 0 { 255 } else { share(main).min(255 - second_share) };
        Item {
            start_ns: pile.start_ns,
            end_ns: pile.end_ns,
            state_id: pile.state_id,
            count: pile.count,
            main,
            second: second.unwrap_or(main),
            main_share,
            second_share,
        }
    }
}

/// Cuts a lane into piles.
pub struct Piler<F: FnMut(&Pile)> {
    from_ns: i64,
    quantum_ns: i64,
    /// The pile that grows, and the number of the quantum in which it began.
    growing: Option<(i64, Pile)>,
    take: F,
}

impl<F: FnMut(&Pile)> Piler<F> {
    /// From the beginning of the window on; a state as long as the quantum, nanoseconds, is a pile of its
    /// own.
    pub fn new(from_ns: i64, quantum_ns: i64, take: F) -> Self {
        Piler { from_ns, quantum_ns: quantum_ns.max(1), growing: None, take }
    }

    /// Takes piles together that others cut more finely.
    pub fn coarsen(&mut self, pile: &Pile) {
        let ns = pile.end_ns.saturating_sub(pile.start_ns);
        if pile.count == 1 && ns >= self.quantum_ns {
            self.end();
            return (self.take)(pile);
        }
        let growing = self.pile(pile.start_ns, pile.end_ns, pile.state_id);
        for class in 0..16 {
            growing.ns[class] = growing.ns[class].saturating_add(pile.ns[class]);
            growing.states[class] = growing.states[class].saturating_add(pile.states[class]);
        }
        growing.count += pile.count;
    }

    /// Hands out the last one.
    pub fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some((_, pile)) = self.growing.take() {
            (self.take)(&pile);
        }
    }

    /// The pile into which goes what begins and ends then.
    #[inline(always)]
    fn pile(&mut self, start_ns: i64, end_ns: i64, state_id: i64) -> &mut Pile {
        let place = start_ns.saturating_sub(self.from_ns) / self.quantum_ns;
        if self.growing.as_ref().is_some_and(|(begun, _)| *begun != place) {
            self.end();
        }
        let (_, pile) =
            self.growing.get_or_insert_with(|| (place, Pile::empty(start_ns, state_id)));
        if pile.state_id == 0 {
            pile.state_id = state_id;
        }
        pile.end_ns = end_ns;
        pile
    }
}

impl<F: FnMut(&Pile)> Visitor for Piler<F> {
    fn stretch(&mut self, stretch: &Stretch<'_>) -> bool {
        if stretch.end_ns.saturating_sub(stretch.start_ns) >= self.quantum_ns {
            return false;
        }
        let pile = self.pile(stretch.start_ns, stretch.end_ns, stretch.first_id);
        for &(class, states, ns) in stretch.sums.parts() {
            pile.add(class, states, ns);
        }
        true
    }

    fn state(&mut self, state: &Entry) {
        debug_assert_ne!(state.class, GAP);
        let ns = state.end_ns.saturating_sub(state.start_ns);
        if ns >= self.quantum_ns {
            self.end();
            (self.take)(&Pile::of(state));
            return;
        }
        self.pile(state.start_ns, state.end_ns, state.state_id).add(state.class, 1, ns);
    }
}
