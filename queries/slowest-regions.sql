-- title: The slowest regions and what they spent their time on
-- description: The longest regions, each with what its goroutine did meanwhile: running, waiting for a
--   proc, and for what it waited longest.
-- filters: time, goroutines
-- param type TEXT = null: only regions of this type
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 10: rows at most, -1 for all
-- column duration_ns INTEGER: how long it took
-- column type TEXT: the name given by the program
-- column task INTEGER: number of its task; NULL for none
-- column start_ns INTEGER: when it began
-- column goid INTEGER: goid of its goroutine
-- column running_ns INTEGER: how long the goroutine ran in it
-- column runnable_ns INTEGER: how long it waited for a proc
-- column waiting_ns INTEGER: how long it waited for anything else
-- column syscall_ns INTEGER: how long it was in system calls
-- column longest_wait_ns INTEGER: its longest wait, as far as it was in the region; NULL for none
-- column longest_wait TEXT: what that was for, as docs/wait-kinds.md infers it
-- column longest_wait_place TEXT: where that was
-- column longest_wait_ended_by TEXT: code that ended it; NULL if no goroutine did
with slowest as materialized (
  select id, goroutine_id, type, nullif(task, 0) as task, start_ns, end_ns,
    end_ns - start_ns as duration_ns
  from regions
  where start_ns is not null and end_ns is not null
    and (:type is null or type = :type) and (:trace is null or trace_id = :trace)
  order by end_ns - start_ns desc, id
  limit :limit
), parts as (
  select d.id as id, s.code as code, s.stack_id as stack_id, s.woken_stack_id as woken_stack_id,
    min(s.start_ns + s.duration_ns, d.end_ns) - max(s.start_ns, d.start_ns) as part_ns
  from slowest d
  cross join raw_state_ranges r on r.goroutine_id = d.goroutine_id
    and r.start_ns < d.end_ns and r.end_ns > d.start_ns
  cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
    and s.start_ns < d.end_ns and s.start_ns + s.duration_ns > d.start_ns
), sums as (
  select id, sum(case code & 7 when 3 then part_ns else 0 end) as running_ns,
    sum(case code & 7 when 2 then part_ns else 0 end) as runnable_ns,
    sum(case code & 7 when 4 then part_ns else 0 end) as waiting_ns,
    sum(case when code & 7 >= 5 then part_ns else 0 end) as syscall_ns
  from parts
  group by id
), waits as (
  -- The other columns are those of the longest, see stw.sql.
  select id, max(part_ns) as part_ns, code >> 8 as reason_id, stack_id, woken_stack_id
  from parts
  where code & 7 = 4
  group by id
)
select d.duration_ns as duration_ns, d.type as type, d.task as task, d.start_ns as start_ns,
  (select goid from goroutines where id = d.goroutine_id) as goid, s.running_ns as running_ns,
  s.runnable_ns as runnable_ns, s.waiting_ns as waiting_ns, s.syscall_ns as syscall_ns,
  w.part_ns as longest_wait_ns,
  case when r.is_decisive then r.wait_kind else coalesce(k.wait_kind, r.wait_kind) end
    as longest_wait,
  stack_user(w.stack_id) as longest_wait_place, stack_user(w.woken_stack_id)
    as longest_wait_ended_by
from slowest d
left join sums s on s.id = d.id
left join waits w on w.id = d.id
left join reasons r on r.id = w.reason_id
left join stacks k on k.id = w.stack_id
order by d.duration_ns desc, d.id;
