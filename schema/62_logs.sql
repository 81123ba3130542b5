-- Messages of the program (runtime/trace.Log).
create table logs (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  time_ns integer not null, -- when
  goroutine_id integer references raw_goroutines (id), -- the goroutine
  task integer not null, -- the runtime's number of the task; 0 is the background task
  category text not null, -- the category given by the program
  message text not null, -- the message
  stack_id integer references stacks (id) -- where
) strict;
