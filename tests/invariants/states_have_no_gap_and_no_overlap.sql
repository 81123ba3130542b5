-- The states of a goroutine follow each other: each begins when the one before ends. Only where a
-- part of the trace is missing the one before is open at its end and the next at its start.
with following as (
  select goroutine_id, id, state, start_ns, open_start,
    lag(start_ns + duration_ns) over same as end_before, lag(open_end) over same as open_before
  from goroutine_states
  window same as (partition by goroutine_id order by id)
)
select goroutine_id, id, state, start_ns, end_before, 'not where the one before ends' as problem
from following
where not (open_start and open_before) and start_ns <> end_before
union all
select goroutine_id, id, state, start_ns, end_before, 'before the end of the one before'
from following
where start_ns < end_before
union all
select goroutine_id, id, state, start_ns, end_before, 'open at only one side of the break'
from following
where open_start <> open_before;
