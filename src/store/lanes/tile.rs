//! Tiles: what a page draws, 32 rows of a stretch of time, as bytes.

use super::class::{CLASSES, Class};
use super::detail::{Item, Pile, Piler};
use super::order::{Order, Row};
use super::packed_file::Room;
use super::sums::Column;
use super::{LaneId, Lanes};
use crate::store::StoreError;

/// Rows of a tile.
pub const ROWS_OF_TILE: u32 = 32;
/// Pixels that a tile is usually wide.
pub const TILE_PIXELS: u32 = 1024;
/// Most pixels that a tile can be wide.
const MOST_PIXELS: u32 = 8192;
/// Pixels of a column of shares.
const COLUMN_PIXELS: u32 = 4;
/// A row of a lane has at most one item for so many pixels: then it is as large as two rows of shares. A
/// screen of 60 rows of 1,600 pixels has 400 kB at most.
const PIXELS_OF_ITEM: u32 = 4;

/// A tile: rows `32 * block` to `32 * block + 31` of an order, from `x * 2^z` to `(x + 1) * 2^z`
/// nanoseconds, on `px` pixels.
///
/// All numbers are little-endian. A tile begins with
///
/// ```text
/// offset  type
/// 0       4 bytes   "GTL1"
/// 4       u32       rows: 32, or fewer at the end of the order
/// 8       8 bytes   for each row:
///           u8        kind: 0 items, 1 shares
///           3 bytes   0
///           u32       n: number of items or columns
/// ```
///
/// and the payloads follow in the order of the rows: at `8 + 8 * rows`. An **item** is a state, or some
/// that are too narrow to be drawn one by one; those of a row are in order of time. It takes 16 bytes:
///
/// ```text
/// 0       f32       begin, pixels from the left border of the tile, 0 to px
/// 4       f32       end, not before the begin; equal if it lasted no time
/// 8       u32       row in raw_goroutine_states, of the first if there are more; 0 if there is none
/// 12      u32       bits 0-3 class that took most of the time, 4-7 class that took most of the rest
///                   (the same class if there is no other), 8-15 share of the first in the item's
///                   width, of 255, 16-23 share of the second, 24-31 min(255, floor(8 * log2(states)))
/// ```
///
/// What the shares leave of 255 is other classes, or times in which there is nothing. **Shares** are of
/// all lanes of a group together, in columns of 4 pixels (px / 4 of them, at least one), the first at the
/// left border. A column takes 8 bytes:
///
/// ```text
/// 0       u8, u8    class that took most of the time, and its share of 255
/// 2       u8, u8    the next
/// 4       u8, u8    the next
/// 6       u8        share of all other classes together
/// 7       u8        how much of the group is there: that time, of 255 parts of the column's width times
///                   the number of lanes; 0 only if none is there
/// ```
///
/// A share of 255 is the time in which lanes of the group are there, all together: however short-lived
/// its goroutines are, one sees what they did. A class that is not there has share 0, one that is there at
/// least 1.
/// Classes are the numbers of [`Class`]. Where a row would have more than an item for each four pixels,
/// more states are taken together, so that no tile exceeds `8 + 32 * (8 + 4 * px)` bytes.
///
/// A tile outside of the order, or of times that no trace has, has no rows, or rows without items.
pub fn tile(
    lanes: &Lanes,
    order: &Order,
    block: u32,
    z: u8,
    x: u64,
    px: u32,
) -> Result<Vec<u8>, StoreError> {
    let px = px.clamp(COLUMN_PIXELS, MOST_PIXELS);
    let first = block as usize * ROWS_OF_TILE as usize;
    let rows = order.rows().get(first..).unwrap_or_default();
    let rows = &rows[..rows.len().min(ROWS_OF_TILE as usize)];
    let mut painter = Painter {
        lanes,
        window: window(z, x),
        px,
        room: Room::default(),
        piles: Vec::new(),
        coarser: Vec::new(),
        payload: Vec::new(),
    };
    let mut bytes = Vec::new();
    bytes.extend(b"GTL1");
    bytes.extend((rows.len() as u32).to_le_bytes());
    for row in rows {
        let (kind, count) = match *row {
            Row::Lane(lane) => (0, painter.lane(lane)?),
            Row::Group(at) => {
                let group = order.groups().get(at as usize);
                (1, painter.group(group.map_or(&[], |group| order.lanes_of(group)))?)
            }
        };
        bytes.extend([kind, 0, 0, 0]);
        bytes.extend((count as u32).to_le_bytes());
    }
    bytes.append(&mut painter.payload);
    Ok(bytes)
}

/// The times of a tile; `None` if no trace has them.
fn window(z: u8, x: u64) -> Option<(i64, i64)> {
    let width = 1i64.checked_shl(u32::from(z)).filter(|width| *width > 0)?;
    let from = i64::try_from(x).ok()?.checked_mul(width)?;
    Some((from, from.checked_add(width)?))
}

/// Makes the payload of a tile.
struct Painter<'a> {
    lanes: &'a Lanes,
    window: Option<(i64, i64)>,
    px: u32,
    room: Room,
    piles: Vec<Pile>,
    coarser: Vec<Pile>,
    payload: Vec<u8>,
}

impl Painter<'_> {
    /// Adds the items of a lane; returns how many.
    fn lane(&mut self, lane: LaneId) -> Result<usize, StoreError> {
        let Some(window) = self.window else { return Ok(0) };
        let width = window.1.saturating_sub(window.0);
        // The narrowest that can be told apart.
        let mut quantum_ns = (width / i64::from(self.px)).max(1);
        let most = (self.px / PIXELS_OF_ITEM) as usize;
        let Painter { piles, coarser, .. } = self;
        piles.clear();
        let mut piler = Piler::new(window.0, quantum_ns, |pile| piles.push(*pile));
        self.lanes.walk(lane, window, &mut self.room, &mut piler)?;
        piler.finish();
        // At twice the quantum there are at most two for each: one that is wide enough, and one for what
        // lies before it.
        while piles.len() > most && quantum_ns < width {
            quantum_ns = quantum_ns.saturating_mul(2);
            coarser.clear();
            let mut piler = Piler::new(window.0, quantum_ns, |pile| coarser.push(*pile));
            piles.iter().for_each(|pile| piler.coarsen(pile));
            piler.finish();
            std::mem::swap(piles, coarser);
        }
        let pixels = |ns: i64| {
            let offset = ns.saturating_sub(window.0) as f64 / width as f64 * f64::from(self.px);
            offset as f32
        };
        for item in self.piles.iter().map(Item::from) {
            let states = (item.count as f64).log2() * 8.0;
            let packed = item.main as u32
                | (item.second as u32) << 4
                | u32::from(item.main_share) << 8
                | u32::from(item.second_share) << 16
                | (states as u32).min(255) << 24;
            self.payload.extend(pixels(item.start_ns).to_le_bytes());
            self.payload.extend(pixels(item.end_ns).to_le_bytes());
            self.payload.extend(u32::try_from(item.state_id).unwrap_or(0).to_le_bytes());
            self.payload.extend(packed.to_le_bytes());
        }
        Ok(self.piles.len())
    }

    /// Adds the columns of a group; returns how many.
    fn group(&mut self, lanes: &[LaneId]) -> Result<usize, StoreError> {
        let Some(window) = self.window else { return Ok(0) };
        let count = (self.px / COLUMN_PIXELS).max(1) as usize;
        let columns = self.lanes.shares(lanes, window, count)?;
        let width = window.1.saturating_sub(window.0) as f64 / count as f64;
        let whole_ns = width * lanes.len().max(1) as f64;
        for column in &columns {
            self.payload.extend(packed_column(column, whole_ns));
        }
        Ok(count)
    }
}

/// The largest shares of a column.
fn packed_column(column: &Column, whole_ns: f64) -> [u8; 8] {
    let mut classes: [usize; CLASSES] = Class::ALL.map(|class| class as usize);
    classes.sort_by_key(|&class| std::cmp::Reverse(column[class]));
    let there_ns: f64 = column.iter().map(|&ns| ns as f64).sum();
    let part = |ns: f64, of: f64| {
        let part = if ns > 0.0 { (ns / of * 255.0).round().clamp(1.0, 255.0) } else { 0.0 };
        part as u16
    };
    let share = |ns| part(ns, there_ns);
    let rest = classes[3..].iter().map(|&class| column[class] as f64).sum();
    let mut shares = [0; 4];
    for (at, &class) in classes[..3].iter().enumerate() {
        shares[at + 1] = share(column[class] as f64);
    }
    shares[0] = share(rest);
    // What was rounded up is taken from the largest, so that nothing vanishes.
    let excess = shares.iter().sum::<u16>().saturating_sub(255);
    let [rest, first, second, third] = shares;
    let mut packed = [0; 8];
    for (at, share) in [first.saturating_sub(excess), second, third].into_iter().enumerate() {
        packed[2 * at] = classes[at] as u8;
        packed[2 * at + 1] = share as u8;
    }
    packed[6] = rest as u8;
    packed[7] = part(there_ns, whole_ns) as u8;
    packed
}
