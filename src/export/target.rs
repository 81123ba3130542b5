//! Where an export is written.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, Write};

/// Where an export goes.
pub enum Target {
    /// A file, which gets its name when it is complete.
    File(File),
    /// The same, packed.
    Packed(GzEncoder<File>),
    /// Whatever else takes bytes, such as standard output.
    Other(Box<dyn Write + Send>),
}

impl Target {
    /// A file to be packed. Level 1 is several times as fast as the default, and what comes out is
    /// hardly larger.
    pub fn packed(file: File) -> Target {
        Target::Packed(GzEncoder::new(file, Compression::fast()))
    }

    /// Ends the file.
    pub fn close(self) -> io::Result<()> {
        if let Target::Packed(packer) = self {
            packer.finish()?;
        }
        Ok(())
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::File(file) => file.write(bytes),
            Target::Packed(packer) => packer.write(bytes),
            Target::Other(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::File(file) => file.flush(),
            Target::Packed(packer) => packer.flush(),
            Target::Other(out) => out.flush(),
        }
    }
}
