-- title: Tasks of the program
-- description: Latency of the tasks the program marks (runtime/trace.NewTask), by type. Percentiles
--   are of those that both began and ended in the trace.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 50: rows at most, -1 for all
-- column type TEXT: the name given by the program; NULL if they began before the trace
-- column tasks INTEGER: how many
-- column complete INTEGER: how many both began and ended in the trace
-- column p50_ns INTEGER: half of the complete ones took no longer than this
-- column p90_ns INTEGER: 90 of 100 took no longer than this
-- column p99_ns INTEGER: 99 of 100 took no longer than this
-- column max_ns INTEGER: the longest
-- column longest_task INTEGER: number of the longest; gotrace query SOURCE logs -p task=N shows its messages
-- column longest_at_ns INTEGER: when the longest began
-- column longest_goid INTEGER: goid of the goroutine that created the longest
-- column place TEXT: function that created the longest
with longest as (
  -- The other columns are those of the longest, see stw.sql.
  select type, count(*) as tasks, count(end_ns - start_ns) as complete,
    percentile(end_ns - start_ns, 0.5) as p50_ns, percentile(end_ns - start_ns, 0.9) as p90_ns,
    percentile(end_ns - start_ns, 0.99) as p99_ns, max(end_ns - start_ns) as max_ns,
    task, start_ns, goroutine_id, stack_id
  from tasks
  where :trace is null or trace_id = :trace
  group by type
)
select l.type as type, l.tasks as tasks, l.complete as complete, l.p50_ns as p50_ns,
  l.p90_ns as p90_ns, l.p99_ns as p99_ns, l.max_ns as max_ns,
  case when l.complete then l.task end as longest_task,
  case when l.complete then l.start_ns end as longest_at_ns,
  case when l.complete then (select goid from goroutines where id = l.goroutine_id) end
    as longest_goid,
  stack_user(l.stack_id) as place
from longest l
order by l.max_ns desc nulls last, l.tasks desc, l.type
limit :limit;
