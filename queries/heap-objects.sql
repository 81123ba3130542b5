-- title: Objects on the heap by type
-- description: What was allocated, by type, where the trace was recorded with GODEBUG=traceallocfree=1. Sizes are
--   those of one value of the type; arrays count as one value.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 30: rows at most, -1 for all
-- column type TEXT: its name; NULL for memory without pointers, for which the runtime names no type
-- column objects INTEGER: how many there were
-- column allocated INTEGER: how many of them were allocated during the trace
-- column freed INTEGER: how many were released
-- column size_bytes INTEGER: size of one value; NULL without a type
-- column allocated_bytes INTEGER: size of those that were allocated, one value each; NULL without a type
-- column p50_lifetime_ns INTEGER: half of those both allocated and released lived no longer; NULL if there are none
-- column goid INTEGER: goid of the goroutine that allocated most of them; NULL if none did
with counts as (
  select trace_id, type, size_bytes, goroutine_id, count(*) as objects,
    count(allocated_ns) as allocated, count(freed_ns) as freed
  from heap_objects
  where :trace is null or trace_id = :trace
  group by trace_id, type, size_bytes, goroutine_id
), lives as (
  select type, size_bytes, percentile(freed_ns - allocated_ns, 0.5) as p50
  from heap_objects
  where (:trace is null or trace_id = :trace) and freed_ns is not null and allocated_ns is not null
  group by type, size_bytes
), allocators as (
  -- goroutine_id is that with the most, see stw.sql.
  select type, size_bytes, max(allocated), goroutine_id
  from counts
  where goroutine_id is not null
  group by type, size_bytes
), types as (
  select type, size_bytes, sum(objects) as objects, sum(allocated) as allocated, sum(freed) as freed
  from counts
  group by type, size_bytes
)
select t.type as type, t.objects as objects, t.allocated as allocated, t.freed as freed,
  t.size_bytes as size_bytes, t.allocated * t.size_bytes as allocated_bytes,
  l.p50 as p50_lifetime_ns,
  (select goid from goroutines where id = a.goroutine_id) as goid
from types t
left join lives l on l.type is t.type and l.size_bytes is t.size_bytes
left join allocators a on a.type is t.type and a.size_bytes is t.size_bytes
order by allocated_bytes desc, t.objects desc, t.type
limit :limit;
