create temp view gc_workers as
select k.id as id, k.trace_id as trace_id, k.kind as kind, k.goroutine_id as goroutine_id,
  k.proc as proc, max(k.start_ns, {from}) as start_ns,
  min(k.start_ns + k.duration_ns, {to}) - max(k.start_ns, {from}) as duration_ns
from main.gc_workers k
where k.start_ns < {to} and k.start_ns + k.duration_ns > {from};
