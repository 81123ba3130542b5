//! What people save by mistake, and hand over as a recording.

/// What the first bytes of something else say that it is, with what to do instead; `None` for what is
/// not known by its first bytes. `start` should be 512 bytes, if there are so many.
pub fn describe(start: &[u8]) -> Option<String> {
    let known = |what: &str| Some(what.to_owned());
    let is_at = |at: usize, magic: &[u8]| start.get(at..).is_some_and(|s| s.starts_with(magic));
    let text = start.trim_ascii_start();
    match start {
        [] => known("the file is empty; was the program stopped before it had written anything?"),
        [0x7f, b'E', b'L', b'F', ..] if is_core(start) => {
            known("it is a core dump; delve and gdb read these")
        }
        [0x7f, b'E', b'L', b'F', ..] => known("it is a program (ELF), not what one recorded"),
        [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            known("it is a program (Mach-O), not what one recorded")
        }
        [b'M', b'Z', ..] => known("it is a program (Windows), not what one recorded"),
        [0, 0, 0, 0, 0, 0, 0, 0, ..] => known("it begins with zero bytes; was it copied whole?"),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => known("it is a zip archive; unpack it first"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => known("it is packed with bzip2; unpack it first"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => known("it is packed with xz; unpack it first"),
        [4, 0x22, 0x4d, 0x18, ..] => known("it is packed with lz4; unpack it first"),
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            known("it is packed more often than gotrace unpacks; unpack it first")
        }
        [0x89, b'P', b'N', b'G', ..] => known("it is a PNG picture"),
        [0xff, 0xd8, 0xff, ..] => known("it is a JPEG picture"),
        [b'%', b'P', b'D', b'F', ..] => known("it is a PDF document"),
        _ if is_at(257, b"ustar") => known("it is a tar archive; unpack it first"),
        _ if start.starts_with(b"PERFILE2") => known("it is a recording of perf"),
        _ if start.starts_with(b"JAVA PROFILE") => known("it is a heap dump of Java"),
        _ if is_heap_dump(start) => {
            known("it is a heap dump (debug.WriteHeapDump), not a heap profile")
        }
        _ if start.starts_with(b"mode: ") => known("it is a coverage profile of go test"),
        _ if text.starts_with(b"<") => {
            known("it looks like an HTML or XML page; was the address right?")
        }
        _ if text.starts_with(b"{") || text.starts_with(b"[") => {
            known("it looks like JSON; gotrace reads what Go writes, not what was exported")
        }
        _ => line_of_text(start)
            .map(|line| format!("it is text that begins with {line:?}; was the address right?")),
    }
}

/// Whether an ELF file is a core dump: e_type 4, in the byte order of the file.
fn is_core(start: &[u8]) -> bool {
    matches!(start, [_, _, _, _, _, 1, ..] if start.get(16..18) == Some(&[4, 0]))
        || matches!(start, [_, _, _, _, _, 2, ..] if start.get(16..18) == Some(&[0, 4]))
}

/// `go1.7 heap dump` and the like (runtime/heapdump.go).
fn is_heap_dump(start: &[u8]) -> bool {
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or(start);
    line.len() < 32 && line.starts_with(b"go1.") && line.ends_with(b" heap dump")
}

/// The beginning of the first line, if it is one of a text: `404 page not found`.
fn line_of_text(start: &[u8]) -> Option<String> {
    let line = start.split(|&byte| byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let line: String = line.trim_end().chars().take(60).collect();
    let is_plain = |c: char| c == '\t' || (!c.is_control() && c != char::REPLACEMENT_CHARACTER);
    (line.len() > 3 && line.chars().all(is_plain)).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_by_mistake_is_named() {
        let mut core = b"\x7fELF\x02\x01\x01".to_vec();
        core.resize(16, 0);
        core.extend([4, 0, 62, 0]);
        let mut tar = vec![b'x'; 257];
        tar.extend(b"ustar\0");
        for (start, want) in [
            (&b""[..], "empty"),
            (&core, "core dump"),
            (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0", "program (ELF)"),
            (b"MZ\x90\0", "program (Windows)"),
            (b"\xcf\xfa\xed\xfe", "program (Mach-O)"),
            (&[0; 64], "zero bytes"),
            (&tar, "tar archive"),
            (b"PK\x03\x04", "zip"),
            (b"\n <!DOCTYPE html>", "HTML"),
            (b"{\"traceEvents\":[", "JSON"),
            (b"404 page not found\n", "\"404 page not found\""),
            (b"go1.7 heap dump\n\x06", "heap dump"),
            (b"mode: set\n", "coverage"),
        ] {
            let said = describe(start).unwrap_or_default();
            assert!(said.contains(want), "{start:?}: {said}");
        }
        for start in [&b"\x0a\x04\x08\x01\x10\x02"[..], b"\x01\x02\x03\x04", b"a\x1bbcd"] {
            assert_eq!(describe(start), None, "{start:?}");
        }
    }
}
