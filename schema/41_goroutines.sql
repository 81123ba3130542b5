-- Goroutines.
create view goroutines as
-- id: row number
-- trace_id: the trace
-- goid: the runtime's number
-- name: the function it began with; NULL if no stack of it was seen
-- is_system: 1 for goroutines of the runtime itself
-- created_by: row of the goroutine whose go statement made it; NULL if unknown
-- create_stack_id: where that go statement is
-- created_ns: first appearance in the trace
-- started_ns: first time it ran; NULL if it never did
-- ended_ns: its end; NULL if it was still there when the trace ended
-- existed_before: 1 if it is older than the trace
-- running_ns: time it ran
-- runnable_ns: time it could have run but had no proc ("sched wait" in go tool trace)
-- waiting_ns: time it waited, for whatever reason
-- syscall_ns: time in system calls, while it kept its proc
-- syscall_blocked_ns: time in system calls after it had lost its proc
-- total_ns: from created_ns to its end, or the end of the trace
-- mark_assist_ns: time inside GC mark assists; overlaps the states
-- sweep_ns: time inside GC sweeps it did itself; overlaps the states
-- stop_the_world_ns: time inside pauses of the world it asked for; overlaps the states
-- function_id: row in functions of name
select g.id as id, g.trace_id as trace_id, g.goid as goid,
  -- Not a join: a view that joins is built as a whole wherever it is itself joined from the left.
  (select f.name from functions f where f.id = g.function_id) as name,
  -- As the runtime's isSystemGoroutine and Go 1.27 internal/trace/summary.go, IsSystemGoroutine.
  coalesce((select f.name <> 'runtime.main' and f.name like 'runtime.%'
    from functions f where f.id = g.function_id), 1) as is_system,
  g.created_by as created_by, g.create_stack_id as create_stack_id, g.created_ns as created_ns,
  g.started_ns as started_ns, g.ended_ns as ended_ns, g.existed_before as existed_before,
  g.running_ns as running_ns, g.runnable_ns as runnable_ns, g.waiting_ns as waiting_ns,
  g.syscall_ns as syscall_ns, g.syscall_blocked_ns as syscall_blocked_ns, g.total_ns as total_ns,
  g.mark_assist_ns as mark_assist_ns, g.sweep_ns as sweep_ns,
  g.stop_the_world_ns as stop_the_world_ns, g.function_id as function_id
from raw_goroutines g;
