-- title: What decided how long something took, summed up
-- description: The steps of critical-path, added up by what was done and where. What is on top here is what to
--   make quicker; the rest went on beside it.
-- filters: parameters
-- param goid INTEGER = null: the goroutine that was done at the end; null for that of the task or region, else the main goroutine
-- param task INTEGER = null: from the beginning to the end of the task with this number, on the goroutine that ended it
-- param region INTEGER = null: from the beginning to the end of this region, a row number of regions
-- param from DURATION = null: from this time of the trace on; null for the beginning of what is asked about
-- param to DURATION = null: up to this time; null for its end
-- param trace INTEGER = null: the trace, a row number of traces; null for the first
-- param limit INTEGER = 30: rows at most, -1 for all
-- column total_ns INTEGER: how long in all
-- column share REAL: share of the whole, 0 to 1
-- column steps INTEGER: how many steps
-- column state TEXT: running, runnable, waiting or syscall; NULL where the goroutine was not there
-- column wait_kind TEXT: for waiting, what for, as docs/wait-kinds.md infers it
-- column name TEXT: function the goroutines began with; NULL if no stack of them was seen
-- column place TEXT: where they were when they entered the state; for running and runnable, where they were next
-- column max_ns INTEGER: the longest step
-- column longest_at_ns INTEGER: when the longest began
-- column longest_goid INTEGER: goid of its goroutine
-- column stack_id INTEGER: the longest's stack; select stack(ID) shows it
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
), steps as (
  select p.steps as steps, p.total_ns as total_ns, p.max_ns as max_ns,
    p.longest_at_ns as longest_at_ns, p.state as state,
    case when p.state <> 'waiting' then null when r.is_decisive then r.wait_kind
      else coalesce(k.wait_kind, r.wait_kind) end as wait_kind,
    p.function_id as function_id, p.goroutine_id as goroutine_id,
    stack_user(p.stack_id) as place, p.stack_id as stack_id
  from target t, critical_path_sums(t.goroutine_id, t.from_ns, t.to_ns) p
  left join reasons r on r.id = p.reason_id
  left join stacks k on k.id = p.stack_id
), places as (
  -- The other columns are those of the longest, see stw.sql.
  select state, wait_kind, function_id, place, sum(steps) as steps, sum(total_ns) as total_ns,
    max(max_ns) as max_ns, longest_at_ns, goroutine_id, stack_id,
    sum(sum(total_ns)) over () as all_ns
  from steps
  group by state, wait_kind, function_id, place
)
select p.total_ns as total_ns, round(1.0 * p.total_ns / nullif(p.all_ns, 0), 4) as share,
  p.steps as steps, p.state as state, p.wait_kind as wait_kind,
  (select f.name from functions f where f.id = p.function_id) as name, p.place as place,
  p.max_ns as max_ns, p.longest_at_ns as longest_at_ns,
  (select g.goid from goroutines g where g.id = p.goroutine_id) as longest_goid,
  p.stack_id as stack_id
from places p
order by p.total_ns desc, p.state, p.wait_kind, p.place
limit :limit;
