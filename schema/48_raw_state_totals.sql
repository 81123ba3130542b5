-- Time spent in each state at each place, summed while loading, so that questions about a whole
-- trace need not read every state.
create table raw_state_totals (
  id integer primary key not null, -- row number
  trace_id integer not null references traces (id), -- the trace
  state integer not null, -- as in raw_goroutine_states.code: 2 runnable, 3 running, 4 waiting, 5 in a system call, 6 in a system call without proc
  reason_id integer, -- row in reasons
  stack_id integer, -- row in stacks
  function_id integer, -- row in functions: what the goroutines began with
  woken_stack_id integer, -- row in stacks: for waiting, where the goroutine was that ended it; for runnable, where the one was that made it so
  spans integer not null, -- how often
  total_ns integer not null, -- how long in all
  max_ns integer not null, -- the longest
  max_state_id integer not null, -- row in raw_goroutine_states of the longest
  max_goroutine_id integer not null references raw_goroutines (id) -- the goroutine of the longest
) strict;
