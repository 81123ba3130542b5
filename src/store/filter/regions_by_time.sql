create temp view regions as
select r.id as id, r.trace_id as trace_id, r.goroutine_id as goroutine_id, r.task as task,
  r.type as type, case when r.start_ns >= {from} then r.start_ns end as start_ns,
  case when r.end_ns <= {to} then r.end_ns end as end_ns, r.depth as depth,
  r.stack_id as stack_id, case when r.end_ns <= {to} then r.end_stack_id end as end_stack_id
from main.regions r
where coalesce(r.start_ns, 0) < {to} and coalesce(r.end_ns, {to}) > {from};
