-- Garbage collections.
create table gc_cycles (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  start_ns integer not null, -- start of the concurrent mark phase
  duration_ns integer not null, -- length of the concurrent mark phase
  open_start integer not null, -- 1 if it had begun before the trace
  open_end integer not null, -- 1 if it had not ended when the trace did
  sweep_termination_pause_ns integer, -- pause before the mark phase; NULL if it is not in the trace
  mark_termination_pause_ns integer, -- pause after the mark phase; NULL if it is not in the trace
  heap_before_bytes integer, -- live heap at the start; NULL if no value was seen before
  heap_after_bytes integer, -- live heap after marking; NULL if the trace does not tell
  heap_goal_bytes integer, -- heap size this cycle aimed for; NULL if no value was seen before
  assist_ns integer not null, -- time goroutines had to help marking, summed over goroutines
  background_ns integer not null, -- time of dedicated and fractional mark workers, summed over them
  idle_ns integer not null, -- time of idle-priority mark workers, summed over them
  goroutine_id integer references raw_goroutines (id), -- the goroutine that triggered it
  stack_id integer references stacks (id) -- where that goroutine was
) strict;
