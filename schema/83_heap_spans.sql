-- Spans of pages of the heap (AllocFree experiment).
create table heap_spans (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  address integer not null, -- where it begins
  size_bytes integer not null, -- its size
  size_class integer, -- number of the size class of its objects, 0 for one large object; NULL if it holds none
  is_pointer_free integer, -- 1 if its objects hold no pointers; NULL if it holds no objects
  allocated_ns integer, -- when it was allocated; NULL if it existed before
  freed_ns integer, -- when it was released; NULL if that is not in the trace
  goroutine_id integer references raw_goroutines (id) -- the goroutine that allocated it; NULL if unknown
) strict;
