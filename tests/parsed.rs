//! Every committed trace gives the events that Go's own reader gives, in the same order and with the
//! same text: that of `go tool trace -d=parsed`, of which `testdata/expected` holds the digests.

mod committed;

use committed::{Trace, check_all, event_text, traces};
use gotrace::diagnostic::Severity;
use sha2::{Digest as _, Sha256};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Events in a chunk of the digests.
const CHUNK: usize = 500;

/// Broken traces of which the last, incomplete chunk is not compared, and why.
const LAST_CHUNK_DIFFERS: &[(&str, &str)] = &[(
    "go1.22/killed",
    "Go begins the broken generation with the one batch of it that it has read, gotrace with all that \
     are there, of which some are earlier; so the synchronisation point before it has another time",
)];

/// The digest of a text; see `testdata/README.md`.
struct Digest {
    /// Events in it, synchronisation points included.
    events: usize,
    bytes: usize,
    sha256: String,
    /// The first digits of the SHA-256 of each chunk.
    chunks: Vec<String>,
    /// What Go says is wrong with the trace.
    error: Option<String>,
}

impl Digest {
    fn parse(text: &str) -> Digest {
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().expect("there is a first line").split(' ').collect();
        let ["events", events, "bytes", bytes, "sha256", sha256] = head[..] else {
            panic!("malformed digest: {head:?}");
        };
        let mut digest = Digest {
            events: events.parse().unwrap(),
            bytes: bytes.parse().unwrap(),
            sha256: sha256.into(),
            chunks: Vec::new(),
            error: None,
        };
        for line in lines {
            if let Some(error) = line.strip_prefix("# error: ") {
                digest.error = Some(error.into());
                continue;
            }
            let (first, sum) = line.split_once(' ').expect("index and sum");
            assert_eq!(first.parse(), Ok(digest.chunks.len() * CHUNK));
            digest.chunks.push(sum.into());
        }
        assert_eq!(digest.chunks.len(), digest.events.div_ceil(CHUNK), "digest is not complete");
        digest
    }
}

/// Where the events of a text begin.
fn starts(text: &[u8]) -> Vec<usize> {
    let is_start =
        |at: &usize| text[*at..].starts_with(b"M=") && (*at == 0 || text[*at - 1] == b'\n');
    (0..text.len()).filter(is_start).collect()
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares a text with Go's digest of it; the error names the first chunk that differs.
fn compare(text: &[u8], want: &Digest) -> Result<(), String> {
    if sum(text) == want.sha256 {
        return Ok(());
    }
    compare_chunks(text, want)?;
    Err(format!("{} bytes; Go has {}, with {} events", text.len(), want.bytes, want.events))
}

fn compare_chunks(text: &[u8], want: &Digest) -> Result<(), String> {
    let starts = starts(text);
    for (index, want) in want.chunks.iter().enumerate() {
        let begin =
            if index == 0 { 0 } else { starts.get(index * CHUNK).copied().unwrap_or(text.len()) };
        let end = starts.get((index + 1) * CHUNK).copied().unwrap_or(text.len());
        if !sum(&text[begin..end]).starts_with(want) {
            let first = index * CHUNK;
            return Err(format!("events {first} to {} differ from Go's", first + CHUNK - 1));
        }
    }
    Ok(())
}

/// The part of our text that Go should have had: up to where it gave up, which it marks by a last
/// synchronisation point.
fn as_far_as_go(text: &[u8], events: usize) -> Vec<u8> {
    let starts = starts(text);
    let end = starts.get(events - 1).copied().unwrap_or(text.len());
    let mut head = text[..end].to_vec();
    let is_sync = |&&at: &&usize| text[at..].starts_with(b"M=-1 P=-1 G=-1 Sync ");
    let syncs = starts[..(events - 1).min(starts.len())].iter().filter(is_sync).count();
    let last = starts.get(events - 2).map_or("", |&at| {
        let line = text[at..].split(|&byte| byte == b'\n').next().unwrap();
        std::str::from_utf8(line).unwrap()
    });
    let time =
        last.split(' ').find_map(|word| word.strip_prefix("Time=")).expect("events have a time");
    let time: i64 = time.parse().unwrap();
    writeln!(head, "M=-1 P=-1 G=-1 Sync Time={} N={}", time + 1, syncs + 1).unwrap();
    head
}

#[test]
fn the_events_of_every_trace_are_those_of_go() {
    let traces = traces();
    let compared = AtomicUsize::new(0);
    check_all(
        &traces,
        |trace| trace.name.clone(),
        |trace| {
            let mut want = Digest::parse(&trace.expected("parsed").ok_or("no expectation")?);
            let (text, diagnostics) = match event_text(&trace.bytes()) {
                Ok(done) => done,
                Err(error) => return Err(error),
            };
            compared.fetch_add(1, Ordering::Relaxed);
            let has_loss = diagnostics.iter().any(|one| one.code.severity() == Severity::Loss);
            match &want.error {
                None if has_loss => Err(format!("Go reads all of it, but: {}", diagnostics[0])),
                None => compare(&text, &want),
                // The old format numbers the events of C threads wrongly, but they are all there.
                Some(_)
                    if trace.is_v1() && trace.name.ends_with("/cgo") && !diagnostics.is_empty() =>
                {
                    Ok(())
                }
                Some(error) if !has_loss => {
                    Err(format!("Go says {error:?}, and nothing is reported"))
                }
                Some(_) if want.events == 0 => Ok(()),
                Some(_) if LAST_CHUNK_DIFFERS.iter().any(|(name, _)| *name == trace.name) => {
                    want.chunks.pop();
                    let end = starts(&text)[want.chunks.len() * CHUNK];
                    compare_chunks(&text[..end], &want)
                }
                Some(_) => compare(&as_far_as_go(&text, want.events), &want),
            }
        },
    );
    assert!(traces.len() > 100 && compared.into_inner() == traces.len());
}

#[test]
fn a_wrong_event_is_found_and_its_chunk_is_named() {
    let trace = Trace::new("go1.27/gc");
    let want = Digest::parse(&trace.expected("parsed").unwrap());
    let (mut text, _) = event_text(&trace.bytes()).unwrap();
    assert_eq!(compare(&text, &want), Ok(()));
    let at = starts(&text)[1003];
    text[at + 2] ^= 1;
    assert!(compare(&text, &want).unwrap_err().starts_with("events 1000 to 1499 "));
    text.truncate(at);
    assert!(compare(&text, &want).is_err());
}

#[test]
fn the_same_input_gives_the_same_text_twice_however_it_is_packed() {
    let traces: Vec<Trace> =
        traces().into_iter().filter(|trace| !trace.name.contains("boundary")).collect();
    check_all(
        &traces,
        |trace| trace.name.clone(),
        |trace| {
            let bytes = trace.bytes();
            let plain = match event_text(&bytes) {
                Ok((text, _)) => Ok(text),
                Err(error) => Err(error),
            };
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&bytes).unwrap();
            // Two members one after the other are one file.
            let (front, back) = bytes.split_at(bytes.len() / 2);
            let members = [front, back].map(|part| {
                let mut gzip =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(part).unwrap();
                gzip.finish().unwrap()
            });
            let zstd = zstd::stream::encode_all(&bytes[..], 1).unwrap();
            let copies = [
                ("again", bytes),
                ("gzip", gzip.finish().unwrap()),
                ("gzip members", members.concat()),
                ("zstd", zstd),
            ];
            for (name, copy) in copies {
                if event_text(&copy).map(|(text, _)| text) != plain {
                    return Err(format!("{name}: another text"));
                }
            }
            Ok(())
        },
    );
}
