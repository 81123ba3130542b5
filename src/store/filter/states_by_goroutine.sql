-- The states of the chosen goroutines, cut at the borders of each window, numbered anew: those of a
-- goroutine follow each other.
create temp table filter_states (
  id integer primary key not null, goroutine_id integer not null, start_ns integer not null,
  duration_ns integer not null, code integer not null, stack_id integer, proc integer,
  thread_id integer, woken_by_id integer, woken_stack_id integer
);
insert into filter_states
select null, w.goroutine_id, max(s.start_ns, w.from_ns),
  min(s.start_ns + s.duration_ns, w.to_ns) - max(s.start_ns, w.from_ns),
  case when s.start_ns <= w.from_ns and w.from_ns > 0 then s.code & ~56 else s.code end
    | (64 * (s.start_ns < w.from_ns)) | (128 * (s.start_ns + s.duration_ns > w.to_ns)),
  s.stack_id, s.proc, s.thread_id,
  case when s.code & 7 = 4 and s.start_ns + s.duration_ns > w.to_ns then null
    when s.code & 7 = 2 and s.start_ns < w.from_ns then null else s.woken_by_id end,
  case when s.code & 7 = 4 and s.start_ns + s.duration_ns > w.to_ns then null
    when s.code & 7 = 2 and s.start_ns < w.from_ns then null else s.woken_stack_id end
from filter_windows w
cross join main.raw_state_ranges r on r.goroutine_id = w.goroutine_id
  and r.start_ns <= w.to_ns and r.end_ns >= w.from_ns
cross join main.raw_goroutine_states s on s.id between r.first_state and r.last_state
  and s.start_ns < w.to_ns and (s.start_ns + s.duration_ns > w.from_ns or s.start_ns >= w.from_ns);
