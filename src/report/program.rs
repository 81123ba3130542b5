//! What is the program's and what is the runtime's.

/// Whether goroutines that begin with a function belong to the program. The runtime's own do not,
/// nor do those that write the trace. What is not known to be the program's is not counted as its.
pub fn is_program(name: Option<&str>) -> bool {
    name.is_some_and(|name| {
        name == "runtime.main"
            || !(name.starts_with("runtime.") || name.starts_with("runtime/trace."))
    })
}
