-- How many events there were is not told by the states.
create temp view threads as
select m.id as id, m.trace_id as trace_id, m.thread as thread,
  max(m.first_ns, {from}) as first_ns,
  -- A system call may go on without an event.
  max(m.first_ns, {from}, min(m.last_ns, {to})) as last_ns, null as events,
  coalesce(s.running_ns, 0) as running_ns, coalesce(s.syscall_ns, 0) as syscall_ns
from main.threads m
left join filter_thread_sums s on s.id = m.id
where (m.first_ns < {to} and m.last_ns >= {from}) or s.id is not null;
