-- Spans of time during which a goroutine did not change its state, compact. Rows of one goroutine
-- stand together in ranges, in order of time; raw_state_ranges tells whose they are.
create table raw_goroutine_states (
  id integer primary key not null, -- row number
  start_ns integer not null, -- when it began
  duration_ns integer not null, -- how long it lasted
  code integer not null, -- state + 8 * state before + 64 * open_start + 128 * open_end + 256 * row in reasons; states: 0 undetermined, 1 not existing, 2 runnable, 3 running, 4 waiting, 5 in a system call, 6 in a system call without proc
  stack_id integer, -- row in stacks: where the goroutine was when it entered the state
  proc integer, -- number of the proc on which that happened
  thread_id integer, -- row in threads: the thread on which that happened
  woken_by_id integer, -- row in raw_goroutines
  woken_stack_id integer -- row in stacks
) strict;
