-- Waits of kind 'select'.
create view select_waits as
-- id: row in goroutine_states
-- goroutine_id: row in goroutines
-- reason: why, in the runtime's words
-- wait_kind: what it waited for, as docs/wait-kinds.md infers it
-- activity: on whose behalf, as docs/wait-kinds.md infers it; NULL if none
-- start_ns: when it began
-- duration_ns: how long it lasted
-- stack_id: where the goroutine waited
-- woken_by_id: row of the goroutine that ended the wait; NULL if none did
-- woken_stack_id: where that goroutine was
-- open_start: 1 if it waited already when the trace began
-- open_end: 1 if it still waited when the trace ended
select s.id as id, s.goroutine_id as goroutine_id, nullif(w.name, '') as reason,
  case when w.is_decisive then w.wait_kind
    else coalesce((select k.wait_kind from stacks k where k.id = s.stack_id), w.wait_kind)
    end as wait_kind,
  (select k.activity from stacks k where k.id = s.stack_id) as activity, s.start_ns as start_ns,
  s.duration_ns as duration_ns, s.stack_id as stack_id, s.woken_by_id as woken_by_id,
  s.woken_stack_id as woken_stack_id, (s.code >> 6) & 1 as open_start,
  (s.code >> 7) & 1 as open_end
from raw_states s
join reasons w on w.id = s.reason_id
where s.code & 7 = 4 and w.kind = 'select';
