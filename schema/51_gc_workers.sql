-- What the goroutines of the collector that mark in the background did: one row for each time one ran
-- as such.
create table gc_workers (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  kind text not null, -- 'dedicated', 'fractional' or 'idle': how the runtime meant it to use its proc
  goroutine_id integer not null references raw_goroutines (id), -- the goroutine
  proc integer, -- the proc on which it ran
  start_ns integer not null, -- when it began to work, as its label tells
  duration_ns integer not null -- until it stopped running
) strict;
