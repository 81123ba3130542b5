-- title: System calls by function
-- description: Which system calls the program makes, by the function of the standard library that makes
--   them and the code that asks for it. syscalls has the same by place alone.
-- filters: time, goroutines
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 30: rows at most, -1 for all
-- column function TEXT: function that makes the call, such as syscall.write; NULL if the trace shows no stack
-- column place TEXT: function that asks for it, the runtime and the plumbing of the standard library skipped
-- column calls INTEGER: how many
-- column total_ns INTEGER: how long in all, blocked or not
-- column blocked INTEGER: how many lost their proc
-- column blocked_ns INTEGER: how long they went on without it
-- column max_ns INTEGER: the longest part of a call, with the proc or without
-- column stack_id INTEGER: the longest's stack; select stack(ID) shows it
with calls as (
  -- stack_id is that of the longest, see stw.sql.
  select stack_call(stack_id) as function, stack_user(stack_id) as place,
    sum(case when reason = 'blocked' then 0 else spans end) as with_proc,
    sum(case when reason = 'blocked' then spans else 0 end) as blocked,
    sum(total_ns) as total_ns,
    sum(case when reason = 'blocked' then total_ns else 0 end) as blocked_ns,
    max(max_ns) as max_ns, stack_id
  from state_totals
  where state = 'syscall' and (:trace is null or trace_id = :trace)
  group by 1, 2
)
-- A call is seen with a proc, and then perhaps without; calls into Go from C threads are only ever
-- seen without.
select function as function, place as place, max(with_proc, blocked) as calls,
  total_ns as total_ns, blocked as blocked, blocked_ns as blocked_ns, max_ns as max_ns,
  stack_id as stack_id
from calls
order by total_ns desc, function, place
limit :limit;
