-- title: What is wrong with the data
-- description: Everything that was repaired, skipped or lost while loading, equal messages of a
--   generation taken together. No row means that everything was read.
-- filters: none
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 100: rows at most, -1 for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column severity TEXT: info, warning or loss
-- column code TEXT: what kind of thing happened
-- column times INTEGER: how often
-- column generation INTEGER: in which generation; NULL if in none
-- column thread INTEGER: in the data of which thread; NULL if in none
-- column byte_offset INTEGER: where first in the unpacked trace; NULL if no byte is to blame
-- column lost_bytes INTEGER: bytes that could not be used
-- column lost_events INTEGER: events that could not be used; NULL if they could not be counted
-- column lost_ns INTEGER: time not covered any more; NULL if unknown
-- column message TEXT: what was found
select trace_id as trace_id, severity as severity, code as code, count(*) as times,
  generation as generation, thread as thread, min(byte_offset) as byte_offset,
  sum(lost_bytes) as lost_bytes, sum(lost_events) as lost_events, sum(lost_ns) as lost_ns,
  message as message
from diagnostics
where :trace is null or trace_id = :trace
group by trace_id, severity, code, generation, thread, message
order by trace_id, severity = 'loss' desc, severity = 'warning' desc, min(id)
limit :limit;
