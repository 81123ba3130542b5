-- Goroutines of which a state is left, with the sums of what is left.
create temp table filter_range_sums (
  goroutine_id integer primary key not null, mark_assist_ns integer not null,
  sweep_ns integer not null, stop_the_world_ns integer not null
);
insert into filter_range_sums
select goroutine_id, sum(case name when 'GC mark assist' then duration_ns else 0 end),
  sum(case name when 'GC incremental sweep' then duration_ns else 0 end),
  sum(case when name like 'stop-the-world (%' then duration_ns else 0 end)
from ranges
where goroutine_id is not null
group by goroutine_id;
create temp view raw_goroutines as
select g.id as id, g.trace_id as trace_id, g.goid as goid, g.function_id as function_id,
  g.created_by as created_by, g.create_stack_id as create_stack_id, s.created_ns as created_ns,
  s.started_ns as started_ns,
  case when g.ended_ns <= s.last_ns then g.ended_ns end as ended_ns,
  max(g.existed_before, g.created_ns < s.created_ns) as existed_before,
  s.last_state as last_state, s.running_ns as running_ns, s.runnable_ns as runnable_ns,
  s.waiting_ns as waiting_ns, s.syscall_ns as syscall_ns,
  s.syscall_blocked_ns as syscall_blocked_ns,
  s.running_ns + s.runnable_ns + s.waiting_ns + s.syscall_ns + s.syscall_blocked_ns as total_ns,
  coalesce(m.mark_assist_ns, 0) as mark_assist_ns, coalesce(m.sweep_ns, 0) as sweep_ns,
  coalesce(m.stop_the_world_ns, 0) as stop_the_world_ns
from main.raw_goroutines g
join filter_sums s on s.id = g.id
left join filter_range_sums m on m.goroutine_id = g.id;
