-- title: System calls by place
-- description: Where the program makes system calls, and how long they take. A call that lasts
--   loses its proc to another goroutine: from then on it is blocked.
-- filters: time, goroutines
-- param stacks INTEGER = 0: 1 to show whole stacks, and tell apart places that differ only in their callers
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 20: rows at most, -1 for all
-- column place TEXT: function that makes the call, the runtime and the plumbing of the standard library skipped
-- column calls INTEGER: how many
-- column total_ns INTEGER: how long in all, blocked or not
-- column blocked INTEGER: how many lost their proc
-- column blocked_ns INTEGER: how long they went on without it
-- column max_ns INTEGER: the longest part of a call, with the proc or without
-- column longest_goid INTEGER: goid of the goroutine with the longest
-- column stack_id INTEGER: the longest's stack; select stack(ID) shows it
with places as (
  -- stack_id and max_state_id are those of the longest, see stw.sql.
  select case when :stacks then stack(stack_id) else stack_user(stack_id) end as place,
    sum(case when reason = 'blocked' then 0 else spans end) as with_proc,
    sum(case when reason = 'blocked' then spans else 0 end) as blocked,
    sum(total_ns) as total_ns,
    sum(case when reason = 'blocked' then total_ns else 0 end) as blocked_ns,
    max(max_ns) as max_ns, stack_id, max_state_id,
    max_goroutine_id
  from state_totals
  where state = 'syscall' and (:trace is null or trace_id = :trace)
  group by 1
)
-- A call is seen with a proc, and then perhaps without; calls into Go from C threads are only ever
-- seen without.
select p.place as place, max(p.with_proc, p.blocked) as calls, p.total_ns as total_ns,
  p.blocked as blocked, p.blocked_ns as blocked_ns, p.max_ns as max_ns,
  (select goid from goroutines where id = p.max_goroutine_id) as longest_goid,
  p.stack_id as stack_id
from places p
left join raw_goroutine_states s on s.id = p.max_state_id
order by p.total_ns desc, p.place
limit :limit;
