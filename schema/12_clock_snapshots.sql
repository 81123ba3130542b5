-- Moments at which the three clocks were read together, one for each generation that has one (Go 1.25
-- and later). Between two of them the clocks drift apart by less than a scheduling delay.
create view clock_snapshots as
-- trace_id: the trace
-- generation: number of the generation that begins with it
-- time_ns: when, since the start of the trace
-- mono_ns: the system's monotonic clock then
-- unix_ns: the wall clock then, nanoseconds since 1970
-- drift_ns: how much the wall clock has moved against traces.start_unix_ns + time_ns since the first one
select n.trace_id as trace_id, n.number as generation, n.clock_ns as time_ns,
  n.clock_mono_ns as mono_ns, n.clock_unix_ns as unix_ns,
  n.clock_unix_ns - (t.start_unix_ns + n.clock_ns) as drift_ns
from generations n
join traces t on t.id = n.trace_id
where n.clock_ns is not null;
