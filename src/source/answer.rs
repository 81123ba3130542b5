//! The headers of an HTTP answer before the data, as `curl -i` saves them.

use super::SourceError;
use std::io::{self, Read};

/// The most that headers may take, bytes; servers and browsers allow no more.
const MOST: usize = 64 << 10;

/// Reads past the headers; gives what is behind them, and how many bytes they took. An answer that
/// says that it is no success is refused with its first line.
pub fn skip_headers(
    mut reader: Box<dyn Read + Send>,
) -> Result<(Box<dyn Read + Send>, u64), SourceError> {
    let refuse = |what: String| SourceError::Open { what };
    let failed = |source| SourceError::Read { offset: 0, source };
    let mut headers = Vec::new();
    let mut rest = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let got = match reader.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            got => got.map_err(failed)?,
        };
        headers.extend_from_slice(&chunk[..got]);
        if let Some(end) = end_of(&headers) {
            rest.extend(headers.drain(end..));
            break;
        }
        if got == 0 || headers.len() > MOST {
            return Err(refuse(
                "it begins as an HTTP answer does, but there is nothing behind the headers".into(),
            ));
        }
    }
    let first = headers.split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    let first = String::from_utf8_lossy(first);
    let status = first.split_whitespace().nth(1).unwrap_or("");
    if !status.starts_with('2') {
        return Err(refuse(format!(
            "it is the answer of a server that had nothing to give: {}",
            first.trim()
        )));
    }
    Ok((Box::new(io::Cursor::new(rest).chain(reader)), headers.len() as u64))
}

/// Where the data begins: behind the first empty line.
fn end_of(bytes: &[u8]) -> Option<usize> {
    let find =
        |end: &[u8]| bytes.windows(end.len()).position(|s| s == end).map(|at| at + end.len());
    match (find(b"\r\n\r\n"), find(b"\n\n")) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
