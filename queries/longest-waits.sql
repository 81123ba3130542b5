-- title: The longest wait at each place
-- description: For each reason, stack and start function the one wait that lasted longest, with the
--   goroutine that ended it.
-- filters: time, goroutines
-- param kind TEXT = null: only this kind: network, lock, channel, select, sleep, gc, forever, runtime, other or unknown
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself, which mostly idle
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column duration_ns INTEGER: how long it lasted
-- column start_ns INTEGER: when it began
-- column reason TEXT: why, in the runtime's words; NULL if the trace does not tell
-- column goid INTEGER: goid of the goroutine
-- column name TEXT: the function that goroutine began with; NULL if no stack of it was seen
-- column place TEXT: function that waited, the runtime and the plumbing of the standard library skipped; NULL if unknown
-- column still_waiting INTEGER: 1 if it had not ended when the trace did
-- column woken_by_goid INTEGER: goid of the goroutine that ended it; NULL if none did
-- column woken_by_place TEXT: where that goroutine was
with places as (
  -- The totals tell wakers apart; what is not grouped by is that of the longest, see stw.sql.
  select trace_id, reason, kind, stack_id, name, max(max_ns) as max_ns, max_state_id,
    max_goroutine_id
  from state_totals
  where state = 'waiting' and (:kind is null or kind = :kind)
  group by trace_id, reason, stack_id, name
)
select t.max_ns as duration_ns, s.start_ns as start_ns, nullif(t.reason, '') as reason,
  g.goid as goid, g.name as name, stack_user(t.stack_id) as place,
  (s.code >> 7) & 1 as still_waiting,
  (select goid from main.raw_goroutines where id = s.woken_by_id) as woken_by_goid,
  stack_user(s.woken_stack_id) as woken_by_place
from places t
join raw_goroutine_states s on s.id = t.max_state_id
join goroutines g on g.id = t.max_goroutine_id
where
  -- Without a stack the runtime's goroutines cannot be told from the program's: show them.
  (:system or not g.is_system or g.name is null)
  and (:trace is null or t.trace_id = :trace)
order by t.max_ns desc, s.start_ns, g.goid
limit :limit;
