-- title: Code that starts goroutines
-- description: Which code starts how many goroutines during the trace, how long they live, and how
--   many of them are still there at the end.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column place TEXT: function with the go statement; NULL if C code called into Go
-- column name TEXT: function the goroutines begin with
-- column goroutines INTEGER: how many
-- column alive_at_end INTEGER: how many were still there when the trace ended
-- column never_ran INTEGER: how many of them never ran
-- column running_ns INTEGER: time they ran, summed over them
-- column p50_total_ns INTEGER: half of them lived, within the trace, no longer than this
-- column max_total_ns INTEGER: the longest life within the trace
-- column stack_id INTEGER: stack of the go statement of the one that lived longest; select stack(ID) shows it
with stacks_of_go as (
  select distinct create_stack_id as stack_id
  from goroutines
  where not existed_before and create_stack_id is not null
    and (:trace is null or trace_id = :trace)
), places as materialized (
  -- Grouping by a number is quicker than by a text.
  select stack_id, place, dense_rank() over (order by place) as number
  from (select stack_id, stack_user(stack_id) as place from stacks_of_go)
), starts as (
  select p.place as place, g.function_id as function_id, count(*) as goroutines,
    count(*) - count(g.ended_ns) as alive_at_end, count(*) - count(g.started_ns) as never_ran,
    sum(g.running_ns) as running_ns, percentile(g.total_ns, 0.5) as p50_total_ns,
    max(g.total_ns) as max_total_ns, g.create_stack_id as stack_id
  from raw_goroutines g
  left join places p on p.stack_id = g.create_stack_id
  where not g.existed_before and (:trace is null or g.trace_id = :trace)
  group by p.number, g.function_id
)
select s.place as place, f.name as name, s.goroutines as goroutines,
  s.alive_at_end as alive_at_end, s.never_ran as never_ran, s.running_ns as running_ns,
  s.p50_total_ns as p50_total_ns, s.max_total_ns as max_total_ns, s.stack_id as stack_id
from starts s
left join functions f on f.id = s.function_id
order by s.goroutines desc, s.place, f.name
limit :limit;
