-- title: Goroutines that never end and wait in one place
-- description: Goroutines that are still there when the trace ends and have spent most of their life,
--   as far as the trace shows it, in the one wait they are in then; counted by the code that started them and the place where
--   they wait. Idle workers look the same: a leak is where started grows with the length of the trace.
-- filters: time, goroutines
-- param min_share REAL = 0.9: share of its life within the trace that a goroutine must have spent in its last wait, 0 to 1
-- param min DURATION = 0: leave out those whose last wait is shorter
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 30: rows at most, -1 for all
-- column goroutines INTEGER: how many
-- column started INTEGER: how many of them were started during the trace
-- column ended INTEGER: goroutines started by the same code for the same function that did end
-- column max_ns INTEGER: how long the one waits that waits longest
-- column reason TEXT: why, in the runtime's words; NULL if the trace does not tell
-- column place TEXT: function that waits, the runtime and the plumbing of the standard library skipped; NULL if unknown
-- column name TEXT: function they began with; NULL if no stack of them was seen
-- column creator TEXT: function with the go statement; NULL for those older than the trace
-- column goid INTEGER: goid of the one that waits longest
-- column stack_id INTEGER: where it waits; select stack(ID) shows it
with last_states as (
  select g.id as goroutine_id, g.name as name, g.goid as goid, g.create_stack_id as create_stack_id,
    g.function_id as function_id, g.existed_before as existed_before, g.total_ns as total_ns,
    -- Its last state that is looked at: the last row of its last range may lie behind that.
    (select s.id
      from (
        select max(o.id) as id from raw_state_ranges o where o.goroutine_id = g.id) m
      join raw_state_ranges r on r.id = m.id
      join raw_goroutine_states s on s.id between r.first_state and r.last_state
      order by s.id desc limit 1) as state_id
  from goroutines g
  where g.ended_ns is null
    -- Without a stack the runtime's goroutines cannot be told from the program's: show them.
    and (:system or not g.is_system or g.name is null)
    and (:trace is null or g.trace_id = :trace)
), waiting as (
  select nullif(r.name, '') as reason, stack_user(s.stack_id) as place, l.name as name,
    stack_user(l.create_stack_id) as creator, l.function_id as function_id,
    l.existed_before as existed_before, s.duration_ns as duration_ns, l.goid as goid,
    s.stack_id as stack_id
  from last_states l
  join raw_goroutine_states s on s.id = l.state_id
  join reasons r on r.id = s.code >> 8
  where s.code & 7 = 4 and s.duration_ns >= :min and s.duration_ns >= :min_share * l.total_ns
), places as (
  -- goid and stack_id are those of the longest, see stw.sql.
  select count(*) as goroutines, sum(not existed_before) as started, max(duration_ns) as max_ns,
    reason, place, name, creator, function_id, goid, stack_id
  from waiting
  group by reason, place, function_id, creator
), stacks_of_go as (
  select distinct create_stack_id as stack_id
  from raw_goroutines
  where create_stack_id is not null and ended_ns is not null
), creators as materialized (
  select stack_id, stack_user(stack_id) as place from stacks_of_go
), ends as (
  select c.place as creator, g.function_id as function_id, sum(g.goroutines) as ended
  from (
    select create_stack_id, function_id, count(*) as goroutines
    from raw_goroutines
    where ended_ns is not null and create_stack_id is not null
      and (:trace is null or trace_id = :trace)
    group by create_stack_id, function_id
  ) g
  join creators c on c.stack_id = g.create_stack_id
  group by 1, 2
)
select p.goroutines as goroutines, p.started as started, coalesce(e.ended, 0) as ended,
  p.max_ns as max_ns, p.reason as reason, p.place as place, p.name as name, p.creator as creator,
  p.goid as goid, p.stack_id as stack_id
from places p
left join ends e on e.creator is p.creator and e.function_id is p.function_id
order by p.started desc, p.goroutines desc, p.max_ns desc, p.reason, p.place, p.name
limit :limit;
