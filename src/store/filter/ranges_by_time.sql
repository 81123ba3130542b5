create temp view raw_state_ranges as
select r.id as id, r.goroutine_id as goroutine_id, r.first_state as first_state,
  r.last_state as last_state, max(r.start_ns, {from}) as start_ns, min(r.end_ns, {to}) as end_ns
from main.raw_state_ranges r
where r.start_ns < {to} and (r.end_ns > {from} or r.start_ns >= {from});
