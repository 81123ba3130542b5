//! Sums by stack and labels to a profile.

use super::super::{Builder, Frame, LabelSet, Profile};
use super::TraceProfileType;
use crate::model::{FunctionId, HeapTypeId, ReasonId, StackId, State, Symbols, Totals};
use rustc_hash::FxHashMap;
use std::hash::{Hash, Hasher};

/// Time between two samples of the CPU profiler. Traces do not tell it; it is this unless the program
/// asked for another (Go 1.27 runtime/pprof/pprof.go, StartCPUProfile: 100 Hz).
pub const CPU_PERIOD_NS: i64 = 10_000_000;

/// Where samples are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The stack.
    pub stack: Option<StackId>,
    /// Without a stack: the one function that is known of it.
    pub function: Option<FunctionId>,
    /// The function the goroutine began with, a label.
    pub goroutine: Option<FunctionId>,
    /// The state, a label.
    pub state: Option<State>,
    /// Why, a label.
    pub reason: Option<ReasonId>,
    /// Of an allocation: what was allocated, a label and the leaf of the stack.
    pub heap_type: Option<HeapTypeId>,
}

/// In three words: a place is looked up for each span that counts.
impl Hash for Place {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let pair = |low: i64, high: i64| low as u64 | (high as u64) << 32;
        hasher.write_u64(pair(
            self.stack.map_or(0, StackId::row),
            self.function.map_or(0, FunctionId::row),
        ));
        hasher.write_u64(pair(
            self.goroutine.map_or(0, FunctionId::row),
            self.reason.map_or(0, ReasonId::row),
        ));
        hasher.write_u64(pair(
            self.state.map_or(0, |state| state as i64 + 1),
            self.heap_type.map_or(0, HeapTypeId::row),
        ));
    }
}

/// How often, and how much in all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum {
    pub count: i64,
    pub value: i64,
}

/// Sums by place.
pub type Sums = FxHashMap<Place, Sum>;

/// Adds to a place.
#[inline(always)]
pub fn add(sums: &mut Sums, place: Place, count: i64, value: i64) {
    let sum = sums.entry(place).or_default();
    sum.count += count;
    sum.value = sum.value.saturating_add(value);
}

/// The word for a state in labels, as in the database.
pub fn state_word(state: State) -> &'static str {
    match state {
        State::Undetermined | State::NotExist => "unknown",
        State::Runnable => "runnable",
        State::Running => "running",
        State::Waiting => "waiting",
        State::Syscall => "syscall",
        State::SyscallBlocked => "syscall-blocked",
    }
}

/// The labels of a place.
pub fn labels_of(
    place: &Place,
    symbols: &Symbols,
    heap_types: &[String],
) -> Vec<(&'static str, String)> {
    let mut labels = Vec::new();
    if let Some(id) = place.heap_type {
        labels.push(("type", heap_types[id.index()].clone()));
    }
    if let Some(id) = place.goroutine {
        labels.push(("goroutine", symbols.function_data(id).name.to_string()));
    }
    if let Some(reason) = place.reason
        && !symbols.reason_name(reason).is_empty()
    {
        labels.push(("reason", symbols.reason_name(reason).to_owned()));
    }
    if let Some(state) = place.state {
        labels.push(("state", state_word(state).to_owned()));
    }
    labels
}

/// Makes frames of the model's into frames of a profile. An inlined function has a program counter of its
/// own in a trace, so each frame is a location.
pub struct Frames {
    known: FxHashMap<u32, u32>,
    /// The frames of functions without a place in them.
    functions: FxHashMap<FunctionId, u32>,
}

impl Frames {
    pub fn new() -> Self {
        Frames { known: FxHashMap::default(), functions: FxHashMap::default() }
    }

    /// Appends the frames of a stack, leaf first.
    pub fn stack(
        &mut self,
        builder: &mut Builder,
        symbols: &Symbols,
        stack: StackId,
        out: &mut Vec<u32>,
    ) {
        for &frame in symbols.stack_frames(stack) {
            out.push(*self.known.entry(frame).or_insert_with(|| {
                let data = symbols.frame_data(frame);
                let function = symbols.function_data(data.function);
                builder.frame(&Frame {
                    function: &function.name,
                    file: &function.file,
                    line: i64::try_from(data.line).unwrap_or(0),
                    pc: data.pc,
                })
            }));
        }
    }

    fn function(&mut self, builder: &mut Builder, symbols: &Symbols, id: FunctionId) -> u32 {
        *self.functions.entry(id).or_insert_with(|| {
            let function = symbols.function_data(id);
            builder.frame(&Frame { function: &function.name, file: &function.file, line: 0, pc: 0 })
        })
    }
}

/// The profile of a type.
pub fn profile(
    kind: TraceProfileType,
    sums: &Sums,
    symbols: &Symbols,
    heap_types: &[String],
    totals: &Totals,
) -> Profile {
    let (count, value) = kind.values();
    let mut types = vec![(count, "count")];
    types.extend(value);
    let mut builder = Builder::new(&types);
    match kind {
        TraceProfileType::Cpu => builder.period("cpu", "nanoseconds", CPU_PERIOD_NS),
        _ => builder.period("trace", "count", 1),
    };
    builder.time(totals.start_unix_ns.unwrap_or(0), totals.duration_ns);
    let mut frames = Frames::new();
    let mut stack = Vec::new();
    // The order of a hash map is not the same twice; the order of places is.
    let mut places: Vec<(&Place, &Sum)> = sums.iter().collect();
    places.sort_unstable_by_key(|(place, _)| **place);
    let mut sets: FxHashMap<Place, LabelSet> = FxHashMap::default();
    for (place, sum) in places {
        stack.clear();
        if let Some(id) = place.heap_type {
            let function = heap_types[id.index()].as_str();
            stack.push(builder.frame(&Frame { function, file: "", line: 0, pc: 0 }));
        }
        match (place.stack, place.function) {
            (Some(id), _) => frames.stack(&mut builder, symbols, id, &mut stack),
            (None, Some(id)) => stack.push(frames.function(&mut builder, symbols, id)),
            (None, None) => {}
        }
        let key = Place { stack: None, function: None, ..*place };
        let labels = *sets.entry(key).or_insert_with(|| {
            let labels = labels_of(place, symbols, heap_types);
            let texts: Vec<(&str, &str)> =
                labels.iter().map(|(key, value)| (*key, value.as_str())).collect();
            builder.labels(&texts, &[])
        });
        let values = [sum.count, sum.value];
        builder.add(&stack, labels, &values[..types.len()]);
    }
    builder.finish()
}
