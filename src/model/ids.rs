//! Numbers of items: what names a goroutine, a stack or a reason wherever it is meant.
//!
//! They stand below both the items, which name symbols, and the symbols, which are told to whoever
//! takes items.

use std::num::NonZeroU32;

/// Declares an id type: a row number from 1, so that `Option` of it costs nothing.
macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident;)*) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The id of the item at a position counted from 0.
            pub fn from_index(index: usize) -> Self {
                let number = u32::try_from(index + 1).expect("fewer than 2^32 items");
                $name(NonZeroU32::new(number).expect("is at least 1"))
            }
            /// The row number.
            pub fn row(self) -> i64 {
                i64::from(self.0.get())
            }
            /// The position counted from 0.
            pub fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )*};
}

id! {
    /// A goroutine. A number that the runtime uses again stands for another goroutine.
    GoroutineId;
    /// A distinct stack.
    StackId;
    /// A distinct function.
    FunctionId;
    /// A reason for waiting or stopping.
    ReasonId;
    /// A thread of a trace.
    ThreadRow;
    /// A proc of a trace.
    ProcRow;
    /// A type of objects of the AllocFree experiment.
    HeapTypeId;
}
