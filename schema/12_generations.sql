-- One row for each generation of a trace: the span between two synchronisation points.
create table generations (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  number integer not null, -- as the trace numbers them
  start_ns integer not null, -- when it begins
  byte_offset integer not null, -- where its first batch begins in the (unpacked) trace
  size_bytes integer not null, -- length of its batches, bytes
  batches integer not null, -- number of batches
  events integer not null, -- ordered events
  is_after_gap integer not null, -- 1 if what came before it is missing
  clock_ns integer, -- when the three clocks were read together; NULL before Go 1.25
  clock_mono_ns integer, -- the system's monotonic clock then
  clock_unix_ns integer -- the wall clock then, nanoseconds since 1970
) strict;
