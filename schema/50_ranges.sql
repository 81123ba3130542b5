-- Spans the runtime marks: GC mark phases, mark assists, sweeps, pauses of the world.
create table ranges (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  name text not null, -- 'GC concurrent mark phase', 'GC mark assist', 'GC incremental sweep' or 'stop-the-world (REASON)'
  scope text not null, -- what it is a range of: 'global', 'goroutine' or 'proc'
  goroutine_id integer references raw_goroutines (id), -- the goroutine of its scope, or the one that was running on the proc
  proc integer, -- the proc on which it began
  start_ns integer not null, -- when it began
  duration_ns integer not null, -- how long it lasted
  open_start integer not null, -- 1 if it had begun before the trace, or the part behind a gap
  open_end integer not null, -- 1 if it had not ended when the trace, or the part before a gap, did
  stack_id integer references stacks (id), -- where it began
  swept_bytes integer, -- for sweeps: bytes looked at
  reclaimed_bytes integer -- for sweeps: bytes freed
) strict;
