-- title: The longest waits for a proc
-- description: The times goroutines had to wait longest after they could have run, each with what ran
--   meanwhile. Others on all procs mean too few procs; few others mean that something stood in the way.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column duration_ns INTEGER: how long it waited
-- column start_ns INTEGER: when it could have run
-- column goid INTEGER: goid of the goroutine
-- column name TEXT: function it began with; NULL if no stack of it was seen
-- column reason TEXT: why it had stopped running, such as preempted; NULL if it was woken or new
-- column made_runnable_by TEXT: code that woke or created it; NULL if no goroutine did
-- column running_ns INTEGER: time others ran meanwhile, summed over procs
-- column ran_most TEXT: function most of that time was spent in goroutines of
-- column ran_most_ns INTEGER: how much of it
-- column gc_ns INTEGER: how much of the delay a mark phase was on
-- column stopped_ns INTEGER: how much of the delay the world was stopped
with delays as materialized (
  select d.state_id as id, d.start_ns as start_ns, d.duration_ns as duration_ns,
    d.reason_id as reason_id, d.woken_stack_id as woken_stack_id, d.goroutine_id as goroutine_id
  from longest_states('runnable', :limit, :trace) d
), runs as (
  select id, function_id, total_ns as part_ns
  from states_during(
    'select id, start_ns, duration_ns from raw_goroutine_states where id in ('
      || (select coalesce(group_concat(id), '') from delays) || ')', 'running')
), most as (
  -- function_id is that of the greatest, see stw.sql.
  select id, sum(part_ns) as running_ns, max(part_ns) as part_ns, function_id
  from runs
  group by id
)
select d.duration_ns as duration_ns, d.start_ns as start_ns,
  (select g.goid from goroutines g where g.id = d.goroutine_id) as goid,
  (select g.name from goroutines g where g.id = d.goroutine_id) as name,
  (select nullif(w.name, '') from reasons w where w.id = d.reason_id) as reason,
  stack_user(d.woken_stack_id) as made_runnable_by,
  coalesce(m.running_ns, 0) as running_ns,
  (select f.name from functions f where f.id = m.function_id) as ran_most,
  m.part_ns as ran_most_ns,
  (select coalesce(sum(min(c.start_ns + c.duration_ns, d.start_ns + d.duration_ns)
      - max(c.start_ns, d.start_ns)), 0)
    from gc_cycles c
    where c.start_ns < d.start_ns + d.duration_ns and c.start_ns + c.duration_ns > d.start_ns
  ) as gc_ns,
  (select coalesce(sum(min(p.start_ns + p.duration_ns, d.start_ns + d.duration_ns)
      - max(p.start_ns, d.start_ns)), 0)
    from stop_the_world p
    where p.start_ns < d.start_ns + d.duration_ns and p.start_ns + p.duration_ns > d.start_ns
  ) as stopped_ns
from delays d
left join most m on m.id = d.id
order by d.duration_ns desc, d.id;
