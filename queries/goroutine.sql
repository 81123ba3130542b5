-- title: What one goroutine did
-- description: The states of a goroutine in order, each with the place where it was entered and
--   the goroutine that ended the wait.
-- filters: time
-- param goid INTEGER = 1: the runtime's number of the goroutine; 1 is the main goroutine
-- param after DURATION = 0: leave out what ended before this time of the trace
-- param trace INTEGER = null: the trace, a row number of traces; null for the first with this goroutine
-- param limit INTEGER = 200: rows at most, -1 for all
-- column start_ns INTEGER: when the state began
-- column duration_ns INTEGER: how long it lasted
-- column state TEXT: running, runnable, waiting or syscall
-- column reason TEXT: what it waited for, or why it stopped running; blocked for the part of a system call after the proc was lost
-- column open TEXT: start if it had begun before the trace, end if it went on after it, both; else NULL
-- column proc INTEGER: the proc on which it entered the state
-- column thread INTEGER: the thread on which it entered the state
-- column woken_by_goid INTEGER: goid of the goroutine that ended the wait or made it runnable
-- column stack TEXT: where it was when it entered the state
select s.start_ns as start_ns, s.duration_ns as duration_ns, s.state as state,
  nullif(s.reason, '') as reason,
  case when s.open_start and s.open_end then 'both' when s.open_start then 'start'
    when s.open_end then 'end' end as open,
  s.proc as proc, s.thread as thread,
  (select goid from main.raw_goroutines where id = s.woken_by_id) as woken_by_goid,
  stack(s.stack_id) as stack
from goroutine_states s
-- More than one row where the runtime used the number again.
where s.goroutine_id in (
    select g.id
    from goroutines g
    where g.goid = :goid
      and g.trace_id = coalesce(:trace, (select min(trace_id) from goroutines where goid = :goid))
  )
  and s.start_ns + s.duration_ns >= :after
order by s.start_ns, s.id
limit :limit;
