-- title: Goroutines still waiting at the end
-- description: What the goroutines that wait when the trace ends are waiting for, by reason and place,
--   and for how long already: leaks and deadlocks are here, next to idle workers.
-- filters: time, goroutines
-- param min DURATION = 0: leave out those that wait for less
-- param before DURATION = null: only those that have waited since before this time of the trace; null for all
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself
-- param stacks INTEGER = 0: 1 to show whole stacks, and tell apart places that differ only in their callers
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 50: rows at most, -1 for all
-- column goroutines INTEGER: how many
-- column all_the_time INTEGER: how many of them did nothing else during the trace
-- column max_ns INTEGER: how long the one waits that waits longest
-- column min_ns INTEGER: how long the one waits that waits shortest
-- column reason TEXT: why, in the runtime's words; NULL if the trace does not tell
-- column place TEXT: function that waits, the runtime and the plumbing of the standard library skipped; NULL if unknown
-- column name TEXT: function the goroutine that waits longest began with; NULL if no stack of it was seen
-- column goid INTEGER: goid of the goroutine that waits longest
-- column woken_before_by TEXT: code that ended most of the earlier waits at this place, and so could end these; NULL if none did
-- column stack_id INTEGER: its stack; select stack(ID) shows it
with last_states as (
  select g.id as goroutine_id, g.trace_id as trace_id,
    -- Its last state that is looked at: the last row of its last range may lie behind that.
    (select s.id
      from (
        select max(o.id) as id from raw_state_ranges o where o.goroutine_id = g.id) m
      join raw_state_ranges r on r.id = m.id
      join raw_goroutine_states s on s.id between r.first_state and r.last_state
      order by s.id desc limit 1) as state_id
  from goroutines g
  where g.ended_ns is null
    -- Without a stack the runtime's goroutines cannot be told from the program's: show them.
    and (:system or not g.is_system or g.name is null)
    and (:trace is null or g.trace_id = :trace)
), waiting as (
  select nullif(r.name, '') as reason,
    case when :stacks then stack(s.stack_id) else stack_user(s.stack_id) end as place,
    (s.code >> 6) & 1 as open_start, s.duration_ns as duration_ns, s.stack_id as stack_id,
    l.goroutine_id as goroutine_id
  from last_states l
  join raw_goroutine_states s on s.id = l.state_id
  join reasons r on r.id = s.code >> 8
  where s.code & 7 = 4 and s.duration_ns >= :min
    and (:before is null or s.start_ns < :before)
), places as (
  -- goroutine_id and stack_id are those of the longest, see stw.sql; min() beside max() would
  -- leave open whose they are, so the minimum is a percentile.
  select count(*) as goroutines, sum(open_start) as all_the_time, max(duration_ns) as max_ns,
    percentile(duration_ns, 0) as min_ns, reason, place, goroutine_id, stack_id
  from waiting
  group by reason, place
), wakers as (
  select nullif(reason, '') as reason,
    case when :stacks then stack(stack_id) else stack_user(stack_id) end as place,
    stack_user(woken_stack_id) as waker, sum(spans) as waits
  from state_totals
  where state = 'waiting' and woken_stack_id is not null and (:trace is null or trace_id = :trace)
  group by 1, 2, 3
), usual as (
  select reason, place, waker, max(waits)
  from wakers
  group by reason, place
)
select p.goroutines as goroutines, p.all_the_time as all_the_time, p.max_ns as max_ns,
  p.min_ns as min_ns, p.reason as reason, p.place as place,
  (select name from goroutines where id = p.goroutine_id) as name,
  (select goid from goroutines where id = p.goroutine_id) as goid, u.waker as woken_before_by,
  p.stack_id as stack_id
from places p
left join usual u on u.reason is p.reason and u.place is p.place
order by p.max_ns desc, p.goroutines desc, p.reason, p.place
limit :limit;
