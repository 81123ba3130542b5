-- What the goroutines did: spans without overlap and without gap from creation to end.
create view goroutine_states as
-- id: row number
-- goroutine_id: row in goroutines
-- state: 'running', 'runnable', 'waiting' or 'syscall'
-- reason: for waiting, why; for runnable, why it stopped running; 'blocked' for the part of a system call after the proc was lost; else NULL
-- start_ns: when it began
-- duration_ns: how long it lasted
-- open_start: 1 if it was so already when the trace, or the part behind a gap, began
-- open_end: 1 if it was still so when the trace, or the part before a gap, ended
-- proc: the proc on which it entered the state; NULL if there was none
-- thread: the thread on which it entered the state
-- stack_id: where it was when it entered the state; NULL if unknown
-- woken_by_id: for waiting, row of the goroutine that ended it; for runnable, of the one that made it so; NULL if none did
-- woken_stack_id: where that goroutine was when it did so
select s.id as id, s.goroutine_id as goroutine_id,
  case s.code & 7 when 3 then 'running' when 2 then 'runnable' when 4 then 'waiting'
    when 5 then 'syscall' when 6 then 'syscall' end as state,
  case s.code & 7 when 6 then 'blocked'
    else (select nullif(w.name, '') from reasons w where w.id = s.reason_id) end as reason,
  s.start_ns as start_ns, s.duration_ns as duration_ns,
  (s.code >> 6) & 1 as open_start, (s.code >> 7) & 1 as open_end, s.proc as proc,
  (select t.thread from threads t where t.id = s.thread_id) as thread,
  s.stack_id as stack_id, s.woken_by_id as woken_by_id, s.woken_stack_id as woken_stack_id
from raw_states s;
