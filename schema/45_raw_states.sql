-- The rows of raw_goroutine_states with the goroutine they belong to.
create view raw_states as
-- id: row in raw_goroutine_states
-- goroutine_id: row in raw_goroutines
-- start_ns: when it began
-- duration_ns: how long it lasted
-- code: as in raw_goroutine_states
-- reason_id: row in reasons; NULL for none
-- stack_id: row in stacks
-- proc: number of the proc
-- thread_id: row in threads
-- woken_by_id: row in raw_goroutines
-- woken_stack_id: row in stacks
select s.id as id, r.goroutine_id as goroutine_id, s.start_ns as start_ns,
  s.duration_ns as duration_ns, s.code as code, nullif(s.code >> 8, 0) as reason_id,
  s.stack_id as stack_id, s.proc as proc, s.thread_id as thread_id, s.woken_by_id as woken_by_id,
  s.woken_stack_id as woken_stack_id
from raw_state_ranges r
-- The order matters: ranges find the rows of a goroutine, rows do not find their range.
cross join raw_goroutine_states s on s.id between r.first_state and r.last_state;
