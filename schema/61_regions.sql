-- Regions of the program (runtime/trace.StartRegion, WithRegion).
create table regions (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  goroutine_id integer not null references raw_goroutines (id), -- the goroutine
  task integer not null, -- the runtime's number of the task; 0 is the background task
  type text not null, -- the name given by the program
  start_ns integer, -- when it began; NULL if that was before the trace
  end_ns integer, -- when it ended; NULL if it had not when the goroutine or the trace ended
  depth integer not null, -- open regions around it on the goroutine when it began
  stack_id integer references stacks (id), -- where it began
  end_stack_id integer references stacks (id) -- where it ended
) strict;
