-- Each transition of a goroutine starts from the state the one before led to. Where the trace, or
-- the part behind a gap, begins, it starts from nothing known.
with steps as (
  select goroutine_id, time_ns, from_state, to_state,
    lag(to_state) over (partition by goroutine_id order by time_ns, to_state = 'NotExist', id)
      as state_before
  from (
    select e.*, row_number() over () as id from goroutine_events e
  )
)
select *
from steps
where from_state not in ('Undetermined', coalesce(state_before, 'NotExist'));
