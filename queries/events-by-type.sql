-- title: Events of each kind
-- description: How many events of each kind the trace has, most first: what made it large.
-- filters: none
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column event TEXT: name of the event in the trace format of Go 1.22 and later
-- column events INTEGER: how many
-- column share REAL: share of all events, 0 to 1
select c.trace_id as trace_id, c.event as event, c.events as events,
  round(1.0 * c.events / nullif(t.events, 0), 4) as share
from event_counts c
join traces t on t.id = c.trace_id
where :trace is null or c.trace_id = :trace
order by c.trace_id, c.events desc, c.event;
