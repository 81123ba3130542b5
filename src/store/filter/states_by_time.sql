-- States that touch the time, cut at its borders. Bits 8 to 32 of the code are the state before, 64 and
-- 128 mark an open start and end.
create temp view raw_goroutine_states as
select s.id as id, max(s.start_ns, {from}) as start_ns,
  min(s.start_ns + s.duration_ns, {to}) - max(s.start_ns, {from}) as duration_ns,
  case when s.start_ns <= {from} and {from} > 0 then s.code & ~56 else s.code end
    | (64 * (s.start_ns < {from})) | (128 * (s.start_ns + s.duration_ns > {to})) as code,
  s.stack_id as stack_id, s.proc as proc, s.thread_id as thread_id,
  -- Who ended a wait that had not ended yet, or made something runnable before, is not in this time.
  case when s.code & 7 = 4 and s.start_ns + s.duration_ns > {to} then null
    when s.code & 7 = 2 and s.start_ns < {from} then null else s.woken_by_id end as woken_by_id,
  case when s.code & 7 = 4 and s.start_ns + s.duration_ns > {to} then null
    when s.code & 7 = 2 and s.start_ns < {from} then null else s.woken_stack_id end
    as woken_stack_id
from main.raw_goroutine_states s
where s.start_ns < {to} and (s.start_ns + s.duration_ns > {from} or s.start_ns >= {from});
-- For functions that cut states by themselves, see tables/states.rs.
create temp table filter_time as select {from} as from_ns, {to} as to_ns;
