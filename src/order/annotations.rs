//! What of the program's own annotations is under way: its tasks, and the regions of its goroutines.
//!
//! A region costs no allocation and no look-up by its name: names are numbered, open regions stand
//! in one list, and each goroutine knows its innermost.

use crate::wire::v2::Tables;
use rustc_hash::FxHashMap;

/// A name's number.
type Name = u32;

/// An open region: its place in the list plus 1; 0 for none.
pub type RegionSlot = u32;

/// Names beyond which those that nothing needs any more are forgotten.
const MANY_NAMES: usize = 1024;

struct Task {
    parent: u64,
    name: Name,
}

struct Region {
    task: u64,
    name: Name,
    /// The region around it, or the next free place.
    outer: RegionSlot,
}

/// How a region ended.
pub enum RegionEnd {
    /// As it should, or before the trace nothing of it was seen.
    Proper,
    /// While another was the innermost, which has this name.
    Misplaced(Box<[u8]>),
}

/// Tasks and regions that have begun and not ended.
#[derive(Default)]
pub struct Annotations {
    tasks: FxHashMap<u64, Task>,
    regions: Vec<Region>,
    free: RegionSlot,
    open: usize,
    names: Names,
}

impl Annotations {
    /// A generation begins: strings have other numbers.
    pub fn begin_generation(&mut self) {
        self.names.begin_generation();
        if self.names.texts.len() > MANY_NAMES.max(2 * (self.tasks.len() + self.open)) {
            let old = std::mem::take(&mut self.names);
            // Free places are renamed too; their name does not matter.
            let names = self.tasks.values_mut().map(|task| &mut task.name);
            for name in names.chain(self.regions.iter_mut().map(|region| &mut region.name)) {
                *name = self.names.number(&old.texts[*name as usize]);
            }
        }
    }

    /// Forgets all regions, as at the start of a trace. Tasks go on over gaps.
    pub fn forget_regions(&mut self) {
        self.regions.clear();
        (self.free, self.open) = (0, 0);
    }

    /// A task begins; `false` if one with its number is under way already.
    pub fn begin_task(&mut self, task: u64, parent: u64, name: u64, tables: &Tables) -> bool {
        let name = self.names.of(name, tables);
        self.tasks.insert(task, Task { parent, name }).is_none()
    }

    /// A task ends: its parent, and its name as an extra string; `None` if it did not begin in what
    /// is known of the trace.
    pub fn end_task(&mut self, task: u64, tables: &mut Tables) -> Option<(u64, u64)> {
        let Task { parent, name } = self.tasks.remove(&task)?;
        Some((parent, self.names.extra_string(name, tables)))
    }

    /// A region begins inside another one; gives the new innermost.
    pub fn begin_region(
        &mut self,
        outer: RegionSlot,
        task: u64,
        name: u64,
        tables: &Tables,
    ) -> RegionSlot {
        let region = Region { task, name: self.names.of(name, tables), outer };
        self.open += 1;
        if self.free == 0 {
            self.regions.push(region);
            return self.regions.len() as RegionSlot;
        }
        let slot = self.free;
        let place = &mut self.regions[slot as usize - 1];
        self.free = place.outer;
        *place = region;
        slot
    }

    /// A region of a goroutine ends; `innermost` is replaced by the new innermost.
    pub fn end_region(
        &mut self,
        innermost: &mut RegionSlot,
        task: u64,
        name: u64,
        tables: &Tables,
    ) -> RegionEnd {
        let name = self.names.of(name, tables);
        let Some(first) = self.region(*innermost) else { return RegionEnd::Proper };
        if (first.task, first.name) == (task, name) {
            let outer = first.outer;
            self.free_region(*innermost);
            *innermost = outer;
            return RegionEnd::Proper;
        }
        let misplaced = RegionEnd::Misplaced(self.names.texts[first.name as usize].clone());
        let (mut inner, mut slot) = (*innermost, first.outer);
        while let Some(region) = self.region(slot) {
            let outer = region.outer;
            if (region.task, region.name) == (task, name) {
                self.regions[inner as usize - 1].outer = outer;
                self.free_region(slot);
                break;
            }
            (inner, slot) = (slot, outer);
        }
        misplaced
    }

    /// A goroutine ends, and with it its regions.
    pub fn end_regions(&mut self, mut innermost: RegionSlot) {
        while let Some(region) = self.region(innermost) {
            let outer = region.outer;
            self.free_region(innermost);
            innermost = outer;
        }
    }

    fn region(&self, slot: RegionSlot) -> Option<&Region> {
        self.regions.get((slot as usize).checked_sub(1)?)
    }

    fn free_region(&mut self, slot: RegionSlot) {
        self.regions[slot as usize - 1].outer = self.free;
        self.free = slot;
        self.open -= 1;
    }
}

/// Names with numbers that hold over generations.
#[derive(Default)]
struct Names {
    texts: Vec<Box<[u8]>>,
    numbers: FxHashMap<Box<[u8]>, Name>,
    /// By position among the strings of the generation: name plus 1, 0 for not asked yet.
    of_string: Vec<Name>,
    /// By name: the extra string of the generation, 0 for not asked yet.
    extra: Vec<u64>,
}

impl Names {
    fn begin_generation(&mut self) {
        self.of_string.clear();
        self.extra.clear();
    }

    /// The name that a string of the generation is. One that is not defined is empty.
    #[inline(always)]
    fn of(&mut self, string: u64, tables: &Tables) -> Name {
        let position = tables.string_position(string).unwrap_or(usize::MAX);
        match self.of_string.get(position) {
            Some(&name) if name != 0 => name - 1,
            _ => self.first_of(string, position, tables),
        }
    }

    #[cold]
    fn first_of(&mut self, string: u64, position: usize, tables: &Tables) -> Name {
        let name = self.number(tables.string(string).unwrap_or(b""));
        if position < tables.string_count() {
            if position >= self.of_string.len() {
                self.of_string.resize(tables.string_count(), 0);
            }
            self.of_string[position] = name + 1;
        }
        name
    }

    fn number(&mut self, text: &[u8]) -> Name {
        if let Some(&name) = self.numbers.get(text) {
            return name;
        }
        let name = self.texts.len() as Name;
        self.texts.push(text.into());
        self.numbers.insert(text.into(), name);
        name
    }

    fn extra_string(&mut self, name: Name, tables: &mut Tables) -> u64 {
        let at = name as usize;
        if let Some(&id) = self.extra.get(at).filter(|id| **id != 0) {
            return id;
        }
        if at >= self.extra.len() {
            self.extra.resize(self.texts.len(), 0);
        }
        self.extra[at] = tables.add_extra_string(&self.texts[at]);
        self.extra[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(strings: &[(u64, &str)]) -> Tables {
        let mut tables = Tables::default();
        for (id, text) in strings {
            assert!(tables.add_string(*id, text.as_bytes()));
        }
        tables
    }

    fn is_proper(end: RegionEnd) -> bool {
        matches!(end, RegionEnd::Proper)
    }

    #[test]
    fn regions_end_by_task_and_name_over_generations() {
        let mut all = Annotations::default();
        let first = tables(&[(1, "outer"), (2, "inner")]);
        all.begin_generation();
        let outer = all.begin_region(0, 7, 1, &first);
        let mut innermost = all.begin_region(outer, 7, 2, &first);
        let second = tables(&[(9, "inner"), (4, "outer")]);
        all.begin_generation();
        match all.end_region(&mut innermost, 7, 4, &second) {
            RegionEnd::Misplaced(name) => assert_eq!(&*name, b"inner"),
            RegionEnd::Proper => panic!("the inner one is open"),
        }
        assert!(!is_proper(all.end_region(&mut innermost, 8, 9, &second)), "of another task");
        assert!(is_proper(all.end_region(&mut innermost, 7, 9, &second)));
        assert_eq!((innermost, all.open), (0, 0));
        assert!(is_proper(all.end_region(&mut innermost, 7, 9, &second)), "nothing is open");
    }

    #[test]
    fn places_and_names_are_used_again() {
        let mut all = Annotations::default();
        for generation in 0..50 {
            let names: Vec<(u64, String)> =
                (1..200).map(|id| (id, format!("name {generation} {id}"))).collect();
            let names: Vec<(u64, &str)> = names.iter().map(|(id, name)| (*id, &**name)).collect();
            let tables = tables(&names);
            all.begin_generation();
            for id in 1..200 {
                let outer = all.begin_region(0, 0, id, &tables);
                let inner = all.begin_region(outer, 0, id, &tables);
                all.end_regions(inner);
            }
        }
        assert_eq!((all.regions.len(), all.open), (2, 0));
        assert!(all.names.texts.len() <= MANY_NAMES + 200, "{}", all.names.texts.len());
    }

    #[test]
    fn a_task_keeps_its_name() {
        let mut all = Annotations::default();
        let mut first = tables(&[(1, "request")]);
        all.begin_generation();
        assert!(all.begin_task(5, 3, 1, &first));
        assert!(!all.begin_task(5, 3, 1, &first), "it is under way");
        assert!(all.begin_task(6, 5, 77, &first), "its name is missing");
        let (parent, name) = all.end_task(5, &mut first).unwrap();
        assert_eq!((parent, first.extra_string(name)), (3, &b"request"[..]));
        let mut second = tables(&[]);
        all.begin_generation();
        let (parent, name) = all.end_task(6, &mut second).unwrap();
        assert_eq!((parent, second.extra_string(name)), (5, &b""[..]));
        assert!(all.end_task(6, &mut second).is_none());
    }
}
