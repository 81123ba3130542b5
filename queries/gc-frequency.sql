-- title: Cost of garbage collection
-- description: How often each trace collects garbage, and what share of the time and of the
--   processors that takes.
-- filters: time
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column cycles INTEGER: collections in the trace
-- column cycles_per_second REAL: collections a second
-- column mark_share REAL: share of the time in which a mark phase was on, 0 to 1
-- column cpu_share REAL: share of all procs' time that went into marking, idle workers not counted, 0 to 1
-- column pause_ns INTEGER: time the world was stopped for it
-- column pause_share REAL: share of the time in which the world was stopped for it, 0 to 1
-- column max_pause_ns INTEGER: the longest pause; NULL if there was none
-- column assist_ns INTEGER: time goroutines had to help, summed over them
-- column background_ns INTEGER: time of dedicated and fractional mark workers, summed over them
-- column idle_ns INTEGER: time of mark workers that used idle procs, summed over them
with cost as (
  select trace_id, count(*) as cycles, sum(duration_ns) as mark_ns,
    sum(coalesce(sweep_termination_pause_ns, 0) + coalesce(mark_termination_pause_ns, 0))
      as pause_ns,
    max(max(coalesce(sweep_termination_pause_ns, mark_termination_pause_ns),
      coalesce(mark_termination_pause_ns, sweep_termination_pause_ns))) as max_pause_ns,
    sum(assist_ns) as assist_ns, sum(background_ns) as background_ns, sum(idle_ns) as idle_ns
  from gc_cycles
  group by trace_id
)
select t.id as trace_id, coalesce(c.cycles, 0) as cycles,
  round(1e9 * coalesce(c.cycles, 0) / nullif(w.duration_ns, 0), 2) as cycles_per_second,
  round(1.0 * coalesce(c.mark_ns, 0) / nullif(w.duration_ns, 0), 4) as mark_share,
  round(1.0 * coalesce(c.assist_ns + c.background_ns, 0)
    / nullif(w.duration_ns * t.gomaxprocs, 0), 4) as cpu_share,
  coalesce(c.pause_ns, 0) as pause_ns,
  round(1.0 * coalesce(c.pause_ns, 0) / nullif(w.duration_ns, 0), 5) as pause_share,
  c.max_pause_ns as max_pause_ns, coalesce(c.assist_ns, 0) as assist_ns,
  coalesce(c.background_ns, 0) as background_ns, coalesce(c.idle_ns, 0) as idle_ns
from traces t
join (
  select trace_id, to_ns - from_ns as duration_ns from trace_spans
) w on w.trace_id = t.id
left join cost c on c.trace_id = t.id
where :trace is null or t.id = :trace
order by t.id;
