-- What the procs did.
create view proc_states as
-- id: row number
-- proc_id: row in procs
-- trace_id: the trace
-- proc: number of the proc
-- state: 'running' or 'idle'
-- start_ns: when it began
-- duration_ns: how long it lasted
-- open_start: 1 if it was so already when the trace began
-- open_end: 1 if it was still so when the trace ended
-- thread: the thread that had it; NULL while idle
select s.id as id, s.proc_id as proc_id, p.trace_id as trace_id, p.proc as proc,
  case s.is_running when 1 then 'running' else 'idle' end as state,
  s.start_ns as start_ns, s.duration_ns as duration_ns, s.open_start as open_start,
  s.open_end as open_end, (select thread from threads t where t.id = s.thread_id) as thread
from raw_proc_states s
join procs p on p.id = s.proc_id;
