-- Objects on the heap, compact; heap_objects is the readable form.
create table raw_heap_objects (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  address integer not null, -- where it is
  type_id integer references heap_types (id), -- its type; NULL if the allocation names none
  allocated_ns integer, -- when it was allocated; NULL if it existed before
  freed_ns integer, -- when it was released; NULL if that is not in the trace
  goroutine_id integer references raw_goroutines (id) -- the goroutine that allocated it; NULL if unknown
) strict;
