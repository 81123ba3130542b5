//! Bounds of what is read and kept of one profile.

use crate::wire::WireError;

/// Bounds of what is read and kept of one profile. A packed file of some megabytes can unpack to
/// thousands of times its size; a whole profile is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most bytes of memory that what is kept may take. While it is read, arrays that grow may take
    /// up to twice as much for a moment.
    pub memory_bytes: u64,
    /// How many times its size a packed input may unpack to, beyond the first 256 MiB.
    pub unpack_ratio: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        // A million samples of a hundred frames take half a gigabyte, and pack to a tenth.
        ReadLimits { memory_bytes: 2 << 30, unpack_ratio: 200 }
    }
}

/// Unpacked bytes that need no reason.
const FREE_BYTES: u64 = 256 << 20;

impl ReadLimits {
    /// Refuses an input that has unpacked to too much.
    pub(super) fn check_ratio(&self, offset: u64, packed: Option<u64>) -> Result<(), WireError> {
        let Some(packed) = packed else { return Ok(()) };
        if offset <= FREE_BYTES || offset / self.unpack_ratio.max(1) <= packed {
            return Ok(());
        }
        let ratio = self.unpack_ratio;
        Err(WireError::new(
            offset,
            format!(
                "{packed} packed bytes unpack to more than {ratio} times as many, which profiles do not; \
                 if it is one, 'gotrace profile --max-unpack N' takes more"
            ),
        ))
    }

    /// Refuses to keep more.
    #[cold]
    pub(super) fn too_much(&self, offset: u64) -> WireError {
        let limit = super::units::label(self.memory_bytes.try_into().unwrap_or(i64::MAX), "bytes");
        WireError::new(
            offset,
            format!(
                "what is kept of the profile takes more than {limit} of memory; \
                 'gotrace profile --max-memory SIZE' takes more"
            ),
        )
    }
}
