create temp view gc_workers as
select k.id as id, k.trace_id as trace_id, k.kind as kind, k.goroutine_id as goroutine_id,
  k.proc as proc, max(k.start_ns, w.from_ns) as start_ns,
  min(k.start_ns + k.duration_ns, w.to_ns) - max(k.start_ns, w.from_ns) as duration_ns
from main.gc_workers k
join filter_windows w on w.goroutine_id = k.goroutine_id and k.start_ns < w.to_ns
  and k.start_ns + k.duration_ns > w.from_ns;
