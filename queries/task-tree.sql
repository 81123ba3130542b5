-- title: Tasks and their subtasks
-- description: The tasks of the program as a tree, each with its subtasks below it in order of time. Give
--   -p task=N for one task and what is below it.
-- filters: time, goroutines
-- param task INTEGER = null: begin with the task of this number; null for all that have no parent in the trace
-- param min DURATION = 0: leave out tasks that took less, and what is below them
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 200: rows at most, -1 for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column task INTEGER: number of the task
-- column depth INTEGER: 0 at the top
-- column type TEXT: the name given by the program, indented by its depth; NULL if it began before the trace
-- column start_ns INTEGER: when it began; NULL if that was before the trace
-- column duration_ns INTEGER: how long it took; NULL unless it both began and ended in the trace
-- column subtasks INTEGER: tasks directly below it
-- column regions INTEGER: regions of it
-- column logs INTEGER: messages of it
-- column goid INTEGER: goid of the goroutine that created it
with recursive below as materialized (
  select id, trace_id, parent, task, start_ns, end_ns from tasks where parent is not null
), tops as materialized (
  select t.id as id, t.trace_id as trace_id, t.task as task, t.start_ns as start_ns
  from tasks t
  where (:trace is null or t.trace_id = :trace)
    and case when :task is null
      then t.parent is null or t.id in (
        select b.id from below b
        left join tasks p on p.trace_id = b.trace_id and p.task = b.parent
        where p.id is null)
      else t.task = :task end
    and (:min = 0 or t.end_ns - t.start_ns >= :min)
  -- Each is a row itself, so more are never shown.
  order by t.trace_id, coalesce(t.start_ns, 0), t.id
  limit :limit
), tree (id, trace_id, task, depth, path) as (
  select t.id, t.trace_id, t.task, 0,
    printf('%020d.%020d', coalesce(t.start_ns, 0), t.id)
  from tops t
  union all
  select t.id, t.trace_id, t.task, r.depth + 1,
    r.path || printf('/%020d.%020d', coalesce(t.start_ns, 0), t.id)
  from tree r
  join below t on t.trace_id = r.trace_id and t.parent = r.task
  -- A damaged trace may have a task below itself.
  where r.depth < 100 and (:min = 0 or t.end_ns - t.start_ns >= :min)
), shown as (
  select id, trace_id, task, depth, path
  from tree
  order by trace_id, path
  limit :limit
), children as (
  select trace_id, parent, count(*) as subtasks
  from tasks where parent in (select task from shown)
  group by trace_id, parent
), with_regions as (
  select trace_id, task, count(*) as regions
  from regions where task in (select task from shown)
  group by trace_id, task
), with_logs as (
  select trace_id, task, count(*) as logs
  from logs where task in (select task from shown)
  group by trace_id, task
)
select s.trace_id as trace_id, s.task as task, s.depth as depth,
  printf('%*s', 2 * s.depth, '') || t.type as type, t.start_ns as start_ns,
  t.end_ns - t.start_ns as duration_ns, coalesce(c.subtasks, 0) as subtasks,
  coalesce(r.regions, 0) as regions, coalesce(l.logs, 0) as logs,
  (select goid from goroutines where id = t.goroutine_id) as goid
from shown s
join tasks t on t.id = s.id
left join children c on c.trace_id = s.trace_id and c.parent = s.task
left join with_regions r on r.trace_id = s.trace_id and r.task = s.task
left join with_logs l on l.trace_id = s.trace_id and l.task = s.task
order by s.trace_id, s.path;
