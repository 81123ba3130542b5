-- title: When most goroutines waited for a proc
-- description: The steps of the trace in which most goroutines were runnable at the same time: bursts that the
--   procs could not take at once.
-- filters: time, goroutines
-- param buckets INTEGER = 100: into how many steps to cut the time
-- param limit INTEGER = 10: rows at most, -1 for all
-- column start_ns INTEGER: when the step begins
-- column duration_ns INTEGER: how long it is
-- column max_runnable INTEGER: most goroutines that waited for a proc at a time
-- column mean_runnable REAL: how many did on average
-- column peak_at_ns INTEGER: when there were most for the first time
-- column peak_name TEXT: function most of them began with; NULL if unknown
-- column peak_made_by TEXT: code that made most of them runnable; NULL if it was no goroutine
with spikes as materialized (
  select start_ns, duration_ns, max_count, mean_count, peak_ns
  from state_peaks('runnable', :buckets)
  where max_count > 0
  order by max_count desc, mean_count desc, start_ns
  limit :limit
), there as (
  select t.id as start_ns, g.function_id as function_id, t.woken_stack_id as woken_stack_id,
    count(*) as goroutines
  from states_at_each(
    (select 'select column1 as id, column2 as time_ns from (values '
        || group_concat('(' || start_ns || ', ' || peak_ns || ')') || ')'
      from spikes), 'runnable') t
  join raw_goroutines g on g.id = t.goroutine_id
  group by 1, 2, 3
), names as (
  select start_ns, function_id, max(goroutines)
  from (
    select start_ns, function_id, sum(goroutines) as goroutines from there group by 1, 2)
  group by start_ns
), makers as (
  select start_ns, woken_stack_id, max(goroutines)
  from (
    select start_ns, woken_stack_id, sum(goroutines) as goroutines from there group by 1, 2)
  group by start_ns
)
select k.start_ns as start_ns, k.duration_ns as duration_ns, k.max_count as max_runnable,
  round(k.mean_count, 2) as mean_runnable, k.peak_ns as peak_at_ns,
  (select f.name from functions f where f.id = n.function_id) as peak_name,
  stack_user(m.woken_stack_id) as peak_made_by
from spikes k
left join names n on n.start_ns = k.start_ns
left join makers m on m.start_ns = k.start_ns
order by k.max_count desc, k.mean_count desc, k.start_ns;
