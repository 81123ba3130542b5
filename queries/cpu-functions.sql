-- title: Functions by CPU samples
-- description: Where the CPU profiler found the program, if it ran while the trace was recorded.
--   Self counts samples in the function itself, total also those in what it called.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 30: rows at most, -1 for all
-- column function TEXT: full name
-- column self_samples INTEGER: samples in the function itself
-- column self_share REAL: share of all samples, 0 to 1
-- column total_samples INTEGER: samples in it or in what it called
-- column total_share REAL: share of all samples, 0 to 1
with samples as (
  select stack_id, count(*) as samples, sum(count(*)) over () as all_samples
  from cpu_samples
  where :trace is null or trace_id = :trace
  group by stack_id
), on_stacks as (
  -- Once for each stack, also where a function calls itself.
  select s.stack_id as stack_id, f.function_id as function_id, f.function as function,
    min(f.position) = 0 as is_leaf, s.samples as samples, s.all_samples as all_samples
  from samples s
  join stack_frames f on f.stack_id = s.stack_id
  group by s.stack_id, f.function_id
)
select function as function, sum(samples * is_leaf) as self_samples,
  round(1.0 * sum(samples * is_leaf) / all_samples, 4) as self_share,
  sum(samples) as total_samples, round(1.0 * sum(samples) / all_samples, 4) as total_share
from on_stacks
group by function
order by self_samples desc, total_samples desc, function
limit :limit;
