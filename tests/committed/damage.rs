//! Damages: what can happen to a trace on its way here, as edits of its bytes.
//!
//! Where the batches are is found by a walk of its own, which shares nothing with the readers
//! under test. A damage is written as text too, so that Go's reader can be given the same one
//! (`tests/conformance/damage`).

use std::fmt;
use std::ops::Range;

/// A stream of random numbers that is the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// A number in a range that is not empty.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        range.start + self.below(range.len())
    }

    /// An element of a list that is not empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// What stands in the place of removed bytes.
#[derive(Debug, Clone)]
pub enum Patch {
    Bytes(Vec<u8>),
    /// A copy of these bytes of the whole trace.
    Copy(Range<usize>),
}

/// Bytes that are replaced.
#[derive(Debug, Clone)]
pub struct Edit {
    pub range: Range<usize>,
    pub patch: Patch,
}

/// A damage.
#[derive(Debug, Clone)]
pub struct Damage {
    /// What happened, in words.
    pub kind: &'static str,
    /// Edits by ascending place, without overlap.
    pub edits: Vec<Edit>,
}

impl Damage {
    fn new(kind: &'static str, range: Range<usize>, bytes: &[u8]) -> Damage {
        Damage { kind, edits: vec![Edit { range, patch: Patch::Bytes(bytes.to_vec()) }] }
    }

    fn copy(kind: &'static str, at: usize, from: Range<usize>) -> Damage {
        Damage { kind, edits: vec![Edit { range: at..at, patch: Patch::Copy(from) }] }
    }

    /// The damaged trace.
    pub fn apply(&self, whole: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(whole.len());
        let mut from = 0;
        for edit in &self.edits {
            out.extend_from_slice(&whole[from..edit.range.start]);
            match &edit.patch {
                Patch::Bytes(bytes) => out.extend_from_slice(bytes),
                Patch::Copy(range) => out.extend_from_slice(&whole[range.clone()]),
            }
            from = edit.range.end;
        }
        out.extend_from_slice(&whole[from..]);
        out
    }
}

/// `100-104=00ff,200-200@30-60`: bytes 100 to 104 become 00 ff, and those from 30 to 60 are repeated
/// at 200.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Edit { range, patch }) in self.edits.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}-{}", range.start, range.end)?;
            match patch {
                Patch::Bytes(bytes) => {
                    write!(f, "=")?;
                    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                }
                Patch::Copy(from) => write!(f, "@{}-{}", from.start, from.end)?,
            }
        }
        Ok(())
    }
}

/// Length of the header of a trace.
pub const HEADER: usize = 16;

/// A number as traces have it, and its length.
pub fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

/// The bytes of a number.
pub fn encode(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A batch of a trace.
#[derive(Debug, Clone)]
pub struct Batch {
    /// All of it.
    pub whole: Range<usize>,
    /// What is behind its header.
    pub data: Range<usize>,
    /// The numbers in its header: of a v2 batch its generation, thread, time and size; of a v1 batch
    /// its proc and time; of an end mark none.
    pub fields: Vec<Range<usize>>,
    /// Its generation; 0 for an end mark, 1 for v1.
    pub generation: u64,
    /// Its thread or proc.
    pub owner: u64,
    /// Its time, clock ticks.
    pub ticks: u64,
}

impl Batch {
    fn is_end_mark(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Whether a trace is in the format of Go 1.21 and older.
pub fn is_v1(whole: &[u8]) -> bool {
    whole.get(5..7).is_some_and(|minor| minor < &b"22"[..])
}

/// The batches of a sound trace. One that is cut off, as of a killed program, ends at the cut.
pub fn batches(whole: &[u8]) -> Vec<Batch> {
    if is_v1(whole) { batches_v1(whole) } else { batches_v2(whole) }
}

fn batches_v2(whole: &[u8]) -> Vec<Batch> {
    let mut all = Vec::new();
    let mut at = HEADER;
    while at < whole.len() {
        let start = at;
        let mut batch = Batch {
            whole: start..start + 1,
            data: start + 1..start + 1,
            fields: Vec::new(),
            generation: 0,
            owner: 0,
            ticks: 0,
        };
        if whole[at] == 52 {
            at += 1;
        } else {
            // An experimental batch (49) has the number of its experiment before the others.
            at += 1 + usize::from(whole[at] == 49);
            let mut values = [0; 4];
            for value in &mut values {
                let Some((read, len)) = whole.get(at..).and_then(number) else { return all };
                *value = read;
                batch.fields.push(at..at + len);
                at += len;
            }
            let end = at.saturating_add(values[3] as usize).min(whole.len());
            batch.data = at..end;
            [batch.generation, batch.owner, batch.ticks, _] = values;
            at = end;
        }
        batch.whole = start..at;
        all.push(batch);
    }
    all
}

/// Length of the entry at the start of some bytes of a v1 trace; `None` if they end inside it.
pub fn entry_v1(rest: &[u8]) -> Option<usize> {
    let code = rest[0] & 0x3f;
    let mut at = 1;
    let skip = |at: &mut usize| {
        let (value, len) = number(rest.get(*at..)?)?;
        *at += len;
        Some(value)
    };
    match (code, rest[0] >> 6) {
        // A batch counts one argument and has two; a string has its number, length and text.
        (1, _) => {
            skip(&mut at)?;
            skip(&mut at)?;
        }
        (37, _) => {
            skip(&mut at)?;
            let len = skip(&mut at)?;
            at = at.saturating_add(len as usize);
        }
        (_, 3) => {
            let len = skip(&mut at)?;
            at = at.saturating_add(len as usize);
        }
        (_, counted) => {
            for _ in 0..=counted {
                skip(&mut at)?;
            }
        }
    }
    if code == 48 {
        let len = skip(&mut at)?;
        at = at.saturating_add(len as usize);
    }
    (at <= rest.len()).then_some(at)
}

fn batches_v1(whole: &[u8]) -> Vec<Batch> {
    let mut all: Vec<Batch> = Vec::new();
    let mut at = HEADER;
    while at < whole.len() {
        let Some(len) = entry_v1(&whole[at..]) else { break };
        if whole[at] & 0x3f == 1 {
            let (proc, proc_len) = number(&whole[at + 1..]).expect("the entry is whole");
            let (ticks, ticks_len) = number(&whole[at + 1 + proc_len..]).expect("see above");
            let fields =
                vec![at + 1..at + 1 + proc_len, at + 1 + proc_len..at + 1 + proc_len + ticks_len];
            all.push(Batch {
                whole: at..at + len,
                data: at + len..at + len,
                fields,
                generation: 1,
                owner: proc,
                ticks,
            });
        } else if let Some(last) = all.last_mut() {
            last.whole.end += len;
            last.data.end += len;
        }
        at += len;
    }
    all
}

/// The bytes of the entries of a v1 trace with this event number.
fn entries_v1(whole: &[u8], wanted: u8) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = HEADER;
    while at < whole.len() {
        let Some(len) = entry_v1(&whole[at..]) else { break };
        if whole[at] & 0x3f == wanted {
            found.push(at..at + len);
        }
        at += len;
    }
    found
}

/// How many damages of the kinds that are tried at many places.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Batches that are cut at, dropped, doubled and so on.
    pub batches: usize,
    /// Random cuts.
    pub cuts: usize,
    /// Random bytes that are changed.
    pub flips: usize,
    /// Each other kind with random places.
    pub others: usize,
}

impl Amount {
    /// Every batch boundary, 200 cuts, 500 flipped bytes.
    pub const FULL: Amount = Amount { batches: usize::MAX, cuts: 200, flips: 500, others: 60 };
    /// A tenth of it.
    pub const SAMPLE: Amount = Amount { batches: 12, cuts: 20, flips: 50, others: 8 };
}

/// Damages of a sound trace.
pub fn damages(whole: &[u8], amount: Amount, seed: u64) -> Vec<Damage> {
    let mut random = Random::new(seed);
    let all = batches(whole);
    assert!(!all.is_empty(), "no batches were found");
    let mut out = Vec::new();
    cuts_and_changes(whole, &all, amount, &mut random, &mut out);
    whole_batches(whole, &all, amount, &mut random, &mut out);
    headers(whole, &all, amount, &mut random, &mut out);
    if is_v1(whole) {
        tables_v1(whole, &mut out);
    } else {
        generations(whole, &all, &mut random, &mut out);
    }
    out
}

/// At most `count` of the items, evenly or all.
fn some<'a, T>(items: &'a [T], count: usize, random: &mut Random) -> Vec<&'a T> {
    if items.len() <= count {
        return items.iter().collect();
    }
    // One from each of `count` equal parts.
    (0..count)
        .map(|part| {
            let (from, to) = (part * items.len() / count, (part + 1) * items.len() / count);
            &items[random.within(from..to)]
        })
        .collect()
}

fn cuts_and_changes(
    whole: &[u8],
    all: &[Batch],
    amount: Amount,
    random: &mut Random,
    out: &mut Vec<Damage>,
) {
    let len = whole.len();
    for batch in some(all, amount.batches, random) {
        out.push(Damage::new("cut at a batch", batch.whole.start..len, &[]));
    }
    for _ in 0..amount.cuts {
        out.push(Damage::new("cut anywhere", random.within(HEADER..len)..len, &[]));
    }
    for _ in 0..amount.flips {
        let at = random.within(HEADER..len);
        let change = 1 + random.below(255) as u8;
        out.push(Damage::new("changed byte", at..at + 1, &[whole[at] ^ change]));
    }
    for part in 0..amount.others {
        let at = HEADER + part * (len - HEADER - 4) / amount.others;
        out.push(Damage::new("four zeroed bytes", at..at + 4, &[0; 4]));
    }
    for _ in 0..amount.others {
        let at = random.within(HEADER..len);
        let to = (at + 1 + random.below(100)).min(len);
        out.push(Damage::new("bytes missing", at..to, &[]));
        let junk: Vec<u8> = (0..1 + random.below(100)).map(|_| random.next() as u8).collect();
        out.push(Damage::new("bytes inserted", at..at, &junk));
        // What a file system does to a block that was never written.
        let to = (at + 4096).min(len);
        out.push(Damage::new("zeroed block", at..to, &vec![0; to - at]));
        let from = random.within(HEADER..len);
        let from = from..(from + 512).min(len);
        let edit = Edit { range: at..(at + from.len()).min(len), patch: Patch::Copy(from) };
        out.push(Damage { kind: "block from elsewhere", edits: vec![edit] });
    }
}

fn whole_batches(
    whole: &[u8],
    all: &[Batch],
    amount: Amount,
    random: &mut Random,
    out: &mut Vec<Damage>,
) {
    for batch in some(all, amount.batches.min(100), random) {
        let range = batch.whole.clone();
        out.push(Damage::new("missing batch", range.clone(), &[]));
        out.push(Damage::copy("doubled batch", range.end, range.clone()));
        let elsewhere = random.pick(all).whole.start;
        out.push(Damage::copy("batch again elsewhere", elsewhere, range.clone()));
        let half = range.start..range.start + range.len() / 2;
        out.push(Damage::copy("half a batch again", range.end, half));
    }
    for index in 0..all.len().saturating_sub(1).min(amount.batches).min(100) {
        let index = if all.len() > 100 { random.below(all.len() - 1) } else { index };
        let (a, b) = (&all[index].whole, &all[index + 1].whole);
        let edits = vec![
            Edit { range: a.clone(), patch: Patch::Copy(b.clone()) },
            Edit { range: b.clone(), patch: Patch::Copy(a.clone()) },
        ];
        out.push(Damage { kind: "swapped batches", edits });
    }
    // Time goes backwards: two batches of one thread have each other's time.
    let mut pairs = Vec::new();
    for (index, batch) in all.iter().enumerate().filter(|(_, batch)| !batch.is_end_mark()) {
        let next = all[index + 1..].iter().find(|other| {
            (other.owner, other.generation) == (batch.owner, batch.generation)
                && other.fields.len() == batch.fields.len()
        });
        pairs.extend(next.map(|next| (batch, next)));
    }
    let time = if is_v1(whole) { 1 } else { 2 };
    for (a, b) in some(&pairs, amount.batches.min(100), random) {
        let (a, b) = (&a.fields[time], &b.fields[time]);
        let edits = vec![
            Edit { range: a.clone(), patch: Patch::Copy(b.clone()) },
            Edit { range: b.clone(), patch: Patch::Copy(a.clone()) },
        ];
        out.push(Damage { kind: "times of batches swapped", edits });
    }
}

fn headers(
    whole: &[u8],
    all: &[Batch],
    amount: Amount,
    random: &mut Random,
    out: &mut Vec<Damage>,
) {
    let kinds = if is_v1(whole) {
        &["wrong proc", "wrong time"][..]
    } else {
        &["wrong generation", "wrong thread", "wrong time", "wrong length"][..]
    };
    for batch in some(all, amount.batches.min(60), random) {
        for (field, &kind) in batch.fields.iter().zip(kinds) {
            let (value, _) = number(&whole[field.clone()]).expect("it was read before");
            let wrong = [
                value.wrapping_add(1),
                value.wrapping_sub(1),
                value / 2,
                value.wrapping_mul(2),
                value ^ 1 << random.below(64),
                random.below(70_000) as u64,
                u64::MAX,
            ];
            let wrong = *random.pick(&wrong);
            if wrong != value {
                let mut bytes = encode(wrong);
                // The runtime writes lengths with ten bytes.
                if field.len() == 10 && bytes.len() < 10 && random.below(4) > 0 {
                    *bytes.last_mut().expect("a number has a byte") |= 0x80;
                    bytes.resize(9, 0x80);
                    bytes.push(0);
                }
                out.push(Damage::new(kind, field.clone(), &bytes));
            }
        }
    }
}

/// Damages of whole generations and of their tables.
fn generations(whole: &[u8], all: &[Batch], random: &mut Random, out: &mut Vec<Damage>) {
    let mut numbers: Vec<u64> = all.iter().map(|batch| batch.generation).collect();
    numbers.retain(|&number| number != 0);
    numbers.dedup();
    let first_bytes: [(&'static str, &[u8]); 4] = [
        ("strings missing", &[5]),
        ("stacks missing", &[3]),
        ("samples missing", &[7]),
        // Before Go 1.25 the frequency stood alone.
        ("clock missing", &[8, 50]),
    ];
    for &number in &numbers {
        let mine: Vec<&Batch> = all.iter().filter(|batch| batch.generation == number).collect();
        for (kind, firsts) in first_bytes {
            let edits: Vec<Edit> = mine
                .iter()
                .filter(|batch| whole.get(batch.data.start).is_some_and(|b| firsts.contains(b)))
                .map(|batch| Edit { range: batch.whole.clone(), patch: Patch::Bytes(Vec::new()) })
                .collect();
            if !edits.is_empty() {
                out.push(Damage { kind, edits });
            }
        }
        let (start, end) = (mine[0].whole.start, mine[mine.len() - 1].whole.end);
        if numbers.len() > 1 {
            out.push(Damage::new("generation missing", start..end, &[]));
            out.push(Damage::copy("generation twice", end, start..end));
        }
        for _ in 0..4 {
            let batch = random.pick(&mine);
            let at = batch.data.start;
            let to = (at + 4).min(batch.data.end);
            out.push(Damage::new("start of a batch zeroed", at..to, &vec![0; to - at]));
        }
    }
    if numbers.len() > 1 {
        // The first generation is bad in every way, those behind it are good.
        let mine = all.iter().filter(|batch| batch.generation == numbers[0]);
        let mut edits = Vec::new();
        for batch in mine.filter(|batch| batch.data.len() > 8) {
            let at = random.within(batch.data.start..batch.data.end - 4);
            edits.push(Edit { range: at..at + 4, patch: Patch::Bytes(vec![0; 4]) });
        }
        out.push(Damage { kind: "first generation bad", edits });
    }
}

fn tables_v1(whole: &[u8], out: &mut Vec<Damage>) {
    for (kind, code) in [("strings missing", 37), ("stacks missing", 3), ("clock missing", 2)] {
        let edits: Vec<Edit> = entries_v1(whole, code)
            .into_iter()
            .map(|range| Edit { range, patch: Patch::Bytes(Vec::new()) })
            .collect();
        if !edits.is_empty() {
            out.push(Damage { kind, edits });
        }
    }
}
