-- title: Heap over time
-- description: The live heap and the collector's goal in equal steps of the trace, with what was
--   allocated in each.
-- filters: time
-- param steps INTEGER = 20: into how many steps to cut the trace
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column start_ns INTEGER: when the step begins
-- column min_live_bytes INTEGER: smallest live heap in the step; NULL before the first value
-- column max_live_bytes INTEGER: largest live heap in the step; NULL before the first value
-- column goal_bytes INTEGER: the collector's goal at the end of the step; NULL if there is none
-- column grown_bytes INTEGER: how much the heap grew in the step, collections left out of account
-- column gc_cycles INTEGER: collections that began in the step
with recursive steps (step) as (
  select 0
  union all
  select step + 1 from steps where step + 1 < :steps
), parts as (
  select t.trace_id as trace_id, s.step as step,
    t.from_ns + (t.to_ns - t.from_ns) * s.step / :steps as start_ns,
    t.from_ns + (t.to_ns - t.from_ns) * (s.step + 1) / :steps + (s.step + 1 = :steps) as end_ns
  from trace_spans t, steps s
  where :trace is null or t.trace_id = :trace
), live as materialized (
  select m.trace_id as trace_id, m.time_ns as time_ns, m.value as value,
    (m.time_ns - t.from_ns) * :steps / (t.to_ns - t.from_ns + 1) as step,
    lag(m.value) over (partition by m.trace_id order by m.time_ns, m.id) as value_before
  from metrics m
  join trace_spans t on t.trace_id = m.trace_id
  where m.name = 'heap_live_bytes' and (:trace is null or m.trace_id = :trace)
), changes as (
  select trace_id, step, min(min(value, coalesce(value_before, value))) as low,
    max(max(value, coalesce(value_before, value))) as high,
    sum(max(value - value_before, 0)) as grown
  from live
  group by trace_id, step
), last_values as (
  -- value is that of the last change in the step, see stw.sql.
  select trace_id, step, max(time_ns), value
  from live
  group by trace_id, step
), goals as (
  select trace_id, time_ns, nullif(value, 9223372036854775807) as value,
    lead(time_ns, 1, 9223372036854775807) over (partition by trace_id order by time_ns, id) as until
  from metrics
  where name = 'heap_goal_bytes' and (:trace is null or trace_id = :trace)
), held as (
  -- In a step without a change the heap has the value it had before.
  select p.trace_id as trace_id, p.step as step, p.start_ns as start_ns, p.end_ns as end_ns,
    (select v.value from last_values v
      where v.trace_id = p.trace_id and v.step < p.step order by v.step desc limit 1) as value
  from parts p
)
select h.trace_id as trace_id, h.start_ns as start_ns,
  coalesce(c.low, h.value) as min_live_bytes, coalesce(c.high, h.value) as max_live_bytes,
  (select g.value from goals g
    where g.trace_id = h.trace_id and g.time_ns < h.end_ns and g.until >= h.end_ns) as goal_bytes,
  coalesce(c.grown, 0) as grown_bytes,
  (select count(*) from gc_cycles y where y.trace_id = h.trace_id
    and y.start_ns >= h.start_ns and y.start_ns < h.end_ns) as gc_cycles
from held h
left join changes c on c.trace_id = h.trace_id and c.step = h.step
order by h.trace_id, h.step;
