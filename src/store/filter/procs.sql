-- How often a proc was taken away is not told by its states.
create temp view procs as
select p.id as id, p.trace_id as trace_id, p.proc as proc, max(p.first_ns, {from}) as first_ns,
  s.running_ns as running_ns, s.idle_ns as idle_ns,
  coalesce(g.goroutine_ns, 0) as goroutine_ns, coalesce(g.syscall_ns, 0) as syscall_ns,
  s.starts as starts, null as steals
from main.procs p
join (
  select proc_id,
    sum(case when is_running then duration_ns else 0 end) as running_ns,
    sum(case when is_running then 0 else duration_ns end) as idle_ns,
    sum(is_running and not open_start) as starts
  from raw_proc_states
  group by proc_id
) s on s.proc_id = p.id
left join filter_proc_sums g on g.trace_id = p.trace_id and g.proc = p.proc;
