-- Types of the objects in heap_objects (AllocFree experiment, GODEBUG=traceallocfree=1).
create table heap_types (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  name text not null, -- as Go writes it, such as '*bytes.Buffer'
  size_bytes integer not null, -- size of a value
  pointer_bytes integer not null -- how many bytes of its beginning can hold pointers
) strict;
