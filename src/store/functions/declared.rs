//! The scalar and aggregate functions, as `docs/functions.md` shows them.

/// A function of gotrace's own connections.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its arguments, as they are written.
    pub arguments: &'static str,
    /// Whether it makes one value of many rows.
    pub is_aggregate: bool,
    /// What it gives.
    pub doc: &'static str,
    /// A trace of `testdata/`, and a statement over it.
    pub example: (&'static str, &'static str),
}

/// All of them, in the order of their documentation.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "stack",
        arguments: "stack_id",
        is_aggregate: false,
        doc: "The whole stack as a text, leaf first: a line with the function, and one with file and line, for each frame.",
        example: (
            "go1.27/leak",
            "select stack(stack_id) as stack from state_totals\n\
             where reason = 'forever' limit 1",
        ),
    },
    Function {
        name: "stack_leaf",
        arguments: "stack_id",
        is_aggregate: false,
        doc: "The function that was executing; NULL for an empty stack.",
        example: (
            "go1.27/sync",
            "select distinct stack_leaf(stack_id) as leaf from lock_waits order by 1 limit 3",
        ),
    },
    Function {
        name: "stack_root",
        arguments: "stack_id",
        is_aggregate: false,
        doc: "The function the goroutine began with; NULL for an empty stack.",
        example: (
            "go1.27/http",
            "select distinct stack_root(stack_id) as root from network_waits order by 1 limit 3",
        ),
    },
    Function {
        name: "stack_user",
        arguments: "stack_id",
        is_aggregate: false,
        doc: "The first function from the leaf on that belongs neither to the runtime nor to the plumbing of the standard \
              library (sync, syscall, os, net, io, bufio, time, reflect, iter, internal/...): where the program is. The \
              leaf if there is no other.",
        example: (
            "go1.27/sync",
            "select distinct stack_user(stack_id) as place from lock_waits order by 1 limit 3",
        ),
    },
    Function {
        name: "stack_call",
        arguments: "stack_id",
        is_aggregate: false,
        doc: "For a system call, the function that makes it: the last function from the leaf on that belongs to the \
              runtime or to a package of system calls (syscall, internal/syscall/..., golang.org/x/sys/...); for a call of C code, the \
              function that stands for it.",
        example: (
            "go1.27/syscalls",
            "select distinct stack_call(stack_id) as call from syscalls order by 1 limit 3",
        ),
    },
    Function {
        name: "stack_match",
        arguments: "stack_id, pattern",
        is_aggregate: false,
        doc: "1 if the stack is as the pattern says, else 0; NULL without a stack. A pattern is a list of words from \
              the root to the leaf. A word is the full name of a function, in which `*` stands for any characters; \
              the word `**` stands for any number of frames, so that `A ** B` is a stack in which A calls B, however \
              indirectly, and `A B` one in which it does so directly. The pattern may match anywhere, unless it begins with the word `^` (the \
              root) or ends with `$` (the leaf).",
        example: (
            "go1.27/http",
            "select reason, count(*) as waits from waits\n\
             where stack_match(stack_id, 'net/http.(*conn).serve ** internal/poll.(*FD).Read')\n\
             group by reason",
        ),
    },
    Function {
        name: "state_at",
        arguments: "goid, time_ns",
        is_aggregate: false,
        doc: "What the goroutine with this number did at this time: 'running', 'runnable', 'waiting' or 'syscall'; NULL if it is not \
              there. states_at(time_ns) has all goroutines.",
        example: ("go1.27/sync", "select state_at(1, 1000000) as state"),
    },
    Function {
        name: "state_goroutine",
        arguments: "state_id",
        is_aggregate: false,
        doc: "The goroutine (row in goroutines) that a row of goroutine_states belongs to. Quicker than the view where a few \
              rows are picked out of all.",
        example: (
            "go1.27/sync",
            "select count(*) as wrong from goroutine_states where state_goroutine(id) <> goroutine_id",
        ),
    },
    Function {
        name: "human_ns",
        arguments: "ns",
        is_aggregate: false,
        doc: "A duration with three digits and a unit.",
        example: ("go1.27/sync", "select human_ns(1234567) as duration"),
    },
    Function {
        name: "pprof",
        arguments: "stack_id, type, unit, value, ...",
        is_aggregate: true,
        doc: "A profile for `go tool pprof` and the like, packed with gzip: for each stack the sum of the values. Type and unit \
              are texts, such as 'delay' and 'nanoseconds'; up to eight values, each with its type and unit. NULL adds \
              nothing. `gotrace query -f raw -o FILE` writes it to a file.",
        example: (
            "go1.27/sync",
            "select hex(substr(pprof(stack_id, 'delay', 'nanoseconds', duration_ns), 1, 3)) as start_of_gzip\n\
             from lock_waits",
        ),
    },
    Function {
        name: "percentile",
        arguments: "x, p",
        is_aggregate: true,
        doc: "The smallest value of which at least the share p (0 to 1) of all values is not greater; it is always one of the \
              values. NULLs are left out; NULL if nothing is left.",
        example: (
            "go1.27/sync",
            "select percentile(value, 0.5) as median from (select value from json_each('[3,1,2,9]'))",
        ),
    },
    Function {
        name: "histogram",
        arguments: "x",
        is_aggregate: true,
        doc: "How many values lie in each of ten steps for each power of ten, as JSON: an array of from, to (where the next \
              step begins) and count, for the steps that have values. json_each makes rows of it. NULLs are left out.",
        example: (
            "go1.27/sync",
            "select histogram(value) as steps from (select value from json_each('[5,1200,1210,90000]'))",
        ),
    },
    Function {
        name: "histogram_step",
        arguments: "x, steps",
        is_aggregate: false,
        doc: "Number of the step in which x lies, with so many steps for each power of ten; -1 for values below 1. To group by.",
        example: ("go1.27/sync", "select histogram_step(1500, 10) as step"),
    },
    Function {
        name: "histogram_border",
        arguments: "step, steps",
        is_aggregate: false,
        doc: "The least whole number in a step of histogram_step.",
        example: (
            "go1.27/sync",
            "select histogram_border(31, 10) as first, histogram_border(32, 10) as next",
        ),
    },
];
