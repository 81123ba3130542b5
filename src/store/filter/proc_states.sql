create temp view raw_proc_states as
select p.id as id, p.proc_id as proc_id, max(p.start_ns, {from}) as start_ns,
  min(p.start_ns + p.duration_ns, {to}) - max(p.start_ns, {from}) as duration_ns,
  p.is_running as is_running, p.open_start or p.start_ns < {from} as open_start,
  p.open_end or p.start_ns + p.duration_ns > {to} as open_end, p.thread_id as thread_id
from main.raw_proc_states p
where p.start_ns < {to} and (p.start_ns + p.duration_ns > {from} or p.start_ns >= {from});
