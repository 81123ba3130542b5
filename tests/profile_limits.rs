//! Profiles that are hostile or large: what is refused, where, and that time and memory stay bounded.

mod committed;

use committed::run::Sandbox;
use gotrace::profile::{
    Builder, Config, Frame, Profile, ReadLimits, Report, View, read, read_within,
};
use gotrace::source::{ByteStream, from_reader};
use std::io::Write;
use std::time::{Duration, Instant};

/// The error that these bytes give.
fn refusal(bytes: &[u8]) -> String {
    read(&mut ByteStream::from_bytes(bytes), true).unwrap_err().to_string()
}

#[test]
fn what_protobuf_does_not_have_is_refused_at_its_byte() {
    // A sample type, so that something stands before.
    let with = |tail: &[u8]| [&[0x0a, 4, 0x08, 1, 0x10, 2][..], tail].concat();
    for (tail, want) in [
        (&[0, 0][..], "byte 6: unknown field: want a field, got the number 0"),
        (&[0x12, 2, 0, 0], "byte 8: sample: want a field, got the number 0"),
        (&[0x12, 2, 0x0b, 0x0c], "byte 8: sample: field 1: want a value, got a group"),
        (&[0x13, 0x14], "byte 6: sample: field 2: want a value, got a group"),
        (&[0x16], "byte 6: sample: field 2: wire type 6"),
        (&[0x12, 0x7f, 0x08], "byte 6: sample: 127 bytes, but the input ends after 1"),
        (&[0x12, 3, 0x0a, 9, 1], "byte 8: sample: field 1 has 9 bytes, 1 are left"),
        (&[0x12, 2, 0x08, 0x80], "byte 9: sample: value of a field: the message ends inside"),
        (&[0xff; 12], "byte 6: tag: want a varint of at most 64 bits"),
    ] {
        let error = refusal(&with(tail));
        assert!(error.starts_with(want), "{tail:02x?}: {error}");
    }
    assert!(refusal(&[0; 9]).starts_with("byte 0: unknown field: want a field, got the number 0"));
}

#[test]
fn a_stream_of_zeros_ends_at_once() {
    let mut stream = from_reader(std::io::repeat(0), None).unwrap().stream;
    assert!(read(&mut stream, true).unwrap_err().to_string().starts_with("byte 0: "));
}

/// Packed with gzip.
fn packed(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    pieces.for_each(|piece| out.write_all(&piece).unwrap());
    out.finish().unwrap()
}

#[test]
fn what_is_kept_has_a_limit_that_the_error_names() {
    let limits = ReadLimits { memory_bytes: 1 << 20, ..ReadLimits::default() };
    // Samples, entries of the string table, comments, sample types: whatever is kept counts.
    for record in [&[0x12, 0][..], &[0x32, 0], &[0x68, 0], &[0x0a, 0], &[0x2a, 0], &[0x32, 1, 65]] {
        let bytes = record.repeat(600_000);
        let done = read_within(&mut ByteStream::from_bytes(bytes), true, limits);
        let error = done.unwrap_err().to_string();
        // Functions without an id are refused before that, as are strings before the empty one.
        let is_early = error.contains("reserved") || error.contains("first entry");
        assert!(is_early || error.contains("--max-memory"), "{record:02x?}: {error}");
    }
    let sandbox = Sandbox::new();
    let bomb = packed((0..20).map(|_| [0x12, 0].repeat(1 << 19)));
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    sandbox.write("bomb.gz", bomb);
    let run = sandbox.gotrace(&["profile", "top", "bomb.gz", "--max-memory", "10MiB"]).expect(1);
    run.says(&["bomb.gz: byte ", "more than 10MB of memory", "--max-memory SIZE"]);
    sandbox.gotrace(&["profile", "top", "bomb.gz", "--max-memory", "ten"]).expect(2);
}

#[test]
fn unpacking_has_a_limit_that_the_error_names() {
    // Fields that nobody knows are not kept, so only the ratio can end this.
    let bytes = packed((0..300).map(|_| [0x80, 0x01, 0x00].repeat(350_000)));
    let read = |unpack_ratio| {
        let limits = ReadLimits { unpack_ratio, ..ReadLimits::default() };
        let input = std::io::Cursor::new(bytes.clone());
        read_within(&mut from_reader(input, None).unwrap().stream, true, limits)
            .unwrap_err()
            .to_string()
    };
    assert!(read(200).contains("--max-unpack"), "{}", read(200));
    // It is no profile in the end, but it is read to its end.
    assert!(read(2000).contains("no sample types"), "{}", read(2000));
}

/// A sample for each value of a label.
fn labelled(values: usize) -> Profile {
    let mut builder = Builder::new(&[("cpu", "nanoseconds")]);
    let stack: Vec<u32> = ["main.leaf", "main.root"]
        .map(|function| builder.frame(&Frame { function, file: "a.go", line: 1, pc: 0 }))
        .into();
    for value in 0..values {
        let text = format!("v{value}");
        let labels = builder.labels(&[("id", &text)], &[("bytes", value as i64, "bytes")]);
        builder.add(&stack, labels, &[10]);
    }
    builder.finish()
}

/// One stack of so many functions.
fn deep(frames: usize) -> Profile {
    let mut builder = Builder::new(&[("cpu", "nanoseconds")]);
    let stack: Vec<u32> = (0..frames)
        .map(|number| {
            let function = format!("main.f{number}");
            builder.frame(&Frame { function: &function, file: "a.go", line: 1, pc: 0 })
        })
        .collect();
    builder.add(&stack, Default::default(), &[10]);
    builder.finish()
}

/// Computes and writes every view. A quadratic step over 100,000 of anything takes minutes here; what
/// is in proportion takes seconds, so the bound leaves room for a slow machine.
fn all_views_are_quick(name: &str, profile: &Profile) {
    let call_tree = Config { call_tree: true, ..Config::default() };
    let plain = Config::default();
    for (view, config) in [
        (View::Top, &plain),
        (View::Tree, &plain),
        (View::Tags, &plain),
        (View::Traces, &plain),
        (View::Raw, &plain),
        (View::Dot, &plain),
        (View::Dot, &call_tree),
        (View::Callgrind, &plain),
    ] {
        let start = Instant::now();
        let mut report = Report::new(profile.clone(), view, None, config).unwrap();
        let mut out = Vec::new();
        match view {
            View::Top => report.top().write(&mut out),
            View::Tree => report.tree().unwrap().write(&mut out),
            View::Tags => report.tags().write(&mut out),
            View::Traces => report.traces().write(&mut out),
            View::Raw => report.write_raw(&mut out),
            View::Dot => report.dot().write(&mut out),
            _ => report.write_callgrind(&mut out),
        }
        .unwrap();
        let took = start.elapsed();
        assert!(took < Duration::from_secs(15), "{view:?} of {name}: {took:?}");
    }
}

#[test]
fn many_labels_and_deep_stacks_take_time_in_proportion() {
    all_views_are_quick("many labels", &labelled(100_000));
    all_views_are_quick("a deep stack", &deep(100_000));
}

#[test]
fn queries_over_deep_stacks_take_time_in_proportion() {
    let sandbox = Sandbox::new();
    let mut bytes = Vec::new();
    deep(100_000).write_packed(&mut bytes).unwrap();
    sandbox.write("deep.pb.gz", bytes);
    sandbox.gotrace(&["ingest", "deep.pb.gz"]).expect(0);
    for query in ["profile-tree", "profile-top", "profile-labels", "goroutine-profile"] {
        // Each takes a part of a second; with the square of the depth it would be hours.
        sandbox.gotrace(&["query", "deep.db", query, "--timeout", "30s"]).expect(0);
    }
    let tree = sandbox.gotrace(&["query", "deep.db", "profile-tree", "-p", "limit=2"]).expect(0);
    assert_eq!(tree.text().lines().count(), 3, "{}", tree.text());
}

#[test]
fn a_label_may_be_longer_than_a_width_in_a_format() {
    let mut builder = Builder::new(&[("cpu", "nanoseconds")]);
    let frame = builder.frame(&Frame { function: "main.f", file: "", line: 0, pc: 0 });
    let long = "k".repeat(70_000);
    let labels = builder.labels(&[(&long, &long)], &[]);
    builder.add(&[frame], labels, &[10]);
    all_views_are_quick("long labels", &builder.finish());
}
