-- title: Goroutine analysis by start function
-- description: What the goroutines that began with the same function spent their time on, the
--   hungriest first. Waiting is split by what was waited for.
-- filters: time, goroutines
-- param system INTEGER = 1: 0 to leave out the goroutines of the runtime itself
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 50: rows at most, -1 for all
-- column name TEXT: the function they began with; NULL if no stack of them was seen
-- column goroutines INTEGER: how many
-- column running_share REAL: their share of the running time of all goroutines, 0 to 1
-- column running_ns INTEGER: time they ran
-- column runnable_ns INTEGER: time they could have run but had no proc
-- column network_ns INTEGER: time they waited for the network
-- column lock_ns INTEGER: time they waited for mutexes, wait groups and condition variables
-- column channel_ns INTEGER: time they waited to send to or receive from a channel
-- column select_ns INTEGER: time they waited in select statements
-- column sleep_ns INTEGER: time they slept
-- column gc_ns INTEGER: time they waited for the garbage collector, its locks included
-- column other_ns INTEGER: time they waited for anything else, or the trace does not tell for what
-- column syscall_ns INTEGER: time in system calls, while they kept their proc
-- column syscall_blocked_ns INTEGER: time in system calls after they had lost their proc
-- column p50_total_ns INTEGER: half of them were there no longer than this
-- column p99_total_ns INTEGER: 99 of 100 of them were there no longer than this
with waits as (
  select g.function_id as function_id,
    sum(case w.kind when 'network' then w.total_ns else 0 end) as network_ns,
    sum(case w.kind when 'lock' then w.total_ns else 0 end) as lock_ns,
    sum(case w.kind when 'channel' then w.total_ns else 0 end) as channel_ns,
    sum(case w.kind when 'select' then w.total_ns else 0 end) as select_ns,
    sum(case w.kind when 'sleep' then w.total_ns else 0 end) as sleep_ns,
    sum(case w.kind when 'gc' then w.total_ns else 0 end) as gc_ns,
    sum(case when w.kind in ('network', 'lock', 'channel', 'select', 'sleep', 'gc') then 0
      else w.total_ns end) as other_ns
  from goroutine_waits w
  join goroutines g on g.id = w.goroutine_id
  where :trace is null or g.trace_id = :trace
  group by g.function_id
), collector_locks as (
  -- What the runtime calls a lock is one of the collector's by its stack.
  select t.function_id as function_id, sum(t.total_ns) as total_ns
  from raw_state_totals t
  join reasons r on r.id = t.reason_id
  join stacks k on k.id = t.stack_id
  where t.state = 4 and r.kind = 'lock' and k.wait_kind in ('gc start', 'gc mark done')
    and (:trace is null or t.trace_id = :trace)
  group by t.function_id
), groups as (
  select g.function_id as function_id, g.name as name, g.is_system as is_system,
    count(*) as goroutines,
    sum(g.running_ns) as running_ns, sum(g.runnable_ns) as runnable_ns,
    sum(g.syscall_ns) as syscall_ns, sum(g.syscall_blocked_ns) as syscall_blocked_ns,
    percentile(g.total_ns, 0.5) as p50_total_ns, percentile(g.total_ns, 0.99) as p99_total_ns,
    sum(sum(g.running_ns)) over () as all_running_ns
  from goroutines g
  where :trace is null or g.trace_id = :trace
  group by g.function_id
)
select g.name as name, g.goroutines as goroutines,
  round(1.0 * g.running_ns / nullif(g.all_running_ns, 0), 4) as running_share,
  g.running_ns as running_ns, g.runnable_ns as runnable_ns,
  coalesce(w.network_ns, 0) as network_ns,
  coalesce(w.lock_ns, 0) - coalesce(c.total_ns, 0) as lock_ns,
  coalesce(w.channel_ns, 0) as channel_ns, coalesce(w.select_ns, 0) as select_ns,
  coalesce(w.sleep_ns, 0) as sleep_ns,
  coalesce(w.gc_ns, 0) + coalesce(c.total_ns, 0) as gc_ns,
  coalesce(w.other_ns, 0) as other_ns, g.syscall_ns as syscall_ns,
  g.syscall_blocked_ns as syscall_blocked_ns, g.p50_total_ns as p50_total_ns,
  g.p99_total_ns as p99_total_ns
from groups g
left join waits w on w.function_id is g.function_id
left join collector_locks c on c.function_id is g.function_id
-- Without a stack the runtime's goroutines cannot be told from the program's: show them.
where :system or not g.is_system or g.name is null
order by g.running_ns desc, g.goroutines desc, g.name
limit :limit;
