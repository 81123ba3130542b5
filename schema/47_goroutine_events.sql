-- The transitions of goroutines as the trace has them: each state's beginning, and each end.
create view goroutine_events as
-- time_ns: when
-- goroutine_id: row in goroutines
-- goid: the runtime's number
-- from_state: state before, in Go's words; 'Undetermined' where the trace, or the part behind a gap, begins
-- to_state: state after, in Go's words
-- reason: why, if the trace tells
-- stack_id: where the goroutine was
-- by_goroutine_id: for a creation or a wake-up, row of the goroutine that did it
-- by_stack_id: where that goroutine was
-- proc: the proc on which it happened
-- thread: the thread on which it happened
select s.start_ns as time_ns, s.goroutine_id as goroutine_id, g.goid as goid,
  case (s.code >> 3) & 7 when 0 then 'Undetermined' when 1 then 'NotExist' when 2 then 'Runnable'
    when 3 then 'Running' when 4 then 'Waiting' else 'Syscall' end as from_state,
  case s.code & 7 when 2 then 'Runnable' when 3 then 'Running' when 4 then 'Waiting'
    else 'Syscall' end as to_state,
  (select nullif(w.name, '') from reasons w where w.id = s.reason_id) as reason, s.stack_id as stack_id,
  case when s.code & 7 = 2 then s.woken_by_id end as by_goroutine_id,
  case when s.code & 7 = 2 then s.woken_stack_id end as by_stack_id,
  s.proc as proc, (select t.thread from threads t where t.id = s.thread_id) as thread
from raw_states s
join raw_goroutines g on g.id = s.goroutine_id
-- Losing the proc inside a system call is an event of the proc, not of the goroutine. A call that
-- never had one is not that: the first of a C thread in an old trace.
where s.code & 7 <> 6 or (s.code >> 3) & 7 <> 5
union all
select g.ended_ns, g.id, g.goid, case when g.last_state >= 5 then 'Syscall' else 'Running' end,
  'NotExist', null, null, null, null, null, null
from raw_goroutines g
where g.ended_ns is not null;
