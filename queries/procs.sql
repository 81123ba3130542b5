-- title: Utilisation of the procs
-- description: What each P did with its time. Running goroutines is work; a proc without a thread is
--   idle; the rest is the scheduler looking for work.
-- filters: time
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column proc INTEGER: number of the proc
-- column busy_share REAL: share of its time in which it ran goroutines or kept to their system calls, 0 to 1
-- column goroutine_ns INTEGER: time it ran goroutines
-- column syscall_ns INTEGER: time its goroutine was in a system call
-- column scheduler_ns INTEGER: time a thread had it without a goroutine
-- column idle_ns INTEGER: time no thread had it
-- column starts INTEGER: how often a thread took it
-- column steals INTEGER: how often it was taken away from a system call
select trace_id as trace_id, proc as proc,
  round(1.0 * (goroutine_ns + syscall_ns) / nullif(running_ns + idle_ns, 0), 4) as busy_share,
  goroutine_ns as goroutine_ns, syscall_ns as syscall_ns,
  running_ns - goroutine_ns - syscall_ns as scheduler_ns, idle_ns as idle_ns,
  starts as starts, steals as steals
from procs
where :trace is null or trace_id = :trace
order by trace_id, proc;
