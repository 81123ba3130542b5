-- title: Tasks by how long they took
-- description: A histogram for each type of task: ten steps for each power of ten. slowest-tasks shows what
--   the slowest waited for; tasks has percentiles.
--   Only tasks that both began and ended in the trace count.
-- filters: time, goroutines
-- param type TEXT = null: only tasks of this type
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 500: rows at most, -1 for all
-- column type TEXT: the name given by the program
-- column from_ns INTEGER: shortest of the step
-- column to_ns INTEGER: the next step begins here
-- column tasks INTEGER: how many took so long
-- column share REAL: share of the tasks of this type, 0 to 1
-- column up_to_share REAL: share of those that took so long or less, 0 to 1
-- column bar TEXT: the share as a bar
with spans as (
  select type, end_ns - start_ns as duration_ns
  from tasks
  where (:type is null or type = :type) and (:trace is null or trace_id = :trace)
), steps as (
  select type, histogram_step(duration_ns, 10) as step, count(*) as tasks
  from spans
  where duration_ns is not null
  group by 1, 2
), shares as (
  select type, step, tasks, sum(tasks) over (partition by type) as of_all,
    sum(tasks) over (partition by type order by step) as up_to,
    max(tasks) over (partition by type) as most
  from steps
)
select type as type, histogram_border(step, 10) as from_ns,
  histogram_border(step + 1, 10) as to_ns, tasks as tasks,
  round(1.0 * tasks / of_all, 4) as share, round(1.0 * up_to / of_all, 4) as up_to_share,
  substr('##############################', 1, (30 * tasks + most - 1) / most) as bar
from shares
order by type, step
limit :limit;
