-- title: Goroutines connected by wake-ups
-- description: The goroutines that ended waits of one goroutine, those that ended their waits, and so on: who works
--   with it. With depth 2 that is what go tool trace shows beside a goroutine.
-- filters: time
-- param goid INTEGER = 1: the runtime's number of the goroutine; 1 is the main goroutine
-- param depth INTEGER = 2: how many wake-ups to follow
-- param trace INTEGER = null: the trace, a row number of traces; null for the first with this goroutine
-- param limit INTEGER = 100: rows at most, -1 for all
-- column depth INTEGER: wake-ups between it and the goroutine asked about, at least; 0 is that one
-- column goid INTEGER: goid of the goroutine
-- column name TEXT: function it began with; NULL if no stack of it was seen
-- column wakes INTEGER: how often it ended waits of those one step nearer; NULL for the one asked about
-- column wait_ns INTEGER: how long these waits had lasted in all; NULL for the one asked about
-- column running_ns INTEGER: how long it ran
-- column waiting_ns INTEGER: how long it waited
with recursive start as (
  select g.id as id
  from goroutines g
  where g.goid = :goid
    and g.trace_id = coalesce(:trace, (select min(trace_id) from goroutines where goid = :goid))
), reached (id, depth) as (
  select id, 0 from start
  union
  select s.woken_by_id, n.depth + 1
  from reached n
  cross join raw_state_ranges r on r.goroutine_id = n.id
  cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
  where n.depth < min(:depth, 20) and s.code & 7 = 4 and s.woken_by_id is not null
), nearest as materialized (
  select id, min(depth) as depth from reached group by id
), edges as (
  select s.woken_by_id as id, n.depth + 1 as depth, count(*) as wakes, sum(s.duration_ns) as wait_ns
  from nearest n
  cross join raw_state_ranges r on r.goroutine_id = n.id
  cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
  where n.depth < min(:depth, 20) and s.code & 7 = 4 and s.woken_by_id is not null
  group by 1, 2
)
select n.depth as depth, g.goid as goid, g.name as name, e.wakes as wakes, e.wait_ns as wait_ns,
  g.running_ns as running_ns, g.waiting_ns as waiting_ns
from nearest n
join goroutines g on g.id = n.id
left join edges e on e.id = n.id and e.depth = n.depth
order by n.depth, e.wait_ns desc, g.goid
limit :limit;
