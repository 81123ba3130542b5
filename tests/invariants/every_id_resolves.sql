-- Every reference names a row that is there, and every stack lies within the frames.
select 'declared reference' as what, "table" || ' row ' || rowid || ' to ' || parent as reference
from pragma_foreign_key_check
union all
select 'state to goroutine', id from raw_states
where goroutine_id is not null and goroutine_id not in (select id from raw_goroutines)
union all
select 'state to reason', id from raw_states
where reason_id is not null and reason_id not in (select id from reasons)
union all
select 'state to stack', id from raw_states
where stack_id is not null and stack_id not in (select id from stacks)
union all
select 'state to waking stack', id from raw_states
where woken_stack_id is not null and woken_stack_id not in (select id from stacks)
union all
select 'state to waking goroutine', id from raw_states
where woken_by_id is not null and woken_by_id not in (select id from raw_goroutines)
union all
select 'state to thread', id from raw_states
where thread_id is not null and thread_id not in (select id from threads)
union all
select 'state to proc', s.id
from raw_states s
join raw_goroutines g on g.id = s.goroutine_id
where s.proc is not null
  and not exists (select 1 from procs p where p.trace_id = g.trace_id and p.proc = s.proc)
union all
select 'waiting state without reason', id from raw_states
where code & 7 = 4 and reason_id is null
union all
select 'total to reason', id from raw_state_totals where reason_id is not null and reason_id not in (select id from reasons)
union all
select 'total to stack', id from raw_state_totals where stack_id is not null and stack_id not in (select id from stacks)
union all
select 'total to function', id from raw_state_totals
where function_id is not null and function_id not in (select id from functions)
union all
select 'total to longest state', t.id
from raw_state_totals t
left join raw_states s on s.id = t.max_state_id
where s.id is null or s.duration_ns <> t.max_ns or s.code & 7 <> t.state
union all
select 'range to states', r.id
from raw_state_ranges r
where r.last_state < r.first_state
  or (select count(*) from raw_goroutine_states s
    where s.id between r.first_state and r.last_state) <> r.last_state - r.first_state + 1
union all
select 'state without range', count(*)
from raw_goroutine_states
having count(*) <> (select coalesce(sum(last_state - first_state + 1), 0) from raw_state_ranges)
union all
-- The part of a system call without its proc is the next row of the same range.
select 'system call to its head', s.id
from raw_states s
where s.code & 63 = 46
  and not exists (select 1 from raw_states h
    where h.goroutine_id = s.goroutine_id and h.id = s.id - 1 and h.code & 7 = 5
      and h.start_ns + h.duration_ns = s.start_ns)
union all
select 'stack to frames', s.id
from stacks s
where s.depth > 0
  and (select count(*) from raw_stack_frames f
    where f.id between s.first_frame and s.first_frame + s.depth - 1) <> s.depth
union all
select 'stack to leaf', f.stack_id
from stack_frames f join stacks s on s.id = f.stack_id
where f.position = 0 and f.function_id is not s.leaf_function_id
union all
select 'stack to root', f.stack_id
from stack_frames f join stacks s on s.id = f.stack_id
where f.position = s.depth - 1 and f.function_id is not s.root_function_id
union all
select 'log to task', l.id
from logs l
where l.task <> 0
  -- The beginning of the task may be in what was lost.
  and not exists (select 1 from diagnostics d where d.trace_id = l.trace_id and d.severity = 'loss')
  and not exists (select 1 from tasks t where t.trace_id = l.trace_id and t.task = l.task)
  and l.task >= (select min(t.task) from tasks t
    where t.trace_id = l.trace_id and t.start_ns is not null);
