-- A goroutine's first state begins when it is created, its last one ends when it ends; a goroutine
-- that did not end is open at the end of the trace, or of the part before a gap.
with spans as (
  select g.id as id, g.goid as goid, g.created_ns as created_ns, g.ended_ns as ended_ns,
    g.existed_before as existed_before, w.to_ns as trace_ns, t.gaps as gaps,
    (select min(s.id) from goroutine_states s where s.goroutine_id = g.id) as first_id,
    (select max(s.id) from goroutine_states s where s.goroutine_id = g.id) as last_id
  from goroutines g
  join traces t on t.id = g.trace_id
  join trace_spans w on w.trace_id = g.trace_id
)
select p.goid, p.created_ns, p.ended_ns, p.trace_ns, a.start_ns as first_ns,
  z.start_ns + z.duration_ns as last_ns, z.open_end as open_end
from spans p
left join goroutine_states a on a.id = p.first_id
left join goroutine_states z on z.id = p.last_id
where a.id is null
  or a.start_ns <> p.created_ns
  or a.open_start <> p.existed_before
  or z.open_end <> (p.ended_ns is null)
  or (p.ended_ns is not null and z.start_ns + z.duration_ns <> p.ended_ns)
  or (p.ended_ns is null and p.gaps = 0 and z.start_ns + z.duration_ns <> p.trace_ns);
