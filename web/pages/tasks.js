// The program's tasks: what go tool trace shows at /usertasks and /usertask.
// @ts-check
import { needsTrace, start } from "../lib/page.js";
import { latencies } from "../lib/latency.js";

start(async (page) => {
  if (!needsTrace(page)) return;
  await latencies(page, {
    title: "Tasks",
    about: "Tasks of the program (runtime/trace.NewTask) by type, how long they took, and each of them.",
    none: "The program marks no tasks. With runtime/trace.NewTask it would: each request or job is one, and here is how long they take.",
    what: "tasks",
    byType: "tasks",
    latency: "task-latency",
    slowest: "slowest-tasks",
    more: ["task-tree", "logs"],
    start: "x.start_ns",
    end: "coalesce(x.end_ns, s.to_ns)",
    list: `select x.task as task, x.type as type, x.start_ns as start_ns, coalesce(x.end_ns, s.to_ns) - coalesce(x.start_ns, s.from_ns) as duration_ns,
  case when x.start_ns is null and x.end_ns is null then 'both' when x.start_ns is null then 'start' when x.end_ns is null then 'end' end as open,
  nullif(x.parent, 0) as parent_task, g.goid as goid,
  (select count(*) from logs l where l.trace_id = x.trace_id and l.task = x.task) as logs,
  (select count(*) from regions r where r.trace_id = x.trace_id and r.task = x.task) as regions
from tasks x
join trace_spans s on s.trace_id = x.trace_id
left join goroutines g on g.id = x.goroutine_id
where x.trace_id = :trace`,
  });
});
