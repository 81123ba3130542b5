//! The goroutines that live, found by number without hashing.
//!
//! Goroutine numbers grow without bound and are handed out in small blocks per proc, so live ones
//! cluster. Pages of slots over the number give a look-up of two loads; a page goes when its last
//! goroutine ends, so memory follows the live goroutines, not the numbers ever used.

use super::annotations::RegionSlot;
use super::event::GoSlot;
use std::collections::HashMap;

const PAGE_BITS: u32 = 8;
const PAGE_LEN: usize = 1 << PAGE_BITS;
/// Most entries of the page directory: 32 MB, enough for goroutine number 2^30.
const MAX_DIRECTORY: usize = 1 << 22;
/// Most pages: 64 MB. Beyond both, numbers are hashed.
const MAX_PAGES: usize = 1 << 16;

struct Page {
    live: u32,
    /// Slot + 1, 0 for none.
    slots: [u32; PAGE_LEN],
}

/// What ordering knows about a live goroutine.
#[derive(Debug, Clone, Default)]
pub struct Goroutine {
    /// Its number.
    pub goid: i64,
    /// The last sequence number used on it.
    pub seq: u64,
    /// The generation `seq` belongs to, as the orderer counts them.
    pub seq_generation: u32,
    /// Wire status, see [`super::status`].
    pub status: u8,
    /// Whether a mark assist is under way.
    pub in_mark_assist: bool,
    /// Its innermost open region; 0 for none.
    pub innermost_region: RegionSlot,
}

/// What is known about a goroutine begins with its number.
pub trait Numbered {
    /// The number of the goroutine.
    fn goid(&self) -> i64;
}

impl Numbered for Goroutine {
    fn goid(&self) -> i64 {
        self.goid
    }
}

/// Live goroutines by number and by slot. `G` is what is known about each.
pub struct Goroutines<G = Goroutine> {
    directory: Vec<Option<Box<Page>>>,
    pages: usize,
    hashed: HashMap<i64, GoSlot>,
    slots: Vec<G>,
    free: Vec<GoSlot>,
}

impl<G> Default for Goroutines<G> {
    fn default() -> Self {
        Goroutines {
            directory: Vec::new(),
            pages: 0,
            hashed: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<G: Numbered> Goroutines<G> {
    /// Finds a live goroutine.
    #[inline(always)]
    pub fn find(&self, goid: i64) -> Option<GoSlot> {
        let index = goid as usize >> PAGE_BITS;
        if let Some(Some(page)) = self.directory.get(index) {
            let slot = page.slots[goid as usize & (PAGE_LEN - 1)];
            if slot != 0 {
                return Some(slot - 1);
            }
        }
        if self.hashed.is_empty() { None } else { self.hashed.get(&goid).copied() }
    }

    /// A live goroutine.
    #[inline(always)]
    pub fn get(&mut self, slot: GoSlot) -> &mut G {
        &mut self.slots[slot as usize]
    }

    /// Adds a goroutine that does not live yet.
    pub fn add(&mut self, goroutine: G) -> GoSlot {
        let goid = goroutine.goid();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = goroutine;
                slot
            }
            None => {
                self.slots.push(goroutine);
                (self.slots.len() - 1) as GoSlot
            }
        };
        let index = goid as usize >> PAGE_BITS;
        if goid < 0 || index >= MAX_DIRECTORY || self.pages >= MAX_PAGES {
            self.hashed.insert(goid, slot);
            return slot;
        }
        if index >= self.directory.len() {
            self.directory.resize_with(index + 1, || None);
        }
        let page = self.directory[index].get_or_insert_with(|| {
            self.pages += 1;
            Box::new(Page { live: 0, slots: [0; PAGE_LEN] })
        });
        page.live += 1;
        page.slots[goid as usize & (PAGE_LEN - 1)] = slot + 1;
        slot
    }

    /// Removes a live goroutine. Its slot is used again for the next one added.
    pub fn remove(&mut self, slot: GoSlot) {
        let goid = self.slots[slot as usize].goid();
        self.free.push(slot);
        let index = goid as usize >> PAGE_BITS;
        if let Some(entry @ Some(_)) = self.directory.get_mut(index) {
            let page = entry.as_mut().expect("matched above");
            let place = &mut page.slots[goid as usize & (PAGE_LEN - 1)];
            if *place == slot + 1 {
                *place = 0;
                page.live -= 1;
                if page.live == 0 {
                    *entry = None;
                    self.pages -= 1;
                }
                return;
            }
        }
        self.hashed.remove(&goid);
    }

    /// Forgets all goroutines.
    pub fn clear(&mut self) {
        *self = Goroutines::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goroutines_are_found_by_number_whatever_the_number_and_leave_nothing_behind() {
        let mut all = Goroutines::default();
        let numbers = [1, 2, 255, 256, 257, 1 << 29, 1 << 40, i64::MAX, -7];
        let add = |all: &mut Goroutines, goid| all.add(Goroutine { goid, ..Goroutine::default() });
        let slots: Vec<GoSlot> = numbers.iter().map(|&goid| add(&mut all, goid)).collect();
        for (&goid, &slot) in numbers.iter().zip(&slots) {
            assert_eq!(all.find(goid), Some(slot), "{goid}");
        }
        assert_eq!(all.find(3), None);
        for &slot in &slots {
            all.remove(slot);
        }
        assert!(numbers.iter().all(|&goid| all.find(goid).is_none()));
        assert_eq!((all.pages, all.hashed.len()), (0, 0));
        assert_eq!(add(&mut all, 4), *slots.last().unwrap());
    }
}
