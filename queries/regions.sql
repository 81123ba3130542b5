-- title: Regions of the program
-- description: Duration of the regions the program marks (runtime/trace.StartRegion and
--   WithRegion), by type. A region cut off by the trace counts as far as it is in it.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 50: rows at most, -1 for all
-- column type TEXT: the name given by the program
-- column regions INTEGER: how many
-- column cut_off INTEGER: how many began before the trace or had no end
-- column goroutines INTEGER: on how many goroutines
-- column total_ns INTEGER: how long in all
-- column p50_ns INTEGER: half of them took no longer than this
-- column p90_ns INTEGER: 90 of 100 took no longer than this
-- column p99_ns INTEGER: 99 of 100 took no longer than this
-- column max_ns INTEGER: the longest
-- column longest_at_ns INTEGER: when the longest began
-- column longest_goid INTEGER: goid of the goroutine of the longest
with spans as (
  select r.type as type, r.start_ns is null or r.end_ns is null as is_cut_off,
    r.goroutine_id as goroutine_id,
    coalesce(r.start_ns, (select created_ns from goroutines where id = r.goroutine_id)) as start_ns,
    coalesce(r.end_ns, (select ended_ns from goroutines where id = r.goroutine_id), t.to_ns)
      - coalesce(r.start_ns, (select created_ns from goroutines where id = r.goroutine_id))
      as duration_ns
  from regions r
  join trace_spans t on t.trace_id = r.trace_id
  where :trace is null or r.trace_id = :trace
), types as (
  -- start_ns and goroutine_id are those of the longest, see stw.sql.
  select type, count(*) as regions, sum(is_cut_off) as cut_off,
    count(distinct goroutine_id) as goroutines, sum(duration_ns) as total_ns,
    percentile(duration_ns, 0.5) as p50_ns, percentile(duration_ns, 0.9) as p90_ns,
    percentile(duration_ns, 0.99) as p99_ns, max(duration_ns) as max_ns, start_ns, goroutine_id
  from spans
  group by type
)
select type as type, regions as regions, cut_off as cut_off, goroutines as goroutines,
  total_ns as total_ns, p50_ns as p50_ns, p90_ns as p90_ns, p99_ns as p99_ns, max_ns as max_ns,
  start_ns as longest_at_ns, (select goid from goroutines where id = goroutine_id) as longest_goid
from types
order by total_ns desc, type
limit :limit;
