-- title: The chain of events that decided how long something took
-- description: What a goroutine did for a task, a region, or in a time; and in place of each of its waits what
--   the goroutine that ended it did meanwhile, and so on. The steps have no gap and no overlap. critical-path-places
--   sums them up.
-- filters: parameters
-- param goid INTEGER = null: the goroutine that was done at the end; null for that of the task or region, else the main goroutine
-- param task INTEGER = null: from the beginning to the end of the task with this number, on the goroutine that ended it
-- param region INTEGER = null: from the beginning to the end of this region, a row number of regions
-- param from DURATION = null: from this time of the trace on; null for the beginning of what is asked about
-- param to DURATION = null: up to this time; null for its end
-- param trace INTEGER = null: the trace, a row number of traces; null for the first
-- param min DURATION = 0: leave out steps that took less
-- param limit INTEGER = 200: rows at most, -1 for all
-- column start_ns INTEGER: when the step begins
-- column duration_ns INTEGER: how long it took
-- column state TEXT: running, runnable, waiting or syscall; NULL where the goroutine was not there
-- column wait_kind TEXT: for waiting, what for, as docs/wait-kinds.md infers it
-- column goid INTEGER: goid of the goroutine whose step it is
-- column name TEXT: function that goroutine began with; NULL if no stack of it was seen
-- column depth INTEGER: how many wake-ups lie between it and the goroutine asked about
-- column place TEXT: where it was when it entered the state; for running and runnable, where it was next
-- column stack_id INTEGER: the stack of that; select stack(ID) shows it
with chosen as (
  select coalesce(:trace, (select min(id) from traces)) as trace_id
), target as materialized (
  select
    case
      when :goid is not null then (
        select min(g.id) from goroutines g, chosen c
        where g.goid = :goid and g.trace_id = c.trace_id)
      when :task is not null then (
        select coalesce(t.end_goroutine_id, t.goroutine_id) from tasks t, chosen c
        where t.task = :task and t.trace_id = c.trace_id)
      when :region is not null then (select goroutine_id from regions where id = :region)
      else (
        select min(g.id) from goroutines g, chosen c
        where g.goid = 1 and g.trace_id = c.trace_id)
    end as goroutine_id,
    coalesce(:from,
      case
        when :task is not null then (
          select t.start_ns from tasks t, chosen c where t.task = :task and t.trace_id = c.trace_id)
        when :region is not null then (select start_ns from regions where id = :region)
      end, (select from_ns from trace_spans s, chosen c where s.trace_id = c.trace_id)) as from_ns,
    coalesce(:to,
      case
        when :task is not null then (
          select t.end_ns from tasks t, chosen c where t.task = :task and t.trace_id = c.trace_id)
        when :region is not null then (select end_ns from regions where id = :region)
      end, (select to_ns from trace_spans s, chosen c where s.trace_id = c.trace_id)) as to_ns
)
select p.start_ns as start_ns, p.duration_ns as duration_ns, p.state as state,
  case when p.state <> 'waiting' then null when r.is_decisive then r.wait_kind
    else coalesce(k.wait_kind, r.wait_kind) end as wait_kind,
  (select g.goid from goroutines g where g.id = p.goroutine_id) as goid,
  (select g.name from goroutines g where g.id = p.goroutine_id) as name, p.depth as depth,
  stack_user(p.stack_id) as place, p.stack_id as stack_id
from target t, critical_path(t.goroutine_id, t.from_ns, t.to_ns) p
left join reasons r on r.id = p.reason_id
left join stacks k on k.id = p.stack_id
where p.duration_ns >= :min
order by p.start_ns
limit :limit;
