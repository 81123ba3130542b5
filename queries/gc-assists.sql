-- title: Who pays for the collector
-- description: Goroutines that had to help marking because they allocated faster than the collector
--   worked, by where they allocated. Time inside an assist counts in full, also while it waits.
-- filters: time, goroutines
-- param stacks INTEGER = 0: 1 to show whole stacks, and tell apart places that differ only in their callers
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column name TEXT: function the goroutines began with; NULL if no stack of them was seen
-- column place TEXT: function that allocated
-- column assists INTEGER: how often
-- column total_ns INTEGER: how long in all, summed over goroutines
-- column share REAL: share of the time of all assists, 0 to 1
-- column p99_ns INTEGER: 99 of 100 took no longer than this
-- column max_ns INTEGER: the longest
-- column longest_at_ns INTEGER: when the longest began
-- column longest_goid INTEGER: goid of the goroutine of the longest
-- column stack_id INTEGER: the longest's stack; select stack(ID) shows it
with assists as (
  select (select g.function_id from raw_goroutines g where g.id = r.goroutine_id) as function_id,
    r.stack_id as stack_id, r.duration_ns as duration_ns, r.start_ns as start_ns,
    r.goroutine_id as goroutine_id
  from ranges r
  where r.name = 'GC mark assist' and (:trace is null or r.trace_id = :trace)
), places as (
  -- start_ns, goroutine_id and stack_id are those of the longest, see stw.sql.
  select function_id, case when :stacks then stack(stack_id) else stack_user(stack_id) end as place,
    count(*) as assists, sum(duration_ns) as total_ns, percentile(duration_ns, 0.99) as p99_ns,
    max(duration_ns) as max_ns, start_ns, goroutine_id, stack_id,
    sum(sum(duration_ns)) over () as all_ns
  from assists
  group by 1, 2
)
select (select f.name from functions f where f.id = p.function_id) as name, p.place as place,
  p.assists as assists, p.total_ns as total_ns,
  round(1.0 * p.total_ns / nullif(p.all_ns, 0), 4) as share, p.p99_ns as p99_ns,
  p.max_ns as max_ns, p.start_ns as longest_at_ns,
  (select goid from goroutines where id = p.goroutine_id) as longest_goid, p.stack_id as stack_id
from places p
order by p.total_ns desc, name, p.place
limit :limit;
