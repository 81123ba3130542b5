//! Making new inputs of old ones.

use super::committed::damage::{Batch, HEADER, Random, batches, encode, entry_v1, is_v1, number};
use super::committed::source_of;
use super::targets::Target;
use gotrace::wire::v2::EventType;
use gotrace::wire::v2::raw::{RawEvent, RawReader, write_trace};

/// What inputs are made of.
#[derive(Default)]
pub struct Corpus {
    pub inputs: Vec<Vec<u8>>,
}

/// Numbers at which something may go wrong.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    127,
    128,
    1 << 16,
    (1 << 16) + 1,
    1 << 20,
    1 << 31,
    1 << 32,
    1 << 62,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// A new input: one to four changes of one that is there.
pub fn mutate(corpus: &Corpus, target: Target, max_len: usize, random: &mut Random) -> Vec<u8> {
    let mut input = random.pick(&corpus.inputs).clone();
    for _ in 0..1 + random.below(4) {
        let other = random.pick(&corpus.inputs);
        if target == Target::Text {
            change_text(&mut input, other, random);
        } else {
            change_trace(&mut input, other, random);
        }
    }
    input.truncate(max_len);
    input
}

fn change_trace(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    if input.len() <= HEADER + 8 {
        input.extend_from_slice(other.get(HEADER..).unwrap_or(&[]));
        return;
    }
    match random.below(12) {
        0 => {
            let at = random.within(HEADER..input.len());
            input[at] ^= 1 << random.below(8);
        }
        1 => {
            let at = random.within(HEADER..input.len());
            input[at] = random.next() as u8;
        }
        2 => change_number(input, random),
        3 => input.truncate(random.within(HEADER..input.len())),
        4 => splice(input, other, random),
        5 | 6 => change_batches(input, random),
        7 => change_header(input, random),
        _ => change_events(input, random),
    }
}

/// A number near another, or a strange one.
fn strange(value: u64, random: &mut Random) -> u64 {
    match random.below(6) {
        0 => value.wrapping_add(1 + random.below(4) as u64),
        1 => value.wrapping_sub(1 + random.below(4) as u64),
        2 => value ^ 1 << random.below(64),
        3 => random.next() >> random.below(64),
        4 => random.below(40) as u64,
        _ => *random.pick(&EDGES),
    }
}

/// Replaces the number at some place.
fn change_number(input: &mut Vec<u8>, random: &mut Random) {
    let at = random.within(HEADER..input.len());
    if let Some((value, len)) = number(&input[at..]) {
        let new = encode(strange(value, random));
        input.splice(at..at + len, new);
    }
}

/// Puts a piece of another input in, at a batch of both or anywhere.
fn splice(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    if other.len() <= HEADER {
        return;
    }
    let (mine, theirs) = (batches(input), batches(other));
    if random.below(2) == 0 && !mine.is_empty() && !theirs.is_empty() {
        let at = random.pick(&mine).whole.clone();
        let from = random.pick(&theirs).whole.clone();
        let range = if random.below(2) == 0 { at } else { at.start..at.start };
        input.splice(range, other[from].iter().copied());
        return;
    }
    let from = random.within(HEADER..other.len());
    let to = (from + random.below(300)).min(other.len());
    let at = random.within(HEADER..input.len());
    let end = if random.below(2) == 0 { at } else { (at + to - from).min(input.len()) };
    input.splice(at..end, other[from..to].iter().copied());
}

/// Drops, doubles, moves or swaps batches.
fn change_batches(input: &mut Vec<u8>, random: &mut Random) {
    let all = batches(input);
    if all.len() < 2 {
        return;
    }
    let (a, b) = (random.below(all.len()), random.below(all.len()));
    let mut pieces: Vec<Vec<u8>> =
        all.iter().map(|batch| input[batch.whole.clone()].to_vec()).collect();
    let tail = input[all[all.len() - 1].whole.end..].to_vec();
    match random.below(4) {
        0 => drop(pieces.remove(a)),
        1 => pieces.insert(b, pieces[a].clone()),
        2 => pieces.swap(a, b),
        _ => {
            let piece = pieces.remove(a);
            pieces.insert(b.min(pieces.len()), piece);
        }
    }
    input.truncate(HEADER);
    pieces.iter().for_each(|piece| input.extend_from_slice(piece));
    input.extend_from_slice(&tail);
}

/// Changes a number in a batch's header: generation, thread, time or length.
fn change_header(input: &mut Vec<u8>, random: &mut Random) {
    let all = batches(input);
    let with_fields: Vec<&Batch> = all.iter().filter(|batch| !batch.fields.is_empty()).collect();
    if with_fields.is_empty() {
        return;
    }
    let batch = *random.pick(&with_fields);
    let field = random.pick(&batch.fields).clone();
    if let Some((value, _)) = number(&input[field.clone()]) {
        let new = encode(strange(value, random));
        input.splice(field, new);
    }
}

/// Changes whole events and leaves the framing right, so that the ordering gets to see them.
fn change_events(input: &mut Vec<u8>, random: &mut Random) {
    if is_v1(input) { change_events_v1(input, random) } else { change_events_v2(input, random) }
}

fn change_events_v2(input: &mut Vec<u8>, random: &mut Random) {
    let Ok(mut reader) = RawReader::new(source_of(input)) else { return };
    let version = reader.version();
    let mut events = Vec::new();
    while let Ok(true) = reader.next_event() {
        events.push(reader.event().clone());
    }
    if events.len() < 3 {
        return;
    }
    for _ in 0..1 + random.below(3) {
        let a = random.below(events.len());
        // Near, so that a few events of one thread change places.
        let b = (a + random.below(8)).min(events.len() - 1);
        match random.below(6) {
            0 if events.len() > 3 => drop(events.remove(a)),
            1 => events.insert(b, events[a].clone()),
            2 => events.swap(a, b),
            _ => {
                let count = events[a].args.len();
                if count > 0 {
                    let place = random.below(count);
                    let others = &events[random.below(events.len())].args;
                    // Often a number that occurs, so that it means something.
                    let new = match others.first() {
                        Some(&other) if random.below(3) == 0 => other,
                        _ => strange(events[a].args[place], random),
                    };
                    events[a].args[place] = new;
                }
            }
        }
    }
    set_sizes(&mut events);
    *input = write_trace(version, &events);
}

/// Gives each batch the size of the events behind it.
fn set_sizes(events: &mut [RawEvent]) {
    let mut size = 0;
    for event in events.iter_mut().rev() {
        match event.kind {
            EventType::EventBatch => {
                if let Some(last) = event.args.last_mut() {
                    *last = size;
                }
                size = 0;
            }
            // They frame themselves.
            EventType::ExperimentalBatch | EventType::EndOfGeneration => size = 0,
            _ => size += event.encoded_len() as u64,
        }
    }
}

fn change_events_v1(input: &mut Vec<u8>, random: &mut Random) {
    let mut entries = Vec::new();
    let mut at = HEADER;
    while at < input.len() {
        let Some(len) = entry_v1(&input[at..]) else { break };
        entries.push(at..at + len);
        at += len;
    }
    if entries.len() < 3 {
        return;
    }
    let a = random.below(entries.len());
    let entry = entries[a].clone();
    let other = entries[(a + random.below(8)).min(entries.len() - 1)].clone();
    match random.below(6) {
        0 => drop(input.drain(entry)),
        1 => {
            let copy = input[entry].to_vec();
            input.splice(other.start..other.start, copy);
        }
        2 if entry.end <= other.start => {
            let (first, second) = (input[entry.clone()].to_vec(), input[other.clone()].to_vec());
            input.splice(other, first);
            input.splice(entry, second);
        }
        _ => {
            // One of its numbers; the length before them, if there is one, follows.
            let mut at = entry.start + 1;
            let has_len = input[entry.start] >> 6 == 3 && input[entry.start] & 0x3f != 37;
            let len_at = at;
            if has_len {
                let Some((_, len)) = number(&input[at..]) else { return };
                at += len;
            }
            let mut places = Vec::new();
            while at < entry.end
                && let Some((value, len)) = number(&input[at..entry.end])
            {
                places.push((at, value, len));
                at += len;
            }
            if places.is_empty() {
                return;
            }
            let &(at, value, len) = random.pick(&places);
            let new = encode(strange(value, random));
            let grown = new.len() as i64 - len as i64;
            input.splice(at..at + len, new);
            if has_len && let Some((args_len, len)) = number(&input[len_at..]) {
                let new = encode(args_len.wrapping_add_signed(grown));
                input.splice(len_at..len_at + len, new);
            }
        }
    }
}

/// Changes lines and words of the text form.
fn change_text(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let text = String::from_utf8_lossy(input).into_owned();
    let mut lines: Vec<String> = text.split('\n').map(String::from).collect();
    let a = random.below(lines.len());
    let b = random.below(lines.len());
    match random.below(8) {
        0 if lines.len() > 1 => drop(lines.remove(a)),
        1 => lines.insert(b, lines[a].clone()),
        2 => lines.swap(a, b),
        3 => {
            let other = String::from_utf8_lossy(other);
            let theirs: Vec<&str> = other.split('\n').collect();
            lines.insert(a, (*random.pick(&theirs)).to_owned());
        }
        4 => {
            // Any byte, so that what is no text is tried too.
            let mut bytes = lines.join("\n").into_bytes();
            if !bytes.is_empty() {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            *input = bytes;
            return;
        }
        _ => {
            // The number behind one of the equal signs.
            let words: Vec<String> = lines[a]
                .split(' ')
                .map(|word| match word.split_once('=') {
                    Some((name, value)) if random.below(2) == 0 => {
                        let value = value.parse().unwrap_or(7);
                        format!("{name}={}", strange(value, random))
                    }
                    _ => word.to_owned(),
                })
                .collect();
            lines[a] = words.join(" ");
        }
    }
    *input = lines.join("\n").into_bytes();
}
