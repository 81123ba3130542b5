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
select f.name as name, p.times as times, p.total_ns as total_ns, p.p50_ns as p50_ns,
  p.p90_ns as p90_ns, p.p99_ns as p99_ns, p.max_ns as max_ns, p.longest_at_ns as longest_at_ns,
  (select g.goid from raw_goroutines g where g.id = p.goroutine_id) as longest_goid
from state_percentiles('runnable', :trace) p
left join functions f on f.id = p.function_id
order by p.total_ns desc, f.name
limit :limit;
