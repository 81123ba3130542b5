//! Writing large files on a thread of its own, so that packing and the file system do not hold up the
//! reading of the trace.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes that are handed over at once.
const CHUNK: usize = 1 << 18;
/// Chunks under way at most.
const CHUNKS: usize = 4;

/// A writer that writes in the background. Errors of the writer come with a later call.
pub struct BackgroundWriter<W> {
    chunk: Vec<u8>,
    chunks: Option<SyncSender<Vec<u8>>>,
    /// Written chunks come back to be filled again.
    emptied: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<W>>>,
}

impl<W: Write + Send + 'static> BackgroundWriter<W> {
    /// Writes to `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        let (chunks, inbox) = sync_channel::<Vec<u8>>(CHUNKS);
        let (outbox, emptied) = sync_channel(CHUNKS);
        let thread = std::thread::Builder::new().name("export".into()).spawn(move || {
            for mut chunk in inbox {
                out.write_all(&chunk)?;
                chunk.clear();
                // A full channel only means that the chunk is not needed any more.
                let _ = outbox.try_send(chunk);
            }
            out.flush()?;
            Ok(out)
        })?;
        Ok(BackgroundWriter {
            chunk: Vec::with_capacity(CHUNK + (CHUNK >> 2)),
            chunks: Some(chunks),
            emptied,
            thread: Some(thread),
        })
    }

    /// Where to append; [`BackgroundWriter::hand_over`] is to be called now and then.
    #[inline(always)]
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.chunk
    }

    /// Passes on what has gathered, if it is much. `false` if nothing can be written any more.
    #[inline(always)]
    pub fn hand_over(&mut self) -> bool {
        self.chunk.len() < CHUNK || self.send()
    }

    #[inline(never)]
    fn send(&mut self) -> bool {
        let next = self.emptied.try_recv().unwrap_or_default();
        let chunk = std::mem::replace(&mut self.chunk, next);
        // It fails when the thread has ended, with an error that `finish` returns.
        self.chunks.as_ref().is_some_and(|chunks| chunks.send(chunk).is_ok())
    }

    /// Writes everything and returns the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.send();
        self.chunks = None;
        let thread = self.thread.take().expect("it is taken only here");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order() {
        let mut writer = BackgroundWriter::new(Vec::new()).unwrap();
        for number in 0..200_000u32 {
            writer.buffer().extend_from_slice(&number.to_le_bytes());
            assert!(writer.hand_over());
        }
        let bytes = writer.finish().unwrap();
        let numbers = bytes.chunks(4).map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()));
        assert!(numbers.eq(0..200_000));
    }

    #[test]
    fn an_error_ends_the_writing_and_is_returned() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("disk is full"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = BackgroundWriter::new(Full).unwrap();
        let mut is_open = true;
        for _ in 0..100 {
            writer.buffer().resize(CHUNK, 0);
            is_open = writer.hand_over();
        }
        assert!(!is_open);
        assert_eq!(writer.finish().map(|_| ()).unwrap_err().to_string(), "disk is full");
    }

    #[test]
    fn records_of_every_size_around_a_chunk_arrive() {
        for size in [1, 2, 3, 7, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 1] {
            for before in 0..3 {
                let mut writer = BackgroundWriter::new(Vec::new()).unwrap();
                let mut want = vec![9; before];
                writer.buffer().extend_from_slice(&want);
                let times = 2 * CHUNK / size + 2;
                for number in 0..times.min(20_000) {
                    let len = writer.chunk.len() + size;
                    writer.buffer().resize(len, number as u8);
                    want.resize(want.len() + size, number as u8);
                    assert!(writer.hand_over());
                }
                assert!(writer.finish().unwrap() == want, "{size} behind {before}");
            }
        }
        // None at all.
        assert!(BackgroundWriter::new(Vec::new()).unwrap().finish().unwrap().is_empty());
    }
}
