-- What is added up while loading equals the sum over the rows it was added up from.
with states as (
  select goroutine_id, count(*) as spans,
    sum(case code & 7 when 3 then duration_ns else 0 end) as running_ns,
    sum(case code & 7 when 2 then duration_ns else 0 end) as runnable_ns,
    sum(case code & 7 when 4 then duration_ns else 0 end) as waiting_ns,
    sum(case code & 7 when 5 then duration_ns else 0 end) as syscall_ns,
    sum(case code & 7 when 6 then duration_ns else 0 end) as syscall_blocked_ns,
    sum(duration_ns) as total_ns
  from raw_states
  group by goroutine_id
), waits as (
  select goroutine_id, reason_id, count(*) as waits, sum(duration_ns) as total_ns,
    max(duration_ns) as max_ns
  from raw_states
  where code & 7 = 4
  group by goroutine_id, reason_id
), places as (
  select g.trace_id as trace_id, s.code & 7 as state, s.reason_id as reason_id,
    s.stack_id as stack_id, count(*) as spans, sum(s.duration_ns) as total_ns,
    max(s.duration_ns) as max_ns
  from raw_states s
  join raw_goroutines g on g.id = s.goroutine_id
  group by 1, 2, 3, 4
), totals as (
  select trace_id, state, reason_id, stack_id, sum(spans) as spans, sum(total_ns) as total_ns,
    max(max_ns) as max_ns
  from raw_state_totals
  group by 1, 2, 3, 4
), proc_sums as (
  select proc_id, sum(case is_running when 1 then duration_ns else 0 end) as running_ns,
    sum(case is_running when 0 then duration_ns else 0 end) as idle_ns
  from raw_proc_states
  group by proc_id
)
select 'goroutine and its states' as what, g.id as id
from raw_goroutines g
left join states s on s.goroutine_id = g.id
where (g.running_ns, g.runnable_ns, g.waiting_ns, g.syscall_ns, g.syscall_blocked_ns, g.total_ns)
  is not (s.running_ns, s.runnable_ns, s.waiting_ns, s.syscall_ns, s.syscall_blocked_ns, s.total_ns)
union all
select 'goroutine in itself', id
from raw_goroutines
where running_ns + runnable_ns + waiting_ns + syscall_ns + syscall_blocked_ns <> total_ns
union all
select 'goroutine and its life', g.id
from raw_goroutines g
join traces t on t.id = g.trace_id
join trace_spans w on w.trace_id = g.trace_id
where t.gaps = 0 and g.total_ns <> coalesce(g.ended_ns, w.to_ns) - g.created_ns
union all
select 'goroutine and its waits', g.id
from raw_goroutines g
where g.waiting_ns <> coalesce(
  (select sum(w.total_ns) from raw_goroutine_waits w where w.goroutine_id = g.id), 0)
union all
select 'waits and states', w.id
from raw_goroutine_waits w
left join waits s on s.goroutine_id = w.goroutine_id and s.reason_id = w.reason_id
where (w.waits, w.total_ns, w.max_ns) is not (s.waits, s.total_ns, s.max_ns)
union all
select 'states without waits', s.goroutine_id
from waits s
left join raw_goroutine_waits w on w.goroutine_id = s.goroutine_id and w.reason_id = s.reason_id
where w.id is null
union all
select 'places and states', p.stack_id
from places p
left join totals t on t.trace_id = p.trace_id and t.state = p.state
  and t.reason_id is p.reason_id and t.stack_id is p.stack_id
where (p.spans, p.total_ns, p.max_ns) is not (t.spans, t.total_ns, t.max_ns)
union all
select 'state totals and states', trace_id
from totals
group by trace_id
having sum(total_ns) <> (select sum(g.total_ns) from raw_goroutines g where g.trace_id = totals.trace_id)
union all
select 'proc and its states', p.id
from procs p
left join proc_sums s on s.proc_id = p.id
where (p.running_ns, p.idle_ns) is not (coalesce(s.running_ns, 0), coalesce(s.idle_ns, 0))
union all
select 'proc in itself', p.id
from procs p
where p.goroutine_ns + p.syscall_ns > p.running_ns
union all
select 'threads and goroutines', t.id
from traces t
where (select sum(m.running_ns) from threads m where m.trace_id = t.id)
  <> (select sum(g.running_ns) from raw_goroutines g where g.trace_id = t.id)
  -- Of a damaged trace the thread may be unknown.
  - (select coalesce(sum(s.duration_ns), 0)
    from raw_states s join raw_goroutines g on g.id = s.goroutine_id
    where g.trace_id = t.id and s.code & 7 = 3 and s.thread_id is null)
union all
select 'system calls and goroutines', t.id
from traces t
where (select coalesce(sum(c.duration_ns), 0)
    from syscalls c join raw_goroutines g on g.id = c.goroutine_id where g.trace_id = t.id)
  <> (select coalesce(sum(g.syscall_ns + g.syscall_blocked_ns), 0)
    from raw_goroutines g where g.trace_id = t.id)
union all
select 'trace and its goroutines', t.id
from traces t
where t.goroutines <> (select count(*) from raw_goroutines g where g.trace_id = t.id)
union all
select 'trace and its generations', t.id
from traces t
where t.generations <> (select count(*) from generations n where n.trace_id = t.id)
  or t.events <> (select coalesce(sum(n.events), 0) from generations n where n.trace_id = t.id)
  or t.gaps <> (select count(*) from generations n where n.trace_id = t.id and n.is_after_gap)
union all
select 'trace and its threads', t.id
from traces t
where (select sum(m.events) from threads m where m.trace_id = t.id) > t.events;
