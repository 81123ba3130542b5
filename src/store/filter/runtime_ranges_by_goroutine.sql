create temp view ranges as
select r.id as id, r.trace_id as trace_id, r.name as name, r.scope as scope,
  r.goroutine_id as goroutine_id, r.proc as proc, max(r.start_ns, w.from_ns) as start_ns,
  min(r.start_ns + r.duration_ns, w.to_ns) - max(r.start_ns, w.from_ns) as duration_ns,
  r.open_start or r.start_ns < w.from_ns as open_start,
  r.open_end or r.start_ns + r.duration_ns > w.to_ns as open_end, r.stack_id as stack_id,
  case when r.start_ns + r.duration_ns <= w.to_ns then r.swept_bytes end as swept_bytes,
  case when r.start_ns + r.duration_ns <= w.to_ns then r.reclaimed_bytes end as reclaimed_bytes
from main.ranges r
join filter_windows w on w.goroutine_id = r.goroutine_id and r.start_ns < w.to_ns
  and (r.start_ns + r.duration_ns > w.from_ns or r.start_ns >= w.from_ns);
