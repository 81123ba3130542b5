create temp view tasks as
select t.id as id, t.trace_id as trace_id, t.task as task, t.parent as parent, t.type as type,
  case when t.start_ns >= {from} then t.start_ns end as start_ns,
  case when t.end_ns <= {to} then t.end_ns end as end_ns, t.goroutine_id as goroutine_id,
  case when t.end_ns <= {to} then t.end_goroutine_id end as end_goroutine_id,
  t.stack_id as stack_id
from main.tasks t
where coalesce(t.start_ns, 0) < {to} and coalesce(t.end_ns, {to}) >= {from};
