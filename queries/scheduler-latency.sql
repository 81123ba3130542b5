-- title: How long goroutines wait for a proc
-- description: Time between becoming runnable and running, by the function the goroutines began
--   with, most in all first.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column name TEXT: the function they began with; NULL if no stack of them was seen
-- column times INTEGER: how often one became runnable
-- column total_ns INTEGER: how long they waited in all
-- column p50_ns INTEGER: half of the times it was no longer than this
-- column p90_ns INTEGER: 90 of 100 times it was no longer than this
-- column p99_ns INTEGER: 99 of 100 times it was no longer than this
-- column max_ns INTEGER: the longest
-- column longest_at_ns INTEGER: when the longest began
-- column longest_goid INTEGER: goid of the goroutine with the longest
with latencies as (
  -- This reads every state of the trace: 2 is runnable. Functions come first, and cross join keeps
  -- them there, so that no sorting is needed to group by them.
  select f.name as name, count(*) as times, sum(s.duration_ns) as total_ns,
    percentile(s.duration_ns, 0.5) as p50_ns, percentile(s.duration_ns, 0.9) as p90_ns,
    percentile(s.duration_ns, 0.99) as p99_ns, max(s.duration_ns) as max_ns, s.start_ns, g.goid
  from functions f
  cross join raw_goroutines g on g.function_id = f.id and (:trace is null or g.trace_id = :trace)
  cross join raw_state_ranges r on r.goroutine_id = g.id
  cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
  where s.code & 7 = 2
  group by f.id
  union all
  select null, count(*), sum(s.duration_ns), percentile(s.duration_ns, 0.5),
    percentile(s.duration_ns, 0.9), percentile(s.duration_ns, 0.99), max(s.duration_ns),
    s.start_ns, g.goid
  from raw_goroutines g
  cross join raw_state_ranges r on r.goroutine_id = g.id
  cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
  where s.code & 7 = 2 and g.function_id is null and (:trace is null or g.trace_id = :trace)
  having count(*) > 0
)
select name as name, times as times, total_ns as total_ns, p50_ns as p50_ns, p90_ns as p90_ns,
  p99_ns as p99_ns, max_ns as max_ns, start_ns as longest_at_ns, goid as longest_goid
from latencies
order by total_ns desc, name
limit :limit;
