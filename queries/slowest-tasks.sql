-- title: The slowest tasks and what they waited for
-- description: The longest tasks, each with what the goroutines that worked for it did meanwhile. A goroutine
--   works for a task while a region of it is open on it; the goroutine that created the task, if it is also
--   the one that ended it, all the time. Times are summed over goroutines.
-- filters: time, goroutines
-- param type TEXT = null: only tasks of this type
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 10: rows at most, -1 for all
-- column duration_ns INTEGER: how long it took
-- column type TEXT: the name given by the program
-- column task INTEGER: its number
-- column start_ns INTEGER: when it began
-- column goid INTEGER: goid of the goroutine that created it
-- column goroutines INTEGER: how many goroutines worked for it
-- column running_ns INTEGER: how long they ran for it
-- column runnable_ns INTEGER: how long they waited for a proc
-- column waiting_ns INTEGER: how long they waited for anything else
-- column syscall_ns INTEGER: how long they were in system calls
-- column longest_wait_ns INTEGER: their longest wait, as far as it was for the task; NULL for none
-- column longest_wait TEXT: what that was for, as docs/wait-kinds.md infers it
-- column longest_wait_place TEXT: where that was
-- column longest_wait_ended_by TEXT: code that ended it; NULL if no goroutine did
with slowest as materialized (
  select id, trace_id, task, goroutine_id, end_goroutine_id, type, start_ns, end_ns,
    end_ns - start_ns as duration_ns
  from tasks
  where start_ns is not null and end_ns is not null
    and (:type is null or type = :type) and (:trace is null or trace_id = :trace)
  order by end_ns - start_ns desc, id
  limit :limit
), work as materialized (
  select id, goroutine_id, start_ns, end_ns
  from slowest
  where goroutine_id = end_goroutine_id
  union all
  -- Of nested regions of one task only the outermost.
  select d.id, r.goroutine_id, max(r.start_ns, d.start_ns),
    min(coalesce(r.end_ns, d.end_ns), d.end_ns)
  from regions r
  join slowest d on d.trace_id = r.trace_id and d.task = r.task
  where r.start_ns < d.end_ns and coalesce(r.end_ns, d.end_ns) > d.start_ns
    and not (d.goroutine_id = d.end_goroutine_id and r.goroutine_id = d.goroutine_id)
    and (r.depth = 0 or not exists (
      select 1 from regions o
      where o.goroutine_id = r.goroutine_id and o.task = r.task and o.depth < r.depth
        and o.start_ns <= r.start_ns
        and coalesce(o.end_ns, d.end_ns) >= coalesce(r.end_ns, d.end_ns)))
), parts as (
  select w.id as id, w.goroutine_id as goroutine_id, s.code as code, s.stack_id as stack_id,
    s.woken_stack_id as woken_stack_id,
    min(s.start_ns + s.duration_ns, w.end_ns) - max(s.start_ns, w.start_ns) as part_ns
  from work w
  cross join raw_state_ranges r on r.goroutine_id = w.goroutine_id
    and r.start_ns < w.end_ns and r.end_ns > w.start_ns
  cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
    and s.start_ns < w.end_ns and s.start_ns + s.duration_ns > w.start_ns
), sums as (
  select id, count(distinct goroutine_id) as goroutines,
    sum(case code & 7 when 3 then part_ns else 0 end) as running_ns,
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
  (select goid from goroutines where id = d.goroutine_id) as goid,
  coalesce(s.goroutines, 0) as goroutines, s.running_ns as running_ns,
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
