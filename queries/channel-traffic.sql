-- title: Which code waits for which over channels
-- description: Pairs of places that meet on a channel: the one that had to wait and the one that came
--   later. Exchanges for which nobody waited leave nothing in a trace.
-- filters: time, goroutines
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 30: rows at most, -1 for all
-- column reason TEXT: how the one waited: chan send, chan receive or select
-- column place TEXT: function that waits, the runtime and the plumbing of the standard library skipped; NULL if unknown
-- column other TEXT: function at the other end; NULL if it was a timer, or the wait has not ended
-- column waits INTEGER: how often the one waited for the other
-- column total_ns INTEGER: how long in all, summed over goroutines
-- column mean_ns INTEGER: how long on average
-- column max_ns INTEGER: the longest
-- column longest_goid INTEGER: goid of the goroutine that waited longest
-- column longest_woken_by_goid INTEGER: goid of the goroutine at the other end then
-- column stack_id INTEGER: stack of the longest; select stack(ID) shows it
-- column other_stack_id INTEGER: stack at the other end then
with pairs as (
  -- What is not summed is that of the longest, see stw.sql.
  select reason, stack_user(stack_id) as place, stack_user(woken_stack_id) as other,
    sum(spans) as waits, sum(total_ns) as total_ns, max(max_ns) as max_ns, stack_id, woken_stack_id,
    max_state_id, max_goroutine_id
  from state_totals
  where kind in ('channel', 'select')
    and (:system or not exists (
      -- Not by the name in the totals: it may still have been unknown then.
      select 1 from goroutines g
      where g.id = max_goroutine_id and g.is_system and g.name is not null))
    and (:trace is null or trace_id = :trace)
  group by 1, 2, 3
)
select p.reason as reason, p.place as place, p.other as other, p.waits as waits,
  p.total_ns as total_ns, p.total_ns / p.waits as mean_ns, p.max_ns as max_ns,
  (select goid from goroutines where id = p.max_goroutine_id) as longest_goid,
  (select goid from main.raw_goroutines where id = s.woken_by_id) as longest_woken_by_goid,
  p.stack_id as stack_id, p.woken_stack_id as other_stack_id
from pairs p
left join raw_goroutine_states s on s.id = p.max_state_id
order by p.total_ns desc, p.reason, p.place, p.other
limit :limit;
