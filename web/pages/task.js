// One task: its subtasks, regions and messages in time.
// @ts-check
import { getJson, objects, query, sql } from "../lib/api.js";
import { h, s } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { needsTrace, start } from "../lib/page.js";
import { canned, statement, tiles } from "../lib/section.js";
import { parse, stack } from "../lib/stack.js";

/** @typedef {Record<string, any>} Row */

/** So many rows are drawn. */
const ROWS = 200;
const HEIGHT = 20;
const WIDTH = 1000;

start(async (page) => {
  if (!needsTrace(page)) return;
  const { main } = page;
  const trace = /** @type {Row} */ (page.trace);
  const number = decodeURIComponent(location.pathname.slice("/task/".length));
  if (!/^\d+$/.test(number)) throw new Error(`a task is a number, not '${number}'`);
  // As a text: numbers of tasks use 64 bits.
  const given = { trace: trace.id, task: number };
  const [task] = objects(await sql(`select x.*, g.goid as goid, e.goid as end_goid, stack(x.stack_id) as stack, p.type as parent_type
    from tasks x left join goroutines g on g.id = x.goroutine_id left join goroutines e on e.id = x.end_goroutine_id
    left join tasks p on p.trace_id = x.trace_id and p.task = x.parent
    where x.trace_id = :trace and x.task = :task`, given));
  if (!task) throw new Error(`there is no task ${number} in this trace`);
  const from = task.start_ns ?? 0;
  const to = task.end_ns ?? trace.duration_ns;
  document.title = `task ${number}, ${task.type ?? "of unknown type"} - gotrace`;
  main.append(h("h1", {}, `Task ${number}: `, task.type === null ? "of unknown type" : h("a", { href: links.here("/tasks", { type: task.type }) }, task.type)),
    tiles([
      [format.ns(to - from), task.start_ns === null || task.end_ns === null ? "as far as it is in the trace" : "from its beginning to its end"],
      task.start_ns === null ? null : [format.moment(task.start_ns), "its beginning", links.timeline(from, to, { task: number })],
      task.end_ns === null ? null : [format.moment(task.end_ns), "its end", links.timeline(from, to, { task: number })],
    ]),
    h("p.ways", {}, h("a", { href: links.timeline(from, to, { task: number }) }, "on the timeline"),
      h("a", { href: links.query("critical-path", given) }, "critical path"), h("a", { href: links.query("critical-path-places", given) }, "summed up by place"),
      ["net", "sync", "syscall", "sched"].map((type) => h("a", { href: links.here("/profile", { type, task: number }) }, `profile: ${type}`))));
  const [tree, regions, logs] = await Promise.all([
    query("task-tree", { ...given, limit: ROWS }).then(objects),
    sql(`select r.start_ns, coalesce(r.end_ns, g.ended_ns, :to) as end_ns, r.type, g.goid, r.depth from regions r join goroutines g on g.id = r.goroutine_id
      where r.trace_id = :trace and r.task = :task order by coalesce(r.start_ns, 0), r.id limit :limit`, { ...given, to, limit: ROWS }).then(objects),
    sql("select time_ns, category, message from logs where trace_id = :trace and task = :task order by id limit 1000", given).then(objects),
  ]);
  main.append(drawing(from, to, tree, regions, logs),
    h("div.card", {}, h("h3", {}, "Created"), h("dl.facts", {},
      h("dt", {}, "by"), h("dd", {}, task.goid === null ? "unknown: that was before the trace" : h("a", { href: links.goroutine(task.goid) }, `goroutine ${task.goid}`)),
      task.end_goid !== null && [h("dt", {}, "ended by"), h("dd", {}, h("a", { href: links.goroutine(task.end_goid) }, `goroutine ${task.end_goid}`))],
      task.parent ? [h("dt", {}, "part of"), h("dd", {}, h("a", { href: links.task(task.parent) }, `task ${task.parent}${task.parent_type ? `, ${task.parent_type}` : ""}`))] : []),
    task.stack && stack(parse(task.stack))));
  const queries = await getJson("/api/queries");
  main.append(await canned(queries, "logs", { ...given, limit: -1 }), await canned(queries, "task-tree", given));
  main.append(await statement({
    title: "Regions of it",
    doc: "What goroutines did for it, as the program marks it.",
    name: "task-regions",
    statement: `select r.start_ns as start_ns, r.end_ns - r.start_ns as duration_ns, r.type as type, g.goid as goid, g.name as name, r.stack_id as stack_id
from regions r
join goroutines g on g.id = r.goroutine_id
where r.trace_id = :trace and r.task = :task
order by coalesce(r.start_ns, 0), r.id`,
    parameters: given,
  }));
  if (task.start_ns !== null && task.end_ns !== null) main.append(await canned(queries, "critical-path-places", given));
});

/**
 * Subtasks and regions as bars, messages as marks.
 * @param {number} from
 * @param {number} to
 * @param {Row[]} tree
 * @param {Row[]} regions
 * @param {Row[]} logs
 */
function drawing(from, to, tree, regions, logs) {
  const across = (/** @type {number} */ at) => Math.max(0, Math.min(WIDTH, ((at - from) / (to - from || 1)) * WIDTH));
  const rows = [
    ...tree.map((one) => ({ name: `${one.type ?? "of unknown type"}`.trim(), indent: one.depth, href: links.task(one.task), start: one.start_ns ?? from, end: one.duration_ns === null ? to : one.start_ns + one.duration_ns, key: "running" })),
    ...regions.slice(0, ROWS - tree.length).map((one) => ({ name: `${one.type} on goroutine ${one.goid}`, indent: one.depth + 1, href: links.timeline(one.start_ns ?? from, one.end_ns, { goroutine: one.goid }), start: one.start_ns ?? from, end: one.end_ns, key: "channel" }))];
  const line = (/** @type {Row} */ row) => h("div.gantt", {},
    h("a.one", { href: row.href, title: `${row.name}, ${format.ns(row.end - row.start)}`, style: { paddingLeft: `${Math.min(row.indent, 12) * 12}px` } }, row.name || "no name"),
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", height: HEIGHT, role: "img", "aria-label": `${row.name}: ${format.ns(row.end - row.start)} from ${format.moment(row.start)} on` },
      s("rect", { x: across(row.start), y: 3, width: Math.max(1.5, across(row.end) - across(row.start)), height: HEIGHT - 6, style: { fill: `var(--${row.key})` } }, s("title", {}, `${row.name}, ${format.ns(row.end - row.start)} from ${format.moment(row.start)} on`))));
  const marks = logs.length ? h("div.gantt", {}, h("span.muted", {}, `${format.count(logs.length)} ${logs.length === 1 ? "message" : "messages"}`),
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", height: HEIGHT, role: "img", "aria-label": "messages; the table below has them" }, logs.map((one) =>
      s("rect", { x: across(one.time_ns) - 1, y: 2, width: 2.5, height: HEIGHT - 4, style: { fill: "var(--accent)" } }, s("title", {}, `${format.moment(one.time_ns)} ${one.category ? one.category + ": " : ""}${one.message}`))))) : null;
  return h("div.card", {}, h("h3", {}, "In time"), rows.map(line), marks,
    rows.length >= ROWS && h("p.muted", {}, `the first ${ROWS}; the tables below have all`));
}
