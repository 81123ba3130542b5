-- Time spent in each state at each place.
create view state_totals as
-- trace_id: the trace
-- state: 'running', 'runnable', 'waiting' or 'syscall'
-- reason: as in goroutine_states
-- kind: what kind of waiting; NULL unless waiting
-- wait_kind: what they waited for, as docs/wait-kinds.md infers it; NULL unless waiting
-- activity: on whose behalf, as docs/wait-kinds.md infers it; NULL if none
-- stack_id: where the goroutines were when they entered the state
-- name: the function the goroutines began with
-- woken_stack_id: for waiting, where the goroutine was that ended it; for runnable, where the one was that made it so; NULL if none did
-- spans: how often
-- total_ns: how long in all
-- max_ns: the longest
-- max_state_id: row in goroutine_states of the longest
-- max_goroutine_id: row in goroutines of the longest
select t.trace_id as trace_id,
  case t.state when 3 then 'running' when 2 then 'runnable' when 4 then 'waiting'
    else 'syscall' end as state,
  case t.state when 6 then 'blocked' else nullif(r.name, '') end as reason,
  -- The runtime says of waits for its own locks what it says of the program's.
  case when t.state = 4 and r.kind = 'lock' and k.wait_kind in ('gc start', 'gc mark done') then 'gc'
    when t.state = 4 then r.kind end as kind,
  case when t.state <> 4 then null when r.is_decisive then r.wait_kind
    else coalesce(k.wait_kind, r.wait_kind) end as wait_kind,
  k.activity as activity,
  t.stack_id as stack_id, f.name as name, t.woken_stack_id as woken_stack_id, t.spans as spans, t.total_ns as total_ns,
  t.max_ns as max_ns, t.max_state_id as max_state_id, t.max_goroutine_id as max_goroutine_id
from raw_state_totals t
left join reasons r on r.id = t.reason_id
left join functions f on f.id = t.function_id
left join stacks k on k.id = t.stack_id;
