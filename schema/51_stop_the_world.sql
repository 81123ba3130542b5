-- Pauses: no goroutine runs.
create view stop_the_world as
-- id: row in ranges
-- trace_id: the trace
-- kind: why the world was stopped, in the runtime's words
-- start_ns: when stopping began
-- duration_ns: until the world was started again
-- goroutine_id: the goroutine that stopped it
-- stack_id: where that goroutine was
-- open_start: 1 if it had begun before the trace
-- open_end: 1 if it had not ended when the trace did
select r.id as id, r.trace_id as trace_id, substr(r.name, 17, length(r.name) - 17) as kind,
  r.start_ns as start_ns, r.duration_ns as duration_ns, r.goroutine_id as goroutine_id,
  r.stack_id as stack_id, r.open_start as open_start, r.open_end as open_end
from ranges r
where r.name like 'stop-the-world (%';
