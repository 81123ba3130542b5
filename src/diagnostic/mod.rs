//! What was repaired, skipped or lost while reading, as data.
//!
//! Every layer reports here instead of printing. A kind of damage is declared once, in the
//! table below: its code (stable, for scripts), its severity and its meaning.
//! The store writes the reports into the `diagnostics` table, the command line prints them.

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; every number is still exact.
    Info,
    /// The program or the recording did something odd; data was repaired, none is missing.
    Warning,
    /// A part of the trace could not be used: numbers cover less than was recorded.
    Loss,
}

impl Severity {
    /// The word used in the `diagnostics` table and on stderr.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Loss => "loss",
        }
    }
}

/// Declares the diagnostic codes. One row is one kind:
/// `Variant "code" Severity "meaning"`, which becomes a variant of [`Code`] and an entry
/// of [`Code::ALL`].
macro_rules! diagnostics {
    ($($variant:ident $code:literal $severity:ident $doc:literal;)*) => {
        /// A kind of diagnostic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $doc] $variant,)* }

        impl Code {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];
            /// The stable name of the code.
            pub fn as_str(self) -> &'static str { match self { $(Code::$variant => $code,)* } }
            /// How bad it is.
            pub fn severity(self) -> Severity { match self { $(Code::$variant => Severity::$severity,)* } }
            /// What it means, in one sentence.
            pub fn doc(self) -> &'static str { match self { $(Code::$variant => $doc,)* } }
        }
    };
}

diagnostics! {
    TruncatedBatch "truncated-batch" Loss
        "The input ends inside a batch: the recording was cut off or the program was killed.";
    MissingEndOfGeneration "missing-end-of-generation" Warning
        "The last generation has no end mark; everything read from it was kept.";
    BadBatchHeader "bad-batch-header" Loss
        "Bytes where a batch should begin are not one; reading resumed at the next batch found.";
    BadBatch "bad-batch" Loss
        "A batch of strings, stacks, samples or clock data is damaged; the rest of that batch was skipped.";
    BadEvent "bad-event" Loss
        "An event inside a batch is damaged; the rest of that batch was skipped.";
    DuplicateId "duplicate-id" Warning
        "A string or stack number was defined twice in one generation; the first definition was kept.";
    MissingString "missing-string" Warning
        "An event or frame names a string that its generation does not define; it is shown as unknown.";
    MissingStack "missing-stack" Warning
        "An event names a stack that its generation does not define; it has no stack.";
    MissingFrequency "missing-frequency" Loss
        "A generation does not say how long a clock tick is, and no earlier one did.";
    AssumedFrequency "assumed-frequency" Warning
        "A generation does not say how long a clock tick is; that of its neighbour was used.";
    MissingClockSnapshot "missing-clock-snapshot" Info
        "A generation of a Go 1.25 or newer trace has no wall-clock snapshot.";
    GenerationGap "generation-gap" Loss
        "Whole generations are missing between two that were read.";
    GenerationOutOfOrder "generation-out-of-order" Loss
        "A batch belongs to another generation than its neighbours and was skipped.";
    GenerationTooLarge "generation-too-large" Loss
        "A generation is larger than the memory bound; the rest of it was skipped.";
    CannotAdvance "cannot-advance" Loss
        "No thread's next event fits the scheduler's state; the rest of the generation was skipped.";
    InconsistentEvent "inconsistent-event" Loss
        "An event contradicts the scheduler's state; the rest of the generation was skipped.";
    StateAssumed "state-assumed" Warning
        "What brought goroutines or procs into their state is missing; the state was taken from their next event.";
    RangeMismatch "range-mismatch" Warning
        "A GC or stop-the-world range begins twice or ends without a beginning; the event was left out.";
    RegionMisuse "region-misuse" Warning
        "The program ended a region that is not the innermost one of its goroutine.";
    TaskMisuse "task-misuse" Warning
        "The program began a task whose number is already in use.";
    TimeBackwards "time-backwards" Warning
        "Timestamps go backwards by more than the tracer's own reordering explains.";
    TimeCut "time-cut" Warning
        "Timestamps are decades later than the start of the trace; the latest time that is taken stands in their place.";
    EmptyTrace "empty-trace" Warning
        "The trace has a valid header but no event.";
    TooManyDiagnostics "too-many-diagnostics" Info
        "Further diagnostics of a kind were counted but not kept.";
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of thing happened.
    pub code: Code,
    /// Absolute byte offset in the (uncompressed) input; `None` where no byte is to blame.
    pub offset: Option<u64>,
    /// Generation number as the trace has it; `None` if unknown.
    pub generation: Option<u64>,
    /// Thread (M) as the trace has it; `None` if not about one thread.
    pub thread: Option<i64>,
    /// What was found, in words: got and want, without the location.
    pub message: String,
    /// Bytes that could not be used.
    pub lost_bytes: u64,
    /// Events that could not be used; `None` if they could not even be counted.
    pub lost_events: Option<u64>,
    /// Nanoseconds of trace time that are not covered any more; `None` if unknown.
    pub lost_ns: Option<u64>,
}

impl Diagnostic {
    /// A report with only a code and a message; the location is added by the `at_*` methods.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            offset: None,
            generation: None,
            thread: None,
            message: message.into(),
            lost_bytes: 0,
            lost_events: None,
            lost_ns: None,
        }
    }

    /// Adds the absolute byte offset.
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Adds the generation.
    pub fn in_generation(mut self, generation: u64) -> Self {
        self.generation = Some(generation);
        self
    }

    /// Adds the thread.
    pub fn on_thread(mut self, thread: i64) -> Self {
        self.thread = Some(thread);
        self
    }

    /// Adds how many bytes were lost.
    pub fn losing_bytes(mut self, bytes: u64) -> Self {
        self.lost_bytes = bytes;
        self
    }
}

/// `byte 8123: generation 3: thread 12: message (lost 512 bytes, 40 events, 1.2 ms)`.
impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(offset) = self.offset {
            write!(f, "byte {offset}: ")?;
        }
        if let Some(generation) = self.generation {
            write!(f, "generation {generation}: ")?;
        }
        if let Some(thread) = self.thread {
            write!(f, "thread {thread}: ")?;
        }
        write!(f, "{}", self.message)?;
        if self.code.severity() == Severity::Loss {
            write!(f, " (lost {} bytes", self.lost_bytes)?;
            if let Some(events) = self.lost_events {
                write!(f, ", {events} events")?;
            }
            if let Some(ns) = self.lost_ns {
                write!(f, ", {:.3} ms", ns as f64 / 1e6)?;
            }
            write!(f, ")")?;
        }
        Ok(())
    }
}

/// Reports collected while one source is read. At most [`Diagnostics::KEPT_PER_CODE`] of a kind
/// are kept, so that a hostile input cannot make it grow; the others are counted.
#[derive(Debug, Default)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    counts: Vec<u64>,
    lost_bytes: u64,
    lost_events: u64,
}

impl Diagnostics {
    /// How many reports of one kind are kept in full.
    pub const KEPT_PER_CODE: u64 = 100;

    /// Adds a report.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.counts.is_empty() {
            self.counts = vec![0; Code::ALL.len()];
        }
        self.lost_bytes += diagnostic.lost_bytes;
        self.lost_events += diagnostic.lost_events.unwrap_or(0);
        let count = &mut self.counts[diagnostic.code as usize];
        *count += 1;
        if *count <= Self::KEPT_PER_CODE {
            self.kept.push(diagnostic);
        }
    }

    /// Adds all reports of `other`.
    pub fn append(&mut self, other: Diagnostics) {
        let Diagnostics { kept, mut counts, lost_bytes, lost_events } = other;
        // What the other counted without keeping it is only counted here too.
        self.lost_bytes += lost_bytes;
        self.lost_events += lost_events;
        for diagnostic in kept {
            counts[diagnostic.code as usize] -= 1;
            self.lost_bytes -= diagnostic.lost_bytes;
            self.lost_events -= diagnostic.lost_events.unwrap_or(0);
            self.push(diagnostic);
        }
        for (total, count) in self.counts.iter_mut().zip(counts) {
            *total += count;
        }
    }

    /// How often `code` was reported, kept or not.
    pub fn count(&self, code: Code) -> u64 {
        self.counts.get(code as usize).copied().unwrap_or(0)
    }

    /// The reports, in order, with one closing entry for each kind that was cut off.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        for &code in Code::ALL {
            let count = self.count(code);
            if count > Self::KEPT_PER_CODE {
                self.kept.push(Diagnostic::new(
                    Code::TooManyDiagnostics,
                    format!("{} more of {}", count - Self::KEPT_PER_CODE, code.as_str()),
                ));
            }
        }
        self.kept
    }

    /// The reports kept so far.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.kept.iter()
    }

    /// Whether any part of the input was lost.
    pub fn has_loss(&self) -> bool {
        Code::ALL.iter().any(|&code| code.severity() == Severity::Loss && self.count(code) > 0)
    }

    /// Bytes lost over all reports.
    pub fn lost_bytes(&self) -> u64 {
        self.lost_bytes
    }

    /// Events lost over all reports, as far as they could be counted.
    pub fn lost_events(&self) -> u64 {
        self.lost_events
    }
}
