-- title: Code that ends the waits of others
-- description: Which code ends whose waits: for a lock, the code that held it; for a channel, the code
--   at its other end; for a wait group, the last to be done. What the runtime ends by itself (timers,
--   the network, the collector) is left out.
-- filters: time, goroutines
-- param kind TEXT = null: only waits of this kind: network, lock, channel, select, gc, runtime or other
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 30: rows at most, -1 for all
-- column waker TEXT: function that ends the waits
-- column waits INTEGER: how many it ended
-- column total_ns INTEGER: how long they had lasted in all, summed over goroutines
-- column max_ns INTEGER: the longest
-- column wait_kind TEXT: what was waited for, as docs/wait-kinds.md infers it
-- column place TEXT: function that waits, the runtime and the plumbing of the standard library skipped; NULL if unknown
-- column longest_goid INTEGER: goid of the goroutine that waited longest
-- column longest_woken_by_goid INTEGER: goid of the goroutine that ended that wait
-- column longest_at_ns INTEGER: when that wait began
-- column stack_id INTEGER: where that goroutine waited; select stack(ID) shows it
-- column waker_stack_id INTEGER: where the other was when it ended the wait
with pairs as (
  -- What is not summed is that of the longest, see stw.sql.
  select stack_user(woken_stack_id) as waker, stack_user(stack_id) as place, wait_kind,
    sum(spans) as waits, sum(total_ns) as total_ns, max(max_ns) as max_ns, stack_id, woken_stack_id,
    max_state_id, max_goroutine_id
  from state_totals
  where state = 'waiting' and woken_stack_id is not null
    and (:kind is null or kind = :kind)
    and (:system or not exists (
      -- Not by the name in the totals: it may still have been unknown then.
      select 1 from goroutines g
      where g.id = max_goroutine_id and g.is_system and g.name is not null))
    and (:trace is null or trace_id = :trace)
  group by 1, 2, 3
)
select p.waker as waker, p.waits as waits, p.total_ns as total_ns, p.max_ns as max_ns,
  p.wait_kind as wait_kind, p.place as place,
  (select goid from goroutines where id = p.max_goroutine_id) as longest_goid,
  (select goid from main.raw_goroutines where id = s.woken_by_id) as longest_woken_by_goid,
  s.start_ns as longest_at_ns, p.stack_id as stack_id, p.woken_stack_id as waker_stack_id
from pairs p
left join raw_goroutine_states s on s.id = p.max_state_id
order by p.total_ns desc, p.waker, p.place
limit :limit;
