-- Of a cycle that is cut, the work is that inside the time; of others it is as it was summed up.
create temp view gc_cycles as
select c.id as id, c.trace_id as trace_id, max(c.start_ns, {from}) as start_ns,
  min(c.start_ns + c.duration_ns, {to}) - max(c.start_ns, {from}) as duration_ns,
  c.open_start or c.start_ns < {from} as open_start,
  c.open_end or c.start_ns + c.duration_ns > {to} as open_end,
  case when c.start_ns >= {from} then c.sweep_termination_pause_ns end
    as sweep_termination_pause_ns,
  case when c.start_ns + c.duration_ns <= {to} then c.mark_termination_pause_ns end
    as mark_termination_pause_ns,
  case when c.start_ns >= {from} then c.heap_before_bytes end as heap_before_bytes,
  case when c.start_ns + c.duration_ns <= {to} then c.heap_after_bytes end as heap_after_bytes,
  c.heap_goal_bytes as heap_goal_bytes,
  case when c.start_ns >= {from} and c.start_ns + c.duration_ns <= {to} then c.assist_ns else (
    select coalesce(sum(min(a.start_ns + a.duration_ns, c.start_ns + c.duration_ns)
      - max(a.start_ns, c.start_ns)), 0)
    from ranges a
    where a.name = 'GC mark assist' and a.trace_id = c.trace_id
      and a.start_ns < c.start_ns + c.duration_ns and a.start_ns + a.duration_ns > c.start_ns
  ) end as assist_ns,
  case when c.start_ns >= {from} and c.start_ns + c.duration_ns <= {to} then c.background_ns else (
    select coalesce(sum(min(k.start_ns + k.duration_ns, c.start_ns + c.duration_ns)
      - max(k.start_ns, c.start_ns)), 0)
    from gc_workers k
    where k.kind <> 'idle' and k.trace_id = c.trace_id
      and k.start_ns < c.start_ns + c.duration_ns and k.start_ns + k.duration_ns > c.start_ns
  ) end as background_ns,
  case when c.start_ns >= {from} and c.start_ns + c.duration_ns <= {to} then c.idle_ns else (
    select coalesce(sum(min(k.start_ns + k.duration_ns, c.start_ns + c.duration_ns)
      - max(k.start_ns, c.start_ns)), 0)
    from gc_workers k
    where k.kind = 'idle' and k.trace_id = c.trace_id
      and k.start_ns < c.start_ns + c.duration_ns and k.start_ns + k.duration_ns > c.start_ns
  ) end as idle_ns,
  c.goroutine_id as goroutine_id, c.stack_id as stack_id
from main.gc_cycles c
where c.start_ns < {to} and (c.start_ns + c.duration_ns > {from} or c.start_ns >= {from});
