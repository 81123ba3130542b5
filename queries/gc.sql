-- title: Garbage collections
-- description: Each cycle with its mark phase, its two pauses, what it did to the heap, and the time
--   goroutines and workers spent on it.
-- filters: time
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 100: rows at most, -1 for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column cycle INTEGER: number of the cycle in the trace, from 1
-- column start_ns INTEGER: start of the concurrent mark phase
-- column mark_ns INTEGER: length of the concurrent mark phase
-- column open TEXT: start if it had begun before the trace, end if it went on after it, both; else NULL
-- column gap_ns INTEGER: time since the end of the mark phase before; NULL for the first
-- column sweep_termination_ns INTEGER: pause before marking; NULL if it is not in the trace
-- column mark_termination_ns INTEGER: pause after marking; NULL if it is not in the trace
-- column heap_before_bytes INTEGER: live heap at the start; NULL if the trace does not tell
-- column heap_after_bytes INTEGER: live heap after marking; NULL if the trace does not tell
-- column heap_goal_bytes INTEGER: heap size the cycle aimed for; NULL if the trace does not tell
-- column assist_ns INTEGER: time goroutines had to help, summed over them
-- column background_ns INTEGER: time of mark workers, idle ones included, summed over them
-- column trigger TEXT: code that started it; NULL if that is not in the trace
select c.trace_id as trace_id,
  row_number() over (partition by c.trace_id order by c.start_ns) as cycle,
  c.start_ns as start_ns, c.duration_ns as mark_ns,
  case when c.open_start and c.open_end then 'both' when c.open_start then 'start'
    when c.open_end then 'end' end as open,
  c.start_ns - lag(c.start_ns + c.duration_ns)
    over (partition by c.trace_id order by c.start_ns) as gap_ns,
  c.sweep_termination_pause_ns as sweep_termination_ns,
  c.mark_termination_pause_ns as mark_termination_ns,
  c.heap_before_bytes as heap_before_bytes, c.heap_after_bytes as heap_after_bytes,
  nullif(c.heap_goal_bytes, 9223372036854775807) as heap_goal_bytes,
  c.assist_ns as assist_ns, c.background_ns + c.idle_ns as background_ns,
  stack_user(c.stack_id) as trigger
from gc_cycles c
where :trace is null or c.trace_id = :trace
order by c.trace_id, c.start_ns
limit :limit;
