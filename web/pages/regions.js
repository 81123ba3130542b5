// The program's regions: what go tool trace shows at /userregions and /userregion.
// @ts-check
import { needsTrace, start } from "../lib/page.js";
import { latencies } from "../lib/latency.js";

start(async (page) => {
  if (!needsTrace(page)) return;
  await latencies(page, {
    title: "Regions",
    about: "Regions of the program (runtime/trace.StartRegion, WithRegion) by type, how long they took, and each of them.",
    none: "The program marks no regions. With runtime/trace.WithRegion it would: each is a stretch of code on one goroutine, and here is how long they take.",
    what: "regions",
    byType: "regions",
    latency: "region-latency",
    slowest: "slowest-regions",
    more: [],
    start: "coalesce(x.start_ns, g.created_ns)",
    end: "coalesce(x.end_ns, g.ended_ns, s.to_ns)",
    list: `select x.type as type, coalesce(x.start_ns, g.created_ns) as start_ns, coalesce(x.end_ns, g.ended_ns, s.to_ns) - coalesce(x.start_ns, g.created_ns) as duration_ns,
  case when x.start_ns is null and x.end_ns is null then 'both' when x.start_ns is null then 'start' when x.end_ns is null then 'end' end as open,
  g.goid as goid, g.name as name, nullif(x.task, 0) as task, x.depth as depth, x.stack_id as stack_id
from regions x
join trace_spans s on s.trace_id = x.trace_id
join goroutines g on g.id = x.goroutine_id
where x.trace_id = :trace`,
  });
});
