-- Every span has a length of 0 or more and lies within its trace; every moment does.
with spans (what, id, start_ns, duration_ns, trace_ns) as (
  select 'state', s.id, s.start_ns, s.duration_ns, t.duration_ns
  from goroutine_states s
  join goroutines g on g.id = s.goroutine_id
  join traces t on t.id = g.trace_id
  union all
  select 'proc state', s.id, s.start_ns, s.duration_ns, t.duration_ns
  from proc_states s join traces t on t.id = s.trace_id
  union all
  select 'range', r.id, r.start_ns, r.duration_ns, t.duration_ns
  from ranges r join traces t on t.id = r.trace_id
  union all
  select 'gc cycle', c.id, c.start_ns, c.duration_ns, t.duration_ns
  from gc_cycles c join traces t on t.id = c.trace_id
  union all
  select 'task', k.id, coalesce(k.start_ns, 0), coalesce(k.end_ns - k.start_ns, 0), t.duration_ns
  from tasks k join traces t on t.id = k.trace_id
  union all
  select 'region', r.id, coalesce(r.start_ns, 0), coalesce(r.end_ns - r.start_ns, 0), t.duration_ns
  from regions r join traces t on t.id = r.trace_id
  union all
  select 'thread', m.id, m.first_ns, m.last_ns - m.first_ns, t.duration_ns
  from threads m join traces t on t.id = m.trace_id
  union all
  select 'goroutine before it runs', g.id, g.created_ns, coalesce(g.started_ns - g.created_ns, 0), t.duration_ns
  from goroutines g join traces t on t.id = g.trace_id
  union all
  select 'goroutine', g.id, g.created_ns, coalesce(g.ended_ns, t.duration_ns) - g.created_ns, t.duration_ns
  from goroutines g join traces t on t.id = g.trace_id
  union all
  select 'generation', n.id, n.start_ns, 0, t.duration_ns
  from generations n join traces t on t.id = n.trace_id
  union all
  select 'metric', m.id, m.time_ns, 0, t.duration_ns
  from metrics m join traces t on t.id = m.trace_id
  union all
  select 'log', l.id, l.time_ns, 0, t.duration_ns
  from logs l join traces t on t.id = l.trace_id
  union all
  select 'label', l.id, l.time_ns, 0, t.duration_ns
  from labels l join traces t on t.id = l.trace_id
  union all
  select 'sample', s.id, s.time_ns, 0, t.duration_ns
  from cpu_samples s join traces t on t.id = s.trace_id
)
select *
from spans
where start_ns < 0 or duration_ns < 0 or start_ns + duration_ns > trace_ns;
