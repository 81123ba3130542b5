-- Samples of the CPU profiler, if it ran while the trace was recorded.
create table cpu_samples (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  time_ns integer not null, -- when
  goroutine_id integer references raw_goroutines (id), -- the goroutine; NULL if none ran
  proc integer, -- the proc; NULL if none
  thread integer, -- the thread; NULL if unknown (before Go 1.22)
  stack_id integer references stacks (id) -- where
) strict;
