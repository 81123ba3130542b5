-- title: What goroutines did, step by step
-- description: The trace in equal steps, and for each how many goroutines ran, waited for a proc, were in system
--   calls or waited for what, on average over the step. running of gomaxprocs is the utilisation.
-- filters: time, goroutines
-- param buckets INTEGER = 20: into how many steps to cut the time
-- column start_ns INTEGER: when the step begins
-- column duration_ns INTEGER: how long it is
-- column running REAL: goroutines that ran, on average
-- column runnable REAL: goroutines that waited for a proc
-- column syscall REAL: goroutines in system calls, with or without a proc
-- column network REAL: goroutines that waited for the network
-- column lock REAL: goroutines that waited for locks, wait groups and condition variables
-- column channel REAL: goroutines that waited for channels, select included
-- column sleep REAL: goroutines that slept
-- column gc REAL: goroutines that waited for the collector
-- column other REAL: goroutines that waited for anything else
-- column gc_share REAL: share of the step in which a mark phase was on, 0 to 1
-- column stopped_share REAL: share of the step in which the world was stopped, 0 to 1
with parts as (
  select b.start_ns as start_ns, b.duration_ns as duration_ns, b.state as state,
    case when b.is_collector then 'gc' else r.kind end as kind, b.total_ns as total_ns
  from state_buckets(:buckets) b
  left join reasons r on r.id = b.reason_id
), steps as materialized (
  select start_ns, duration_ns,
    sum(case state when 'running' then total_ns else 0 end) as running,
    sum(case state when 'runnable' then total_ns else 0 end) as runnable,
    sum(case state when 'syscall' then total_ns else 0 end) as syscall,
    sum(case when state = 'waiting' and kind = 'network' then total_ns else 0 end) as network,
    sum(case when state = 'waiting' and kind = 'lock' then total_ns else 0 end) as lock,
    sum(case when state = 'waiting' and kind in ('channel', 'select') then total_ns else 0 end)
      as channel,
    sum(case when state = 'waiting' and kind = 'sleep' then total_ns else 0 end) as sleep,
    sum(case when state = 'waiting' and kind = 'gc' then total_ns else 0 end) as gc,
    sum(case when state = 'waiting' then total_ns else 0 end) as waiting
  from parts
  group by start_ns, duration_ns
), marked as (
  select s.start_ns as start_ns, sum(min(c.start_ns + c.duration_ns, s.start_ns + s.duration_ns)
    - max(c.start_ns, s.start_ns)) as total_ns
  from steps s
  join gc_cycles c on c.start_ns < s.start_ns + s.duration_ns
    and c.start_ns + c.duration_ns > s.start_ns
  group by s.start_ns
), stopped as (
  select s.start_ns as start_ns, sum(min(p.start_ns + p.duration_ns, s.start_ns + s.duration_ns)
    - max(p.start_ns, s.start_ns)) as total_ns
  from steps s
  join stop_the_world p on p.start_ns < s.start_ns + s.duration_ns
    and p.start_ns + p.duration_ns > s.start_ns
  group by s.start_ns
)
select s.start_ns as start_ns, s.duration_ns as duration_ns,
  round(1.0 * s.running / s.duration_ns, 3) as running,
  round(1.0 * s.runnable / s.duration_ns, 3) as runnable,
  round(1.0 * s.syscall / s.duration_ns, 3) as syscall,
  round(1.0 * s.network / s.duration_ns, 3) as network,
  round(1.0 * s.lock / s.duration_ns, 3) as lock,
  round(1.0 * s.channel / s.duration_ns, 3) as channel,
  round(1.0 * s.sleep / s.duration_ns, 3) as sleep, round(1.0 * s.gc / s.duration_ns, 3) as gc,
  round(1.0 * (s.waiting - s.network - s.lock - s.channel - s.sleep - s.gc) / s.duration_ns, 3)
    as other,
  round(1.0 * coalesce(m.total_ns, 0) / s.duration_ns, 4) as gc_share,
  round(1.0 * coalesce(p.total_ns, 0) / s.duration_ns, 4) as stopped_share
from steps s
left join marked m on m.start_ns = s.start_ns
left join stopped p on p.start_ns = s.start_ns
where s.duration_ns > 0
order by s.start_ns;
