-- title: Who held up pauses
-- description: A pause begins when the world is asked to stop and does its work when all have. For each pause the
--   goroutine that ran on longest, the one that asked left out: until it stopped, all others stood and waited for it.
-- filters: time
-- param min DURATION = 0: leave out pauses that took less
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column duration_ns INTEGER: how long the pause took
-- column stopping_ns INTEGER: how long until the last goroutine had stopped; 0 if none ran
-- column start_ns INTEGER: when it began
-- column kind TEXT: what the world was stopped for, in the runtime's words
-- column asked_by TEXT: code that asked for it
-- column culprit_goid INTEGER: goid of the goroutine that stopped last; NULL if none ran
-- column culprit_name TEXT: function that goroutine began with
-- column culprit_place TEXT: where it was when it stopped; NULL if the trace does not show it
-- column running INTEGER: goroutines that ran when the pause began
with pauses as materialized (
  select id, trace_id, kind, start_ns, duration_ns, goroutine_id, stack_id
  from stop_the_world
  where duration_ns >= :min and (:trace is null or trace_id = :trace)
), runs as (
  select p.id as id, t.goroutine_id as goroutine_id,
    min(t.start_ns + t.duration_ns, p.start_ns + p.duration_ns) - p.start_ns as stopping_ns,
    t.state_id as state_id
  from states_at_each('select id, start_ns as time_ns from stop_the_world', 'running') t
  join pauses p on p.id = t.id
  join raw_goroutines g on g.id = t.goroutine_id and g.trace_id = p.trace_id
  where t.goroutine_id is not p.goroutine_id
), last as (
  -- The other columns are those of the longest, see stw.sql.
  select id, count(*) as running, max(stopping_ns) as stopping_ns, goroutine_id, state_id
  from runs
  group by id
)
select p.duration_ns as duration_ns, coalesce(l.stopping_ns, 0) as stopping_ns,
  p.start_ns as start_ns, p.kind as kind, stack_user(p.stack_id) as asked_by,
  (select g.goid from goroutines g where g.id = l.goroutine_id) as culprit_goid,
  (select g.name from goroutines g where g.id = l.goroutine_id) as culprit_name,
  stack_user(n.stack_id) as culprit_place, coalesce(l.running, 0) as running
from pauses p
left join last l on l.id = p.id
left join raw_goroutine_states n on n.id = l.state_id + 1
  and state_goroutine(n.id) = l.goroutine_id
order by stopping_ns desc, p.duration_ns desc, p.id
limit :limit;
