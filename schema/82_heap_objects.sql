-- Objects on the heap (AllocFree experiment, GODEBUG=traceallocfree=1). The trace has no stacks of
-- their allocations; the goroutine and its states tell where it was.
create view heap_objects as
-- id: row number
-- trace_id: the trace
-- address: where it is
-- type: name of its type; NULL if the allocation names none (memory without pointers has none)
-- size_bytes: size of a value of the type; the slot it lies in, or an array of them, is larger; NULL without a type
-- allocated_ns: when it was allocated; NULL if it existed before
-- freed_ns: when it was released by the sweeper; NULL if that is not in the trace
-- goroutine_id: the goroutine that allocated it; NULL if unknown
select o.id as id, o.trace_id as trace_id, o.address as address, t.name as type,
  t.size_bytes as size_bytes, o.allocated_ns as allocated_ns, o.freed_ns as freed_ns,
  o.goroutine_id as goroutine_id
from raw_heap_objects o
left join heap_types t on t.id = o.type_id;
