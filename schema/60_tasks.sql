-- Tasks of the program (runtime/trace.NewTask).
create table tasks (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  task integer not null, -- the runtime's number
  parent integer, -- the runtime's number of the parent task; NULL for none
  type text, -- the name given by the program; NULL if its beginning is not in the trace
  start_ns integer, -- when it was created; NULL if that was before the trace
  end_ns integer, -- when it was ended; NULL if that was not in the trace
  goroutine_id integer references raw_goroutines (id), -- the goroutine that created it
  end_goroutine_id integer references raw_goroutines (id), -- the goroutine that ended it
  stack_id integer references stacks (id) -- where it was created
) strict;
