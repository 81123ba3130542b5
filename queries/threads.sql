-- title: Threads of the operating system
-- description: How long goroutines ran and were in system calls on each thread, busiest first.
-- filters: time
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 50: rows at most, -1 for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column thread INTEGER: the operating system's number of the thread
-- column busy_share REAL: share of the trace in which goroutines ran or were in system calls on it, 0 to 1
-- column running_ns INTEGER: time goroutines ran on it
-- column syscall_ns INTEGER: time goroutines were in system calls on it
-- column first_ns INTEGER: first event on it
-- column last_ns INTEGER: last event on it
-- column events INTEGER: events on it
select m.trace_id as trace_id, m.thread as thread,
  round(1.0 * (m.running_ns + m.syscall_ns) / nullif(t.to_ns - t.from_ns, 0), 4) as busy_share,
  m.running_ns as running_ns, m.syscall_ns as syscall_ns, m.first_ns as first_ns,
  m.last_ns as last_ns, m.events as events
from threads m
join trace_spans t on t.trace_id = m.trace_id
where :trace is null or m.trace_id = :trace
order by m.running_ns + m.syscall_ns desc, m.trace_id, m.thread
limit :limit;
