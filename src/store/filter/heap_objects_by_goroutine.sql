create temp view raw_heap_objects as
select o.id as id, o.trace_id as trace_id, o.address as address, o.type_id as type_id,
  o.allocated_ns as allocated_ns, case when o.freed_ns < {to} then o.freed_ns end as freed_ns,
  o.goroutine_id as goroutine_id
from main.raw_heap_objects o
where exists (select 1 from filter_windows w where w.goroutine_id = o.goroutine_id
  and o.allocated_ns >= w.from_ns and o.allocated_ns < w.to_ns);
