//! What goroutines wait for, inferred from where they wait.
//!
//! The runtime's reasons are coarse: a mutex, a wait group and the start of a collection are all
//! "sync". The functions between the runtime and the program say more. The rules are declared here,
//! once; `docs/wait-kinds.md` is generated from them.
//!
//! A stack has an *entry*: its frames from the leaf on, as long as they belong to the runtime or
//! to the packages of the standard library through which programs wait ([`Family::packages`]). A rule looks at
//! the entry only, so that a mutex wanted inside a function that `sync.Once` calls is a mutex, while
//! the mutex inside `sync.Once` itself is `once`.

use super::stack_pattern::glob;

/// Kinds of waiting for locks of the collector, which the runtime calls what it calls locks of the
/// program.
pub const COLLECTOR_LOCKS: [&str; 2] = ["gc start", "gc mark done"];

/// Through which packages an entry may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Locks.
    Sync,
    /// The network.
    Net,
}

impl Family {
    /// The packages; `/` at the end means all below.
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Family::Sync => {
                &["runtime", "internal/sync", "internal/runtime/", "internal/race", "sync"]
            }
            Family::Net => &[
                "runtime",
                "internal/",
                "sync",
                "syscall",
                "os",
                "io",
                "bufio",
                "bytes",
                "context",
                "time",
                "net",
                "crypto/tls",
                "vendor/golang.org/x/net/",
            ],
        }
    }

    fn has(self, package: &str) -> bool {
        self.packages().iter().any(|one| match one.strip_suffix('/') {
            Some(root) => package == root || package.starts_with(one),
            None => package == *one,
        })
    }
}

/// A kind of waiting that the stack tells.
#[derive(Debug)]
pub struct WaitRule {
    /// Its name.
    pub kind: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Through which packages the entry may lead.
    pub family: Family,
    /// Functions of which one must be in the entry; `*` stands for any characters.
    pub functions: &'static [&'static str],
}

/// The rules; the first that holds decides.
pub static WAIT_RULES: &[WaitRule] = &[
    WaitRule {
        kind: "once",
        doc: "Another goroutine is in the function of a sync.Once (or OnceFunc, OnceValue).",
        family: Family::Sync,
        functions: &["sync.(*Once).Do", "sync.(*Once).doSlow"],
    },
    WaitRule {
        kind: "sync.Map",
        doc: "A lock inside a sync.Map.",
        family: Family::Sync,
        functions: &["sync.(*Map).*", "internal/sync.(*HashTrieMap*"],
    },
    WaitRule {
        kind: "sync.Pool",
        doc: "The lock over all sync.Pools, taken when one is used for the first time.",
        family: Family::Sync,
        functions: &["sync.(*Pool).*"],
    },
    WaitRule {
        kind: "waitgroup",
        doc: "sync.WaitGroup.Wait.",
        family: Family::Sync,
        functions: &["sync.(*WaitGroup).Wait"],
    },
    WaitRule {
        kind: "cond",
        doc: "sync.Cond.Wait.",
        family: Family::Sync,
        functions: &["sync.(*Cond).Wait"],
    },
    WaitRule {
        kind: "rwmutex read",
        doc: "A sync.RWMutex, to read: a writer has it or waits for it.",
        family: Family::Sync,
        functions: &["sync.(*RWMutex).RLock"],
    },
    WaitRule {
        kind: "rwmutex write",
        doc: "A sync.RWMutex, to write: readers or a writer have it.",
        family: Family::Sync,
        functions: &["sync.(*RWMutex).Lock"],
    },
    WaitRule {
        kind: "mutex",
        doc: "A sync.Mutex.",
        family: Family::Sync,
        functions: &["sync.(*Mutex).Lock", "internal/sync.(*Mutex).*"],
    },
    WaitRule {
        kind: "gc start",
        doc: "An allocation that would start a collection while another goroutine is about to start or end one.",
        family: Family::Sync,
        functions: &["runtime.gcStart"],
    },
    WaitRule {
        kind: "gc mark done",
        doc: "An assist or a mark worker that wants to end the mark phase while another does.",
        family: Family::Sync,
        functions: &["runtime.gcMarkDone"],
    },
    WaitRule {
        kind: "dns",
        doc: "A name is being looked up.",
        family: Family::Net,
        functions: &[
            "net.(*Resolver).*",
            "net.dnsPacketRoundTrip",
            "net.dnsStreamRoundTrip",
            "net.cgoLookup*",
            "net.doBlockingWithCtx*",
            "net.lookup*",
        ],
    },
    WaitRule {
        kind: "tls handshake",
        doc: "The handshake of a TLS connection.",
        family: Family::Net,
        functions: &["crypto/tls.(*Conn).Handshake*", "crypto/tls.(*Conn).handshake*"],
    },
    WaitRule {
        kind: "accept",
        doc: "A server waits for a connection.",
        family: Family::Net,
        functions: &["internal/poll.(*FD).Accept", "net.(*netFD).accept"],
    },
    WaitRule {
        kind: "dial",
        doc: "A connection is being made.",
        family: Family::Net,
        functions: &[
            "net.(*netFD).connect*",
            "net.(*netFD).dial",
            "net.(*sysDialer).*",
            "net.(*Dialer).*",
        ],
    },
    WaitRule {
        kind: "read",
        doc: "Nothing has come yet on a connection, pipe or terminal.",
        family: Family::Net,
        functions: &[
            "internal/poll.(*FD).Read*",
            "internal/poll.(*FD).Pread",
            "internal/poll.(*FD).WaitRead",
            "internal/poll.(*FD).RawRead",
        ],
    },
    WaitRule {
        kind: "write",
        doc: "The other side of a connection or pipe has not taken what was written before.",
        family: Family::Net,
        functions: &[
            "internal/poll.(*FD).Write*",
            "internal/poll.(*FD).Pwrite",
            "internal/poll.(*FD).WaitWrite",
            "internal/poll.(*FD).RawWrite",
            "internal/poll.(*FD).SendFile*",
            "internal/poll.SendFile",
            "internal/poll.Splice",
        ],
    },
    WaitRule {
        kind: "close",
        doc: "A connection or file is being closed while something else still uses it.",
        family: Family::Net,
        functions: &["internal/poll.(*FD).Close"],
    },
];

/// On whose behalf something is done.
#[derive(Debug)]
pub struct ActivityRule {
    /// Its name.
    pub activity: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Functions of which one must be in the stack; `*` stands for any characters.
    pub functions: &'static [&'static str],
}

/// The rules. The frame nearest to the leaf for which one holds decides: a query that the handler
/// of an HTTP server makes is `database/sql`.
pub static ACTIVITY_RULES: &[ActivityRule] = &[
    ActivityRule {
        activity: "database/sql",
        doc: "A database is used through database/sql, or its pool of connections is waited for.",
        functions: &["database/sql.*"],
    },
    ActivityRule {
        activity: "http client",
        doc: "net/http makes a request, or keeps a connection for one.",
        functions: &[
            "net/http.(*Client).*",
            "net/http.(*Transport).*",
            "net/http.(*persistConn).*",
            "net/http.(*http2Transport).*",
            "net/http.(*http2ClientConn).*",
            "net/http.(*http2clientStream).*",
            "net/http.(*http2clientConnReadLoop).*",
        ],
    },
    ActivityRule {
        activity: "http server",
        doc: "net/http serves: accepts, reads requests, runs handlers or writes answers.",
        functions: &[
            "net/http.(*conn).*",
            "net/http.(*connReader).*",
            "net/http.(*Server).*",
            "net/http.(*response).*",
            "net/http.(*http2serverConn).*",
            "net/http.(*timeoutHandler).*",
        ],
    },
];

/// A kind that the reason alone tells; used where no [`WaitRule`] holds, and always for reasons that
/// leave no doubt.
pub fn kind_by_reason(reason: &str) -> &'static str {
    match reason {
        "network" => "network",
        "sync" => "lock",
        "sync.(*Cond).Wait" => "cond",
        "chan send" => "channel send",
        "chan receive" => "channel receive",
        "select" => "select",
        "sleep" => "timer",
        "forever" => "forever",
        "GC mark assist wait for work" => "gc assist",
        "" | "unspecified" => "unknown",
        reason if reason.contains("GC") => "gc",
        _ => "runtime",
    }
}

/// What [`kind_by_reason`] can give, with what it means.
pub static REASON_KINDS: &[(&str, &str, &str)] = &[
    ("network", "network", "The network or another file that is polled, and no rule tells more."),
    ("lock", "sync", "A lock, and no rule tells which kind."),
    ("cond", "sync.(*Cond).Wait", "sync.Cond.Wait."),
    ("channel send", "chan send", "A channel takes nothing."),
    ("channel receive", "chan receive", "A channel has nothing."),
    ("select", "select", "A select statement of which no case is ready."),
    ("timer", "sleep", "time.Sleep."),
    ("forever", "forever", "A nil channel, or a select statement without cases."),
    (
        "gc assist",
        "GC mark assist wait for work",
        "An allocation must help marking, and there is nothing to help with yet.",
    ),
    ("gc", "all others that name the GC", "The collector's own goroutines."),
    ("runtime", "system goroutine wait, preempted and the like", "The runtime's own affairs."),
    ("unknown", "none", "It waited already when the trace began, and no rule tells more."),
];

/// Whether the reason alone decides, whatever the stack shows: an assist may be owed anywhere.
pub fn is_decided_by_reason(reason: &str) -> bool {
    matches!(kind_by_reason(reason), "timer" | "forever" | "gc assist" | "gc" | "runtime")
}

/// The kind of waiting at a stack, given as function names from the leaf on; `None` if no rule holds.
pub fn wait_kind<'a>(frames: impl Iterator<Item = &'a str> + Clone) -> Option<&'static str> {
    let entry =
        |family: Family| frames.clone().take_while(move |name| family.has(package_of(name)));
    let rule = WAIT_RULES.iter().find(|rule| {
        entry(rule.family).any(|name| rule.functions.iter().any(|word| glob(word, name)))
    });
    rule.map(|rule| rule.kind)
}

/// The activity at a stack, given as function names from the leaf on; `None` if no rule holds.
pub fn activity<'a>(mut frames: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    frames.find_map(|name| {
        // Nearly no frame is of these packages; see that first.
        if !name.starts_with("net/http.") && !name.starts_with("database/sql.") {
            return None;
        }
        ACTIVITY_RULES
            .iter()
            .find(|rule| rule.functions.iter().any(|word| glob(word, name)))
            .map(|rule| rule.activity)
    })
}

/// The package path of a full function name: `net/http` of `net/http.(*conn).serve`.
pub fn package_of(name: &str) -> &str {
    let base = name.rfind('/').map_or(0, |slash| slash + 1);
    // A type argument may hold slashes: `internal/sync.(*HashTrieMap[go.shape.struct { a/b.T }]).x`.
    let base = match name.find('[') {
        Some(bracket) if bracket < base => name[..bracket].rfind('/').map_or(0, |slash| slash + 1),
        _ => base,
    };
    match name[base..].find('.') {
        Some(dot) => &name[..base + dot],
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(stack: &[&str]) -> Option<&'static str> {
        wait_kind(stack.iter().copied())
    }

    #[test]
    fn only_the_entry_of_a_stack_counts() {
        let once = ["sync.(*Mutex).Lock", "sync.(*Once).doSlow", "sync.(*Once).Do", "main.f"];
        assert_eq!(kind(&once), Some("once"));
        let inside = ["sync.(*Mutex).Lock", "main.open", "sync.(*Once).doSlow", "sync.(*Once).Do"];
        assert_eq!(kind(&inside), Some("mutex"));
        let handler = ["runtime.selectgo", "main.handle", "net.(*Resolver).lookupIPAddr"];
        assert_eq!(kind(&handler), None);
        assert_eq!(kind(&[]), None);
    }

    #[test]
    fn the_nearest_activity_decides() {
        let of = |stack: &[&'static str]| activity(stack.iter().copied());
        let query =
            ["runtime.selectgo", "database/sql.(*DB).conn", "main.h", "net/http.(*conn).serve"];
        assert_eq!(of(&query), Some("database/sql"));
        assert_eq!(of(&["main.h", "net/http.(*conn).serve"]), Some("http server"));
        assert_eq!(of(&["main.h", "net/http.HandlerFunc.ServeHTTP"]), None);
    }

    #[test]
    fn every_kind_by_reason_is_listed() {
        for reason in [
            "",
            "network",
            "sync",
            "sync.(*Cond).Wait",
            "chan send",
            "chan receive",
            "select",
            "sleep",
            "forever",
            "GC mark assist wait for work",
            "GC background sweeper wait",
            "preempted",
        ] {
            let kind = kind_by_reason(reason);
            assert!(REASON_KINDS.iter().any(|(listed, _, _)| *listed == kind), "{reason}");
        }
    }

    #[test]
    fn the_package_of_a_generic_function_is_found() {
        let name = "internal/sync.(*HashTrieMap[go.shape.struct { a/b.T }]).Load";
        assert_eq!(package_of(name), "internal/sync");
        assert_eq!(package_of("net/http.(*conn).serve"), "net/http");
        assert_eq!(package_of("main.f"), "main");
    }
}
