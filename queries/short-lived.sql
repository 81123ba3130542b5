-- title: Goroutines that hardly live
-- description: Goroutines that were started and ended within a short time, by the code that starts them:
--   what it costs to start and schedule them may exceed what they do. Compare running_ns with runnable_ns.
-- filters: time, goroutines
-- param max DURATION = 100us: longest life that counts as short
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column name TEXT: function they began with; NULL if no stack of them was seen
-- column creator TEXT: function with the go statement; NULL if unknown
-- column goroutines INTEGER: how many lived so shortly
-- column of_all INTEGER: how many the same code started for the same function in the trace
-- column short_share REAL: share of those that lived so shortly, 0 to 1
-- column p50_total_ns INTEGER: half of the short ones lived no longer than this
-- column running_ns INTEGER: time the short ones ran
-- column runnable_ns INTEGER: time they waited for a proc
-- column waiting_ns INTEGER: time they waited for anything else
-- column stack_id INTEGER: a stack of the go statement; select stack(ID) shows it
with stacks_of_go as (
  select distinct create_stack_id as stack_id
  from raw_goroutines
  where not existed_before and create_stack_id is not null
), places as materialized (
  -- Grouping by a number is quicker than by a text.
  select stack_id, place, dense_rank() over (order by place) as number
  from (select stack_id, stack_user(stack_id) as place from stacks_of_go)
), lives as (
  select g.function_id as function_id, p.number as number, p.place as creator,
    count(*) as of_all,
    sum(g.ended_ns is not null and g.total_ns <= :max) as goroutines,
    percentile(case when g.ended_ns is not null and g.total_ns <= :max then g.total_ns end, 0.5)
      as p50_total_ns,
    sum(case when g.ended_ns is not null and g.total_ns <= :max then g.running_ns else 0 end)
      as running_ns,
    sum(case when g.ended_ns is not null and g.total_ns <= :max then g.runnable_ns else 0 end)
      as runnable_ns,
    sum(case when g.ended_ns is not null and g.total_ns <= :max then g.waiting_ns else 0 end)
      as waiting_ns,
    min(g.create_stack_id) as stack_id
  from raw_goroutines g
  left join places p on p.stack_id = g.create_stack_id
  where not g.existed_before and (:trace is null or g.trace_id = :trace)
  group by g.function_id, p.number
)
select f.name as name, l.creator as creator, l.goroutines as goroutines, l.of_all as of_all,
  round(1.0 * l.goroutines / l.of_all, 4) as short_share, l.p50_total_ns as p50_total_ns,
  l.running_ns as running_ns, l.runnable_ns as runnable_ns, l.waiting_ns as waiting_ns,
  l.stack_id as stack_id
from lives l
left join functions f on f.id = l.function_id
where l.goroutines > 0
order by l.goroutines desc, f.name, l.creator
limit :limit;
