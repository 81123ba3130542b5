//! Which lanes are shown, and in which order.

use super::request::{Axis, FoldedGroups, GroupBy, Measure, OrderRequest, SortBy};
use super::sums::ClassSums;
use super::{Class, LaneId, Lanes};
use crate::model::NamePattern;
use crate::store::budget::Work;
use crate::store::{Database, StoreError};
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;
use std::ops::Range;

/// A group of lanes.
#[derive(Debug, Clone)]
pub struct Group {
    /// What it is known by in requests: the row of the function that its goroutines began with, or of the
    /// stack of a go statement; 0 where that is unknown.
    pub key: i64,
    /// The function; `None` where it is unknown.
    pub name: Option<String>,
    /// Which of the order's lanes are in it.
    pub lanes: Range<u32>,
    /// Whether it is folded to one row.
    pub is_folded: bool,
}

/// A row of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A group, by its place in [`Order::groups`]. If it is not folded, its lanes follow.
    Group(u32),
    /// A lane.
    Lane(LaneId),
}

/// The rows of a timeline.
#[derive(Debug, Clone)]
pub struct Order {
    lanes: Vec<LaneId>,
    groups: Vec<Group>,
    rows: Vec<Row>,
    hidden: usize,
}

impl Order {
    /// Puts lanes into an order. A part of a second for a million lanes: what must be known of them comes
    /// from sums, and names from the database.
    ///
    /// # Errors
    /// If the database or the temporary file is damaged, or a limit of the database is passed.
    pub fn new(
        lanes: &Lanes,
        database: &Database,
        request: &OrderRequest,
    ) -> Result<Order, StoreError> {
        let work = database.budget.work();
        let _watch = database.budget.watch();
        let ordered = Sorter::new(lanes, &database.connection, &work, request)
            .and_then(|mut sorter| sorter.order());
        ordered.map_err(|error| database.explain(error))
    }

    /// The rows, from the top.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The groups, from the top.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// All lanes that the filter leaves, those of folded groups among them, from the top.
    pub fn lanes(&self) -> &[LaneId] {
        &self.lanes
    }

    /// The lanes of a group.
    pub fn lanes_of(&self, group: &Group) -> &[LaneId] {
        let range = group.lanes.start as usize..group.lanes.end as usize;
        self.lanes.get(range).unwrap_or_default()
    }

    /// How many lanes the filter left out.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// In which row a lane is seen: its own, or that of its folded group; `None` if it is left out.
    pub fn row_of(&self, lane: LaneId) -> Option<usize> {
        let place = self.lanes.iter().position(|one| *one == lane)? as u32;
        // Groups stand in the order of their lanes.
        let group = self.groups.partition_point(|group| group.lanes.end <= place);
        let Some(group) = self.groups.get(group) else { return Some(place as usize) };
        let before = self.groups.iter().take_while(|one| one.lanes.start < group.lanes.start);
        let rows_of = |group: &Group| 1 + if group.is_folded { 0 } else { group.lanes.len() };
        let head: usize = before.map(rows_of).sum();
        let within = if group.is_folded { 0 } else { 1 + (place - group.lanes.start) as usize };
        Some(head + within)
    }
}

/// A lane that is sorted.
#[derive(Clone, Copy)]
struct Sorted {
    place: u32,
    /// The place of its group, in the order in which they were found.
    group: u32,
    /// The least comes first.
    key: i64,
    start_ns: i64,
}

/// Names of functions by their rows.
type Names = FxHashMap<u32, Option<String>>;

/// Makes an order.
struct Sorter<'a> {
    lanes: &'a Lanes,
    connection: &'a Connection,
    work: &'a Work,
    request: &'a OrderRequest,
    /// Of the functions that goroutines began with.
    names: Names,
    /// For each lane, what it is sorted by and what it needs at least, where that is asked for.
    measured: [Vec<i64>; 2],
    /// Key and name of each group.
    groups: Vec<(i64, Option<String>)>,
}

impl<'a> Sorter<'a> {
    fn new(
        lanes: &'a Lanes,
        connection: &'a Connection,
        work: &'a Work,
        request: &'a OrderRequest,
    ) -> Result<Self, StoreError> {
        let mut names = Names::default();
        if request.axis == Axis::Goroutines {
            for goroutine in &lanes.goroutines {
                if let Entry::Vacant(unknown) = names.entry(goroutine.function_id) {
                    let sql = "select name from main.functions where id = ?1";
                    unknown.insert(text(connection, work, sql, goroutine.function_id)?);
                }
            }
        }
        let groups = Vec::new();
        let mut sorter = Sorter {
            lanes,
            connection,
            work,
            request,
            names,
            measured: Default::default(),
            groups,
        };
        sorter.measure()?;
        Ok(sorter)
    }

    fn lane(&self, place: u32) -> LaneId {
        match self.request.axis {
            Axis::Goroutines => LaneId::Goroutine(place),
            Axis::Procs => LaneId::Proc(place),
            Axis::Threads => LaneId::Thread(place),
        }
    }

    fn count(&self) -> u32 {
        let count = match self.request.axis {
            Axis::Goroutines => self.lanes.goroutines.len(),
            Axis::Procs => self.lanes.procs.len(),
            Axis::Threads => self.lanes.threads.len(),
        };
        count as u32
    }

    /// Sums up what is asked for of all lanes.
    fn measure(&mut self) -> Result<(), StoreError> {
        let sort = match self.request.sort {
            SortBy::Measure(measure) => Some(measure),
            _ => None,
        };
        let least = self.request.filter.least.map(|(measure, _)| measure);
        if sort.is_none() && least.is_none() {
            return Ok(());
        }
        let window = self.request.window.unwrap_or((i64::MIN, i64::MAX));
        let count = self.count();
        self.work.hold(2 * size_of::<i64>() * count as usize)?;
        let mut measured = [Vec::new(), Vec::new()];
        let lanes = (0..count).map(|place| self.lane(place));
        self.lanes.sums_of_all(lanes, window, |_, sums| {
            for (values, measure) in measured.iter_mut().zip([sort, least]) {
                values.extend(measure.map(|measure| value(measure, sums)));
            }
        })?;
        self.measured = measured;
        Ok(())
    }

    fn order(&mut self) -> Result<Order, StoreError> {
        let mut shown = self.shown()?;
        self.set_groups(&mut shown)?;
        self.set_keys(&mut shown);
        shown.sort_unstable_by_key(|lane| (lane.key, lane.start_ns, lane.place));
        if !self.groups.is_empty() {
            let ranks = self.group_ranks(&shown);
            shown.sort_by_key(|lane| ranks[lane.group as usize]);
        }
        let lanes: Vec<LaneId> = shown.iter().map(|lane| self.lane(lane.place)).collect();
        let hidden = self.count() as usize - lanes.len();
        let (mut groups, mut rows) = (Vec::new(), Vec::new());
        if self.groups.is_empty() {
            rows.extend(lanes.iter().copied().map(Row::Lane));
        } else {
            let mut from = 0;
            for same in shown.chunk_by(|a, b| a.group == b.group) {
                let to = from + same.len();
                let (key, name) = std::mem::take(&mut self.groups[same[0].group as usize]);
                let is_folded = match &self.request.folded {
                    FoldedGroups::AllBut(keys) => !keys.contains(&key),
                    FoldedGroups::Only(keys) => keys.contains(&key),
                };
                rows.push(Row::Group(groups.len() as u32));
                if !is_folded {
                    rows.extend(lanes[from..to].iter().copied().map(Row::Lane));
                }
                groups.push(Group { key, name, lanes: from as u32..to as u32, is_folded });
                from = to;
            }
        }
        Ok(Order { lanes, groups, rows, hidden })
    }

    /// The lanes that the filter leaves.
    fn shown(&self) -> Result<Vec<Sorted>, StoreError> {
        let filter = &self.request.filter;
        let patterns: Vec<NamePattern> =
            filter.functions.iter().map(|text| NamePattern::new(text)).collect();
        let text = filter.text.as_ref().map(|text| text.to_lowercase());
        let is_wanted = |name: &Option<String>| {
            let name = name.as_deref().unwrap_or("");
            (patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)))
                && text.as_ref().is_none_or(|text| name.to_lowercase().contains(&**text))
        };
        let wanted: FxHashSet<u32> =
            self.names.iter().filter(|(_, name)| is_wanted(name)).map(|(id, _)| *id).collect();
        let goids: FxHashSet<i64> = filter.goids.iter().copied().collect();
        let count = self.count();
        self.work.hold(count as usize * (size_of::<Sorted>() + size_of::<(LaneId, Row)>()))?;
        let is_shown = |&place: &u32| {
            let is_chosen = match self.lanes.goroutines.get(place as usize) {
                Some(one) if self.request.axis == Axis::Goroutines => {
                    wanted.contains(&one.function_id)
                        && (goids.is_empty() || goids.contains(&one.goid))
                }
                _ => true,
            };
            let enough = self.measured[1].get(place as usize).zip(filter.least);
            is_chosen && enough.is_none_or(|(value, (_, least))| *value >= least)
        };
        let sorted = |place| Sorted { place, group: 0, key: 0, start_ns: 0 };
        Ok((0..count).filter(is_shown).map(sorted).collect())
    }

    fn set_groups(&mut self, shown: &mut [Sorted]) -> Result<(), StoreError> {
        if self.request.axis != Axis::Goroutines || self.request.group == GroupBy::Nothing {
            return Ok(());
        }
        // By row of the function or of the stack; go statements in one function are one group.
        let mut places: FxHashMap<u32, u32> = FxHashMap::default();
        let mut by_name: FxHashMap<Option<String>, u32> = FxHashMap::default();
        for lane in shown {
            let goroutine = &self.lanes.goroutines[lane.place as usize];
            let is_function = self.request.group == GroupBy::Function;
            let id = if is_function { goroutine.function_id } else { goroutine.create_stack_id };
            if let Some(&group) = places.get(&id) {
                lane.group = group;
                continue;
            }
            self.work.hold(128)?;
            let next = self.groups.len() as u32;
            let group = if is_function {
                let name = self.names.get(&id).cloned().flatten();
                self.groups.push((i64::from(id), name));
                next
            } else {
                let name = text(self.connection, self.work, "select stack_user(?1)", id)?;
                let group = *by_name.entry(name.clone()).or_insert(next);
                if group == next {
                    self.groups.push((i64::from(id), name));
                }
                group
            };
            places.insert(id, group);
            lane.group = group;
        }
        Ok(())
    }

    fn set_keys(&self, shown: &mut [Sorted]) {
        let mut names: Vec<(Option<&str>, u32)> = Vec::new();
        if self.request.sort == SortBy::Name {
            names.extend(self.names.iter().map(|(id, name)| (name.as_deref(), *id)));
            names.sort_unstable();
        }
        let ranks: FxHashMap<u32, i64> =
            names.iter().enumerate().map(|(rank, (_, id))| (*id, rank as i64)).collect();
        for lane in shown {
            let place = lane.place as usize;
            let (start_ns, number, function) = match self.request.axis {
                Axis::Goroutines => {
                    let goroutine = &self.lanes.goroutines[place];
                    (goroutine.start_ns, goroutine.goid, goroutine.function_id)
                }
                Axis::Procs => (self.lanes.procs[place].number, self.lanes.procs[place].number, 0),
                Axis::Threads => {
                    (self.lanes.threads[place].number, self.lanes.threads[place].number, 0)
                }
            };
            let key = match self.request.sort {
                SortBy::Start => start_ns,
                SortBy::Number => number,
                SortBy::Name => ranks.get(&function).copied().unwrap_or(0),
                // The most comes first.
                SortBy::Measure(_) => {
                    self.measured[0].get(place).map_or(0, |value| value.saturating_neg())
                }
            };
            lane.start_ns = start_ns;
            lane.key = if self.request.is_reversed { key.saturating_neg() } else { key };
        }
    }

    /// Which place each group has: by the sum of a measure, else by its first lane.
    fn group_ranks(&self, shown: &[Sorted]) -> Vec<u32> {
        let is_sum = matches!(self.request.sort, SortBy::Measure(_));
        let mut keys: Vec<(i64, u32, u32)> = (0..self.groups.len() as u32)
            .map(|group| (if is_sum { 0 } else { i64::MAX }, u32::MAX, group))
            .collect();
        for (at, lane) in shown.iter().enumerate() {
            let (key, first, _) = &mut keys[lane.group as usize];
            *key = if is_sum { key.saturating_add(lane.key) } else { (*key).min(lane.key) };
            *first = (*first).min(at as u32);
        }
        keys.sort_unstable();
        let mut ranks = vec![0; keys.len()];
        for (rank, (_, _, group)) in keys.into_iter().enumerate() {
            ranks[group as usize] = rank as u32;
        }
        ranks
    }
}

/// What a measure is of a lane.
fn value(measure: Measure, sums: &ClassSums) -> i64 {
    let total = |is_in: &dyn Fn(Class) -> bool| {
        let own = Class::ALL.into_iter().filter(|class| is_in(*class));
        own.fold(0i64, |sum, class| sum.saturating_add(sums[class as usize].ns))
    };
    match measure {
        Measure::Total => total(&|_| true),
        Measure::Class(class) => sums[class as usize].ns,
        Measure::Syscall => total(&|class| matches!(class, Class::Syscall | Class::SyscallBlocked)),
        Measure::Waiting => total(&Class::is_waiting),
        Measure::States => sums.iter().map(|sum| sum.states as i64).sum(),
    }
}

/// A text that a statement with a row number gives.
fn text(
    connection: &Connection,
    work: &Work,
    sql: &str,
    id: u32,
) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let text: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?.flatten();
    work.hold(64 + text.as_ref().map_or(0, String::len))?;
    Ok(text)
}
