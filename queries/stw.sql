-- title: Pauses of the whole program
-- description: How often and how long the world was stopped, by what for. A pause lasts from when
--   stopping begins until goroutines may run again.
-- filters: time
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- column kind TEXT: what the world was stopped for, in the runtime's words
-- column pauses INTEGER: how often
-- column total_ns INTEGER: how long in all
-- column p50_ns INTEGER: half of the pauses were no longer than this
-- column p90_ns INTEGER: 90 of 100 pauses were no longer than this
-- column p99_ns INTEGER: 99 of 100 pauses were no longer than this
-- column max_ns INTEGER: the longest
-- column longest_at_ns INTEGER: when the longest began
-- column longest_goid INTEGER: goid of the goroutine that asked for the longest
-- column longest_place TEXT: where that goroutine was
with kinds as (
  -- start_ns, goroutine_id and stack_id are those of the longest: SQLite takes bare columns from
  -- the row of the only max().
  select kind, count(*) as pauses, sum(duration_ns) as total_ns,
    percentile(duration_ns, 0.5) as p50_ns, percentile(duration_ns, 0.9) as p90_ns,
    percentile(duration_ns, 0.99) as p99_ns, max(duration_ns) as max_ns,
    start_ns, goroutine_id, stack_id
  from stop_the_world
  where :trace is null or trace_id = :trace
  group by kind
)
select k.kind as kind, k.pauses as pauses, k.total_ns as total_ns, k.p50_ns as p50_ns,
  k.p90_ns as p90_ns, k.p99_ns as p99_ns, k.max_ns as max_ns, k.start_ns as longest_at_ns,
  (select goid from goroutines where id = k.goroutine_id) as longest_goid,
  stack_user(k.stack_id) as longest_place
from kinds k
order by k.total_ns desc, k.kind;
