//! What a goroutine does, as coarsely as a timeline colours it.

use crate::model::wait_kinds::COLLECTOR_LOCKS;
use crate::store::budget::Work;
use crate::store::tables::states;
use rusqlite::{Connection, Result};
use rustc_hash::FxHashSet;

/// Number of classes.
pub const CLASSES: usize = 13;

/// What a goroutine does, or what is done on a proc or thread.
///
/// The number of a class is its place in all arrays and in tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// Not known, or not there; of a proc: no thread has it.
    Undetermined = 0,
    /// It runs; on a proc or thread: one runs there.
    Running = 1,
    /// It could run and has no proc.
    Runnable = 2,
    /// In a system call, with its proc.
    Syscall = 3,
    /// In a system call, after the loss of its proc.
    SyscallBlocked = 4,
    /// It waits for the network.
    Network = 5,
    /// It waits for a lock, a wait group or a condition variable.
    Lock = 6,
    /// It waits to send to or to receive from a channel.
    Channel = 7,
    /// It waits in a select statement.
    Select = 8,
    /// It sleeps.
    Sleep = 9,
    /// It waits for the collector, its locks included; on a proc or thread: a mark worker runs there.
    Gc = 10,
    /// It waits in the runtime's own affairs; of a proc or thread: it looks for work.
    Runtime = 11,
    /// It waits, and the trace does not tell for what, or for ever.
    Other = 12,
}

impl Class {
    /// All of them, each at the place of its number.
    pub const ALL: [Class; CLASSES] = [
        Class::Undetermined,
        Class::Running,
        Class::Runnable,
        Class::Syscall,
        Class::SyscallBlocked,
        Class::Network,
        Class::Lock,
        Class::Channel,
        Class::Select,
        Class::Sleep,
        Class::Gc,
        Class::Runtime,
        Class::Other,
    ];

    /// Its name in requests: `running`, `network`, ...
    pub fn name(self) -> &'static str {
        match self {
            Class::Undetermined => "undetermined",
            Class::Running => "running",
            Class::Runnable => "runnable",
            Class::Syscall => "syscall",
            Class::SyscallBlocked => "syscall blocked",
            Class::Network => "network",
            Class::Lock => "lock",
            Class::Channel => "channel",
            Class::Select => "select",
            Class::Sleep => "sleep",
            Class::Gc => "gc",
            Class::Runtime => "runtime",
            Class::Other => "other",
        }
    }

    /// Whether the goroutine waits.
    pub fn is_waiting(self) -> bool {
        self >= Class::Network
    }

    /// That of a wait, by its `reasons.kind`.
    fn of_kind(kind: &str) -> Class {
        match kind {
            "network" => Class::Network,
            "lock" => Class::Lock,
            "channel" => Class::Channel,
            "select" => Class::Select,
            "sleep" => Class::Sleep,
            "gc" => Class::Gc,
            "runtime" => Class::Runtime,
            _ => Class::Other,
        }
    }
}

/// Rows of `reasons` that are looked at; a trace has some dozens.
const MOST_REASONS: usize = 1 << 16;

/// Tells the class of states of one database.
pub struct Classes {
    /// By row of the reason.
    by_reason: Vec<Class>,
    /// Rows of stacks at which a lock is one of the collector's (`schema/49_state_totals.sql`).
    collector_stacks: FxHashSet<i64>,
}

impl Classes {
    pub fn read(connection: &Connection, work: &Work) -> Result<Self> {
        let mut by_reason = Vec::new();
        let mut statement = connection.prepare("select id, kind from main.reasons order by id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            work.step()?;
            let id = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(MOST_REASONS);
            if id < MOST_REASONS {
                by_reason.resize(by_reason.len().max(id + 1), Class::Other);
                by_reason[id] = Class::of_kind(row.get_ref(1)?.as_str().unwrap_or(""));
            }
        }
        let mut collector_stacks = FxHashSet::default();
        let mut statement =
            connection.prepare("select id from main.stacks where wait_kind in (?1, ?2)")?;
        let mut rows = statement.query(COLLECTOR_LOCKS)?;
        while let Some(row) = rows.next()? {
            work.step()?;
            if collector_stacks.len() == collector_stacks.capacity() {
                work.hold(collector_stacks.capacity().max(4) * 2 * size_of::<i64>())?;
            }
            collector_stacks.insert(row.get(0)?);
        }
        Ok(Classes { by_reason, collector_stacks })
    }

    /// The class of a state, by its `raw_goroutine_states.code` and the row of its stack.
    #[inline(always)]
    pub fn of(&self, code: i64, stack: i64) -> Class {
        match code & 7 {
            states::RUNNING => Class::Running,
            states::RUNNABLE => Class::Runnable,
            states::SYSCALL => Class::Syscall,
            6 => Class::SyscallBlocked,
            states::WAITING => {
                let reason = usize::try_from(code >> 8).ok();
                let class = reason.and_then(|row| self.by_reason.get(row)).copied();
                match class.unwrap_or(Class::Other) {
                    Class::Lock if self.collector_stacks.contains(&stack) => Class::Gc,
                    class => class,
                }
            }
            _ => Class::Undetermined,
        }
    }
}
