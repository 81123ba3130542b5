-- A value holds until the next: the last before the time is the first in it.
create temp view metrics as
select m.id as id, m.trace_id as trace_id, m.name as name, max(m.time_ns, {from}) as time_ns,
  m.value as value
from main.metrics m
where m.time_ns < {to} and (m.time_ns >= {from} or m.id in (
  select max(o.id) from main.metrics o
  where o.time_ns < {from}
  group by o.trace_id, o.name));
