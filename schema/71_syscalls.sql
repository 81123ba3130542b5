-- System calls. One that lost its proc has both parts added up.
create view syscalls as
-- id: row in goroutine_states of its beginning
-- goroutine_id: row in goroutines
-- start_ns: when it began
-- duration_ns: how long it lasted
-- blocked_ns: how long of that it was without a proc
-- stack_id: where it was made
-- open_start: 1 if it had begun before the trace
-- open_end: 1 if it had not ended when the trace did
select s.id as id, r.goroutine_id as goroutine_id, s.start_ns as start_ns,
  s.duration_ns + coalesce(b.duration_ns, 0) as duration_ns,
  case when s.code & 7 = 6 then s.duration_ns else coalesce(b.duration_ns, 0) end as blocked_ns,
  s.stack_id as stack_id, (s.code >> 6) & 1 as open_start,
  (coalesce(b.code, s.code) >> 7) & 1 as open_end
from raw_state_ranges r
cross join raw_goroutine_states s on s.id between r.first_state and r.last_state
-- The part without proc, if there is one, is the next row: 46 is state 6 after state 5.
left join raw_goroutine_states b on b.id = s.id + 1 and s.id < r.last_state
  and s.code & 7 = 5 and b.code & 63 = 46
where s.code & 7 = 5 or (s.code & 7 = 6 and (s.code >> 3) & 7 <> 5);
