-- title: Messages of the program
-- description: What the program logged into the trace (runtime/trace.Log), in order.
-- filters: time, goroutines
-- param search TEXT = null: only messages and categories that contain this, small or capital letters alike
-- param task INTEGER = null: only messages of the task with this number
-- param after DURATION = 0: only messages at or after this time of the trace
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 100: rows at most, -1 for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column time_ns INTEGER: when
-- column goid INTEGER: goid of the goroutine
-- column task INTEGER: number of the task; NULL for none
-- column task_type TEXT: name of the task; NULL for none, or if it began before the trace
-- column category TEXT: the category given by the program
-- column message TEXT: the message
with found as (
  select id, trace_id, time_ns, goroutine_id, task, category, message
  from logs
  where (:trace is null or trace_id = :trace)
    and (:task is null or task = :task)
    and (:search is null or instr(lower(category || char(10) || message), lower(:search)) > 0)
    and time_ns >= :after
  order by id -- which is the order of time
  limit :limit
), found_tasks as (
  select trace_id, task, type
  from tasks
  where task in (select task from found)
)
select l.trace_id as trace_id, l.time_ns as time_ns,
  (select goid from goroutines where id = l.goroutine_id) as goid, nullif(l.task, 0) as task,
  t.type as task_type, l.category as category, l.message as message
from found l
left join found_tasks t on t.trace_id = l.trace_id and t.task = l.task
order by l.id;
