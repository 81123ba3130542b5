-- Spans of time during which a proc did not change its state.
create table raw_proc_states (
  id integer primary key not null, -- row number
  proc_id integer not null references procs (id), -- the proc
  start_ns integer not null, -- when it began
  duration_ns integer not null, -- how long it lasted
  is_running integer not null, -- 1 if a thread had it, 0 if it was idle
  open_start integer not null, -- 1 if it was so already when the trace, or the part behind a gap, began
  open_end integer not null, -- 1 if it was still so when the trace, or the part before a gap, ended
  thread_id integer references threads (id) -- the thread that had it; NULL while idle
) strict;
