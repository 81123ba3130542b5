//! What stands in the place of each table under a filter. `{from}` and `{to}` are the borders of time.
//!
//! Each has two recipes: one for a filter of time alone, which is a view over the table wherever that is
//! possible, and one for a filter that chooses goroutines, and perhaps times for each.

/// How something is made.
#[derive(Clone, Copy)]
pub enum Recipe {
    /// By statements.
    Sql(&'static str),
    /// By the pass over all states, see [`super::sums`].
    Sums,
    /// It stays as it is.
    Nothing,
}

/// What stands in the place of a relation.
pub struct Shadow {
    /// The relation, or what others need.
    pub name: &'static str,
    /// Others that must be made before it, with spaces between.
    pub needs: &'static str,
    by_time: Recipe,
    by_goroutine: Recipe,
}

impl Shadow {
    /// How it is made.
    pub fn recipe(&self, has_choice: bool) -> Recipe {
        if has_choice { self.by_goroutine } else { self.by_time }
    }
}

use Recipe::{Nothing, Sql, Sums};

/// All of them, in the order in which they are made.
pub static SHADOWS: &[Shadow] = &[
    Shadow {
        name: "trace_spans",
        needs: "",
        by_time: Sql(TRACE_SPANS),
        by_goroutine: Sql(TRACE_SPANS),
    },
    Shadow {
        name: "filter_states",
        needs: "",
        by_time: Nothing,
        by_goroutine: Sql(include_str!("states_by_goroutine.sql")),
    },
    Shadow {
        name: "raw_state_ranges",
        needs: "filter_states",
        by_time: Sql(include_str!("ranges_by_time.sql")),
        by_goroutine: Sql(include_str!("ranges_by_goroutine.sql")),
    },
    Shadow {
        name: "raw_goroutine_states",
        needs: "filter_states",
        by_time: Sql(include_str!("states_by_time.sql")),
        by_goroutine: Sql("create temp view raw_goroutine_states as
             select id, start_ns, duration_ns, code, stack_id, proc, thread_id, woken_by_id,
               woken_stack_id
             from filter_states;"),
    },
    Shadow {
        name: "filter_sums",
        needs: "raw_state_ranges raw_goroutine_states",
        by_time: Sums,
        by_goroutine: Sums,
    },
    Shadow {
        name: "ranges",
        needs: "",
        by_time: Sql(include_str!("runtime_ranges_by_time.sql")),
        by_goroutine: Sql(include_str!("runtime_ranges_by_goroutine.sql")),
    },
    Shadow {
        name: "raw_goroutines",
        needs: "filter_sums ranges",
        by_time: Sql(GOROUTINES),
        by_goroutine: Sql(GOROUTINES),
    },
    // Filled by the pass over all states.
    Shadow {
        name: "raw_goroutine_waits",
        needs: "filter_sums",
        by_time: Nothing,
        by_goroutine: Nothing,
    },
    Shadow {
        name: "raw_state_totals",
        needs: "filter_sums",
        by_time: Nothing,
        by_goroutine: Nothing,
    },
    Shadow {
        name: "raw_proc_states",
        needs: "",
        by_time: Sql(include_str!("proc_states.sql")),
        by_goroutine: Sql(include_str!("proc_states.sql")),
    },
    Shadow {
        name: "procs",
        needs: "filter_sums raw_proc_states",
        by_time: Sql(include_str!("procs.sql")),
        by_goroutine: Sql(include_str!("procs.sql")),
    },
    Shadow {
        name: "threads",
        needs: "filter_sums",
        by_time: Sql(include_str!("threads.sql")),
        by_goroutine: Sql(include_str!("threads.sql")),
    },
    Shadow {
        name: "gc_workers",
        needs: "",
        by_time: Sql(include_str!("gc_workers_by_time.sql")),
        by_goroutine: Sql(include_str!("gc_workers_by_goroutine.sql")),
    },
    Shadow {
        name: "gc_cycles",
        needs: "ranges gc_workers",
        by_time: Sql(include_str!("gc_cycles.sql")),
        by_goroutine: Sql(include_str!("gc_cycles.sql")),
    },
    Shadow {
        name: "metrics",
        needs: "",
        by_time: Sql(include_str!("metrics.sql")),
        by_goroutine: Sql(include_str!("metrics.sql")),
    },
    Shadow {
        name: "tasks",
        needs: "",
        by_time: Sql(include_str!("tasks_by_time.sql")),
        by_goroutine: Sql(include_str!("tasks_by_goroutine.sql")),
    },
    Shadow {
        name: "regions",
        needs: "",
        by_time: Sql(include_str!("regions_by_time.sql")),
        by_goroutine: Sql(include_str!("regions_by_goroutine.sql")),
    },
    Shadow {
        name: "logs",
        needs: "",
        by_time: Sql("create temp view logs as select * from main.logs
             where time_ns >= {from} and time_ns < {to};"),
        by_goroutine: Sql("create temp view logs as
             select l.* from main.logs l
             where l.time_ns >= {from} and l.time_ns < {to}
               and l.goroutine_id in (select id from filter_goroutines)
               and (not exists (select 1 from filter_tasks)
                 or exists (select 1 from filter_tasks f
                   where f.trace_id = l.trace_id and f.task = l.task));"),
    },
    Shadow {
        name: "labels",
        needs: "",
        by_time: Sql("create temp view labels as select * from main.labels
             where time_ns >= {from} and time_ns < {to};"),
        by_goroutine: Sql("create temp view labels as
             select l.* from main.labels l
             where exists (select 1 from filter_windows w where w.goroutine_id = l.goroutine_id
               and l.time_ns >= w.from_ns and l.time_ns < w.to_ns);"),
    },
    Shadow {
        name: "cpu_samples",
        needs: "",
        by_time: Sql("create temp view cpu_samples as select * from main.cpu_samples
             where time_ns >= {from} and time_ns < {to};"),
        by_goroutine: Sql("create temp view cpu_samples as
             select c.* from main.cpu_samples c
             where exists (select 1 from filter_windows w where w.goroutine_id = c.goroutine_id
               and c.time_ns >= w.from_ns and c.time_ns < w.to_ns);"),
    },
    Shadow {
        name: "raw_heap_objects",
        needs: "",
        by_time: Sql(include_str!("heap_objects.sql")),
        by_goroutine: Sql(include_str!("heap_objects_by_goroutine.sql")),
    },
];

const TRACE_SPANS: &str = "create temp view trace_spans as
    select id as trace_id, min({from}, duration_ns) as from_ns, min({to}, duration_ns) as to_ns
    from main.traces;";

const GOROUTINES: &str = include_str!("goroutines.sql");
