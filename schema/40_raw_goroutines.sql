-- Goroutines, compact; goroutines is the readable form.
create table raw_goroutines (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  goid integer not null, -- the runtime's number
  function_id integer references functions (id), -- the function it began with; NULL if no stack was seen
  created_by integer references raw_goroutines (id), -- the goroutine whose go statement made it; NULL if unknown
  create_stack_id integer references stacks (id), -- where that go statement is
  created_ns integer not null, -- first appearance in the trace
  started_ns integer, -- first time it ran; NULL if it never did
  ended_ns integer, -- its end; NULL if it was still there when the trace ended
  existed_before integer not null, -- 1 if it is older than the trace (or the part behind a gap)
  last_state integer not null, -- its last state, as in raw_goroutine_states.code
  running_ns integer not null, -- time it ran
  runnable_ns integer not null, -- time it could have run but had no proc
  waiting_ns integer not null, -- time it waited, for whatever reason
  syscall_ns integer not null, -- time in system calls, while it kept its proc
  syscall_blocked_ns integer not null, -- time in system calls after it had lost its proc
  total_ns integer not null, -- from created_ns to its end, or the end of the trace
  mark_assist_ns integer not null, -- time inside GC mark assists; overlaps the states
  sweep_ns integer not null, -- time inside GC sweeps it did itself; overlaps the states
  stop_the_world_ns integer not null -- time inside pauses of the world it asked for; overlaps the states
) strict;
