-- title: Generations of the trace
-- description: The parts the trace consists of. Each can be read without the others; where one is
--   missing, the next is marked.
-- filters: none
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- param limit INTEGER = 100: rows at most, -1 for all
-- column trace_id INTEGER: the trace, a row number of traces
-- column generation INTEGER: as the trace numbers it
-- column start_ns INTEGER: when it begins
-- column duration_ns INTEGER: until the next begins, or the trace ends
-- column wall_time TEXT: when it begins, universal time; NULL before Go 1.25
-- column events INTEGER: ordered events in it
-- column batches INTEGER: batches in it
-- column size_bytes INTEGER: bytes in it
-- column is_after_gap INTEGER: 1 if what came before it is missing
select g.trace_id as trace_id, g.number as generation, g.start_ns as start_ns,
  coalesce(lead(g.start_ns) over (partition by g.trace_id order by g.start_ns, g.id),
    t.duration_ns) - g.start_ns as duration_ns,
  strftime('%Y-%m-%dT%H:%M:%S', (t.start_unix_ns + g.start_ns) / 1000000000, 'unixepoch')
    || printf('.%09dZ', (t.start_unix_ns + g.start_ns) % 1000000000) as wall_time,
  g.events as events, g.batches as batches, g.size_bytes as size_bytes,
  g.is_after_gap as is_after_gap
from generations g
join traces t on t.id = g.trace_id
where :trace is null or g.trace_id = :trace
order by g.trace_id, g.start_ns, g.id
limit :limit;
