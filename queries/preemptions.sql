-- title: Goroutines that had to make way
-- description: How often goroutines were stopped while they ran: preempted after about 10 ms or for the
--   collector, or by calling runtime.Gosched; and how long they then waited for a proc.
-- filters: time, goroutines
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself
-- param stacks INTEGER = 0: 1 to show whole stacks, and tell apart places that differ only in their callers
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 30: rows at most, -1 for all
-- column reason TEXT: preempted, runtime.Gosched or what else the runtime says
-- column name TEXT: function the goroutines began with; NULL if no stack of them was seen
-- column place TEXT: function in which they were stopped, the runtime and the plumbing of the standard library skipped
-- column times INTEGER: how often
-- column total_ns INTEGER: how long they waited for a proc in all
-- column mean_ns INTEGER: how long on average
-- column max_ns INTEGER: the longest
-- column longest_goid INTEGER: goid of the goroutine with the longest
-- column stack_id INTEGER: where that one was stopped; select stack(ID) shows it
with places as (
  -- stack_id and max_goroutine_id are those of the longest, see stw.sql.
  select reason, name,
    case when :stacks then stack(stack_id) else stack_user(stack_id) end as place,
    sum(spans) as times, sum(total_ns) as total_ns, max(max_ns) as max_ns, stack_id,
    max_goroutine_id
  from state_totals
  where state = 'runnable' and reason is not null
    and (:system or not exists (
      -- Not by the name in the totals: it may still have been unknown then.
      select 1 from goroutines g
      where g.id = max_goroutine_id and g.is_system and g.name is not null))
    and (:trace is null or trace_id = :trace)
  group by 1, 2, 3
)
select p.reason as reason, p.name as name, p.place as place, p.times as times,
  p.total_ns as total_ns, p.total_ns / p.times as mean_ns, p.max_ns as max_ns,
  (select goid from goroutines where id = p.max_goroutine_id) as longest_goid,
  p.stack_id as stack_id
from places p
order by p.times desc, p.total_ns desc, p.reason, p.name, p.place
limit :limit;
