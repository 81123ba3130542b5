-- Memory for the stacks of goroutines (AllocFree experiment).
create table goroutine_stacks (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  address integer not null, -- where it begins
  size_bytes integer not null, -- its size
  allocated_ns integer, -- when it was allocated; NULL if it existed before
  freed_ns integer, -- when it was released; NULL if that is not in the trace
  goroutine_id integer references raw_goroutines (id) -- the goroutine that ran when it was allocated, which is the creator, or the one whose stack grew; NULL if unknown
) strict;
