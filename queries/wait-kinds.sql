-- title: What goroutines wait for, by kind
-- description: Waiting time by what the stack shows it is for: mutex, wait group, DNS, TLS handshake,
--   HTTP server and so on. docs/wait-kinds.md has the rules; blocking shows the same by place.
-- filters: time, goroutines
-- param system INTEGER = 0: 1 to include the goroutines of the runtime itself
-- param trace INTEGER = null: only this trace, a row number of traces; null for all
-- column wait_kind TEXT: what for; the rules are in docs/wait-kinds.md
-- column activity TEXT: on whose behalf: http server, http client or database/sql; NULL for none of them
-- column waits INTEGER: how often
-- column total_ns INTEGER: how long in all, summed over goroutines
-- column share REAL: share of all waiting time, 0 to 1
-- column max_ns INTEGER: the longest
-- column longest_goid INTEGER: goid of the goroutine with the longest
-- column place TEXT: function that waited longest
-- column stack_id INTEGER: its stack; select stack(ID) shows it
with kinds as (
  -- stack_id and max_goroutine_id are those of the longest, see stw.sql.
  select wait_kind, activity, sum(spans) as waits, sum(total_ns) as total_ns, max(max_ns) as max_ns,
    stack_id, max_goroutine_id, sum(sum(total_ns)) over () as all_ns
  from state_totals
  where state = 'waiting'
    and (:system or not exists (
      -- Not by the name in the totals: it may still have been unknown then.
      select 1 from goroutines g
      where g.id = max_goroutine_id and g.is_system and g.name is not null))
    and (:trace is null or trace_id = :trace)
  group by wait_kind, activity
)
select k.wait_kind as wait_kind, k.activity as activity, k.waits as waits, k.total_ns as total_ns,
  round(1.0 * k.total_ns / nullif(k.all_ns, 0), 4) as share, k.max_ns as max_ns,
  (select goid from goroutines where id = k.max_goroutine_id) as longest_goid,
  stack_user(k.stack_id) as place, k.stack_id as stack_id
from kinds k
order by k.total_ns desc, k.wait_kind, k.activity;
