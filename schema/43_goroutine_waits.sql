-- Waiting time of each goroutine by reason.
create view goroutine_waits as
-- goroutine_id: row in goroutines
-- reason: why it waited, as the runtime words it; NULL if the trace does not tell
-- kind: what kind of waiting that is, as in reasons.kind: by the reason alone, so the collector's locks are 'lock'
-- waits: how often
-- total_ns: how long in all
-- max_ns: the longest
select w.goroutine_id as goroutine_id, nullif(r.name, '') as reason, r.kind as kind, w.waits as waits,
  w.total_ns as total_ns, w.max_ns as max_ns
from raw_goroutine_waits w
join reasons r on r.id = w.reason_id;
