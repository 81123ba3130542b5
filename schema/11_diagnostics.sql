-- Everything that was repaired, skipped or lost while loading.
create table diagnostics (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  severity text not null, -- 'info', 'warning' or 'loss'
  code text not null, -- what kind of thing happened; docs/diagnostics.md has them all
  byte_offset integer, -- where in the (unpacked) trace; NULL if no byte is to blame
  generation integer, -- in which generation, as the trace numbers them
  thread integer, -- in the data of which thread, as the trace numbers them
  message text not null, -- what was found
  lost_bytes integer not null, -- bytes that could not be used
  lost_events integer, -- events that could not be used; NULL if they could not be counted
  lost_ns integer -- time not covered any more; NULL if unknown
) strict;
