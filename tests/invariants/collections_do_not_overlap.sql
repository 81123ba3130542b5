-- Mark phases follow each other, pauses lie outside of each other, and every cycle has its mark
-- phase among the ranges.
with cycles as (
  select trace_id, id, start_ns,
    lag(start_ns + duration_ns) over (partition by trace_id order by start_ns) as end_before
  from gc_cycles
), pauses as (
  select trace_id, id, start_ns,
    lag(start_ns + duration_ns) over (partition by trace_id order by start_ns) as end_before
  from stop_the_world
)
select 'cycle before the end of the one before' as problem, id from cycles where start_ns < end_before
union all
select 'pause before the end of the one before', id from pauses where start_ns < end_before
union all
select 'cycle without its mark phase', c.id
from gc_cycles c
where not exists (
    select 1 from ranges r
    where r.trace_id = c.trace_id and r.name = 'GC concurrent mark phase'
      and r.start_ns = c.start_ns and r.duration_ns = c.duration_ns
  )
union all
select 'mark phase without its cycle', r.id
from ranges r
where r.name = 'GC concurrent mark phase'
  and not exists (
    select 1 from gc_cycles c where c.trace_id = r.trace_id and c.start_ns = r.start_ns
  );
