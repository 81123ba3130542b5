-- The states of a proc follow each other, and running takes turns with idle. Only where a part of
-- the trace is missing the one before is open at its end and the next at its start. At the end of
-- the trace the last one is open.
with following as (
  select trace_id, proc, id, state, start_ns, duration_ns, open_start, open_end,
    lag(start_ns + duration_ns) over same as end_before, lag(state) over same as state_before,
    lag(open_end) over same as open_before, lead(id) over same is null as is_last
  from proc_states
  window same as (partition by proc_id order by id)
)
select *
from following
where (not (open_start and open_before) and start_ns <> end_before)
  or start_ns < end_before
  or (not open_start and state = state_before)
  or open_start <> open_before
  or is_last <> open_end and is_last;
