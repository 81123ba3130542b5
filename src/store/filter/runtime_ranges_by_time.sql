create temp view ranges as
select r.id as id, r.trace_id as trace_id, r.name as name, r.scope as scope,
  r.goroutine_id as goroutine_id, r.proc as proc, max(r.start_ns, {from}) as start_ns,
  min(r.start_ns + r.duration_ns, {to}) - max(r.start_ns, {from}) as duration_ns,
  r.open_start or r.start_ns < {from} as open_start,
  r.open_end or r.start_ns + r.duration_ns > {to} as open_end, r.stack_id as stack_id,
  case when r.start_ns + r.duration_ns <= {to} then r.swept_bytes end as swept_bytes,
  case when r.start_ns + r.duration_ns <= {to} then r.reclaimed_bytes end as reclaimed_bytes
from main.ranges r
where r.start_ns < {to} and (r.start_ns + r.duration_ns > {from} or r.start_ns >= {from});
