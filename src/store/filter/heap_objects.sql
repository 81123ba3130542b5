create temp view raw_heap_objects as
select o.id as id, o.trace_id as trace_id, o.address as address, o.type_id as type_id,
  case when o.allocated_ns >= {from} then o.allocated_ns end as allocated_ns,
  case when o.freed_ns < {to} then o.freed_ns end as freed_ns,
  case when o.allocated_ns >= {from} then o.goroutine_id end as goroutine_id
from main.raw_heap_objects o
where coalesce(o.allocated_ns, 0) < {to} and coalesce(o.freed_ns, {to}) >= {from};
