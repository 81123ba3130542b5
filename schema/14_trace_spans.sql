-- From when to when each trace is looked at: all of it, unless --from or --to say less.
create view trace_spans as
-- trace_id: the trace
-- from_ns: the beginning
-- to_ns: the end
select t.id as trace_id, 0 as from_ns, t.duration_ns as to_ns
from traces t;
