-- title: Waits for the network, by place
-- description: Where goroutines wait for connections, reads and writes.
-- filters: time, goroutines
-- param stacks INTEGER = 0: 1 to show whole stacks, and tell apart places that differ only in their callers
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column place TEXT: function that waits, the runtime and the plumbing of the standard library skipped; NULL if unknown
-- column waits INTEGER: how often
-- column total_ns INTEGER: how long in all, summed over goroutines
-- column mean_ns INTEGER: how long on average
-- column max_ns INTEGER: the longest
-- column longest_at_ns INTEGER: when the longest began
-- column longest_goid INTEGER: goid of the goroutine with the longest
-- column stack_id INTEGER: the longest's stack; select stack(ID) shows it
with places as (
  -- stack_id and max_state_id are those of the longest, see stw.sql.
  select case when :stacks then stack(stack_id) else stack_user(stack_id) end as place,
    sum(spans) as waits, sum(total_ns) as total_ns, max(max_ns) as max_ns, stack_id, max_state_id,
    max_goroutine_id
  from state_totals
  where kind = 'network' and (:trace is null or trace_id = :trace)
  group by 1
)
select p.place as place, p.waits as waits, p.total_ns as total_ns,
  p.total_ns / p.waits as mean_ns, p.max_ns as max_ns, s.start_ns as longest_at_ns,
  (select goid from goroutines where id = p.max_goroutine_id) as longest_goid,
  p.stack_id as stack_id
from places p
left join raw_goroutine_states s on s.id = p.max_state_id
order by p.total_ns desc, p.place
limit :limit;
