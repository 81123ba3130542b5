-- While a goroutine runs, no other one runs on the same thread or with the same proc. Before Go 1.22 events
-- are ordered by proc, and only the clock orders a thread's stay on one against its next on another, so
-- that those may overlap by the skew of the clocks.
with running as (
  select g.trace_id as trace_id, s.id as id, s.thread_id as thread_id, s.proc as proc,
    s.start_ns as start_ns, s.start_ns + s.duration_ns as end_ns
  from raw_states s
  join raw_goroutines g on g.id = s.goroutine_id
  where s.code & 7 = 3
), on_threads as (
  select id, start_ns, lag(end_ns) over (partition by thread_id order by start_ns, end_ns) as end_before
  from running
  where thread_id is not null
    and trace_id in (select id from traces where format not in ('go 1.11', 'go 1.19', 'go 1.21'))
), on_procs as (
  select id, start_ns,
    lag(end_ns) over (partition by trace_id, proc order by start_ns, end_ns) as end_before
  from running
  where proc is not null
)
select 'thread' as of, id, start_ns, end_before from on_threads where start_ns < end_before
union all
select 'proc', id, start_ns, end_before from on_procs where start_ns < end_before;
