-- title: Contended locks and who held them up
-- description: For each place where a lock is waited for: how often, how long, and the code that let it
--   go most of the time waited. One row for each kind of lock and place; wakers has all pairs.
-- filters: time, goroutines
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself
-- param stacks INTEGER = 0: 1 to show whole stacks, and tell apart places that differ only in their callers
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column wait_kind TEXT: what kind of lock: mutex, rwmutex read, waitgroup, once ...; docs/wait-kinds.md has the rules
-- column place TEXT: function that waits, the runtime and the plumbing of the standard library skipped; NULL if unknown
-- column waits INTEGER: how often it had to be waited for
-- column total_ns INTEGER: how long in all, summed over goroutines
-- column mean_ns INTEGER: how long on average
-- column max_ns INTEGER: the longest
-- column waited_for TEXT: code that ended the waits that took most of the time: the holder to blame; NULL if none ended
-- column waited_for_ns INTEGER: how much of the time it ended
-- column waited_for_share REAL: share of the time it ended, 0 to 1
-- column still_waiting INTEGER: waits that had not ended when the trace did, or had no goroutine that ended them
-- column longest_goid INTEGER: goid of the goroutine with the longest wait
-- column longest_at_ns INTEGER: when the longest began
-- column stack_id INTEGER: its stack; select stack(ID) shows it
with pairs as (
  select wait_kind, case when :stacks then stack(stack_id) else stack_user(stack_id) end as place,
    stack_user(woken_stack_id) as waker, sum(spans) as waits, sum(total_ns) as total_ns,
    max(max_ns) as max_ns, stack_id, max_state_id, max_goroutine_id
  from state_totals
  where kind = 'lock'
    and (:system or not exists (
      -- Not by the name in the totals: it may still have been unknown then.
      select 1 from goroutines g
      where g.id = max_goroutine_id and g.is_system and g.name is not null))
    and (:trace is null or trace_id = :trace)
  group by 1, 2, 3
), places as (
  -- The longest's row gives the other columns, see stw.sql.
  select wait_kind, place, sum(waits) as waits, sum(total_ns) as total_ns, max(max_ns) as max_ns,
    sum(case when waker is null then waits else 0 end) as still_waiting, stack_id, max_state_id,
    max_goroutine_id
  from pairs
  group by wait_kind, place
), holders as (
  select wait_kind, place, waker, max(total_ns) as total_ns
  from pairs
  where waker is not null
  group by wait_kind, place
)
select p.wait_kind as wait_kind, p.place as place, p.waits as waits, p.total_ns as total_ns,
  p.total_ns / p.waits as mean_ns, p.max_ns as max_ns, h.waker as waited_for,
  h.total_ns as waited_for_ns,
  round(1.0 * h.total_ns / nullif(p.total_ns, 0), 4) as waited_for_share,
  p.still_waiting as still_waiting,
  (select goid from goroutines where id = p.max_goroutine_id) as longest_goid,
  s.start_ns as longest_at_ns, p.stack_id as stack_id
from places p
left join holders h on h.wait_kind = p.wait_kind and h.place is p.place
left join raw_goroutine_states s on s.id = p.max_state_id
order by p.total_ns desc, p.wait_kind, p.place
limit :limit;
