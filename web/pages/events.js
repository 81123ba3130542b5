// The ordered events of a trace, in pages. They are read again from its file; without it, what the database has.
// @ts-check
import { ApiError, getText, sql } from "../lib/api.js";
import { dialog } from "../lib/cells.js";
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { needsTrace, problem, start } from "../lib/page.js";
import { stack } from "../lib/stack.js";
import { table } from "../lib/table.js";

/** @typedef {Record<string, any>} Row */

/** Events of one page. */
const PAGE = 1000;
const KINDS = ["StateTransition", "RangeBegin", "RangeActive", "RangeEnd", "RegionBegin", "RegionEnd", "TaskBegin", "TaskEnd", "Log", "Metric", "Label", "StackSample", "Sync", "Experimental"];
const FIELDS = /** @type {[string, string, string][]} */ ([["from", "from", "1.5s"], ["to", "to", "2s"], ["goroutine", "goroutines", "12, 13"], ["proc", "procs", "0"], ["thread", "threads", "7"], ["kind", "kind, or name on the wire", "GoBlock"]]);
/** What stands in the columns; "what" is what the kind tells. */
const COLUMNS = ["time_ns", "kind", "event", "goroutine", "proc", "thread", "what", "stack"];
/** Columns that need no explanation in "what". */
const COMMON = new Set(["time_ns", "clock_ns", "kind", "event", "thread", "proc", "goroutine", "stack", "transition_stack"]);

start(async (page) => {
  if (!needsTrace(page)) return;
  const { main, search } = page;
  const trace = page.trace?.id;
  const chosen = Object.fromEntries(FIELDS.map(([name]) => [name, search.get(name)]));
  const datalist = h("datalist", { id: "kinds" }, KINDS.map((kind) => h("option", { value: kind })));
  const form = h("form.controls", { action: "/events", method: "get" },
    search.get("trace") && h("input", { type: "hidden", name: "trace", value: search.get("trace") }),
    FIELDS.map(([name, title, example]) => h("label", {}, title, h("input", { name, size: name === "kind" ? 18 : 10, placeholder: example, value: chosen[name] ?? "", list: name === "kind" ? "kinds" : null }))),
    datalist, h("button", { type: "submit" }, "Show"), h("a", { href: links.here("/events") }, "all"));
  const place = h("div");
  main.append(h("h1", {}, "Events"), h("p.sub", {}, "The events of the trace in their order, as gotrace events prints them."), form, place);
  const after = search.get("after");
  const from = after !== null && /^\d+$/.test(after) ? `${after}ns` : chosen.from;
  try {
    const source = (/** @type {number} */ limit) => links.address("/api/events", { trace, ...chosen, from, limit });
    const text = await getText(source(PAGE + 1));
    const events = text.split("\n").filter((line) => line).map((line) => JSON.parse(line));
    fill(place, ways(events, chosen), shown(events.slice(0, PAGE), source(PAGE)), ways(events, chosen));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) return fill(place, problem(error));
    fill(place, h("p.muted", {}, error.message, ". What follows are the transitions of goroutines that the database has."), await transitions(trace, chosen));
  }
});

/**
 * Where the events before and after these are.
 * @param {Row[]} events
 * @param {Row} chosen
 */
function ways(events, chosen) {
  const next = events.length > PAGE ? events[PAGE].time_ns : null;
  const isFirst = new URLSearchParams(location.search).get("after") === null;
  return h("p.ways", {}, !isFirst && h("a", { href: links.here("/events", chosen) }, "the first"),
    !isFirst && h("button.link", { type: "button", onclick: () => history.back() }, "back"),
    next !== null && h("a", { href: links.here("/events", { ...chosen, after: next }) }, "the next events"));
}

/**
 * @param {Row[]} events
 * @param {string} address where they come from
 */
function shown(events, address) {
  const columns = COLUMNS.map((name) => ({ name, type: null, unit: /** @type {"ns" | null} */ (name === "time_ns" ? "ns" : null), doc: DOCS[name] ?? null }));
  const rows = events.map((one) => [one.time_ns, one.kind, one.event, one.goroutine, one.proc, one.thread, what(one), frames(one).map((/** @type {Row} */ it) => it.func).join("\n") || null]);
  const places = new Map(rows.map((row, at) => [row, at]));
  return table({ columns, rows, has_more: false, remarks: [] }, {
    name: "events",
    height: 680,
    address: (ending) => ending === "json" ? address : null,
    cell: (column, value, row) => {
      const event = events[places.get(row) ?? 0];
      if (column.name === "stack" && value !== null) return stackButton(event);
      if (column.name === "what" && event.resource === "goroutine") {
        return h("span.one", {}, "goroutine ", h("a", { href: links.goroutine(event.resource_id) }, event.resource_id), String(value).slice(`goroutine ${event.resource_id}`.length));
      }
      return null;
    },
  });
}

const DOCS = /** @type {Record<string, string>} */ ({
  time_ns: "since the start of the trace", kind: "as Go's API calls it", event: "as it is called on the wire",
  goroutine: "on which it happened", proc: "on which it happened", thread: "on which it happened",
  what: "what its kind tells", stack: "where the goroutine was; of a transition, the one it is about",
});

/** @param {Row} event */
function frames(event) {
  return event.transition_stack?.length ? event.transition_stack : event.stack ?? [];
}

/** @param {Row} event */
function stackButton(event) {
  const all = frames(event).map((/** @type {Row} */ one) => ({ function: one.func, file: one.file, line: one.line }));
  return h("button.link.one", {
    type: "button",
    title: "show this stack",
    onclick: () => dialog("Stack", h("h3", {}, `${event.event} at ${format.moment(event.time_ns)}`), stack(all)),
  }, (all.find((/** @type {Row} */ one) => !one.function.startsWith("runtime.")) ?? all[0]).function);
}

/**
 * What an event tells beside where it happened.
 * @param {Row} event
 */
function what(event) {
  if (event.kind === "StateTransition") {
    return `${event.resource} ${event.resource_id}: ${event.from} → ${event.to}${event.reason ? ` (${event.reason})` : ""}`;
  }
  const parts = Object.entries(event).filter(([name, value]) => !COMMON.has(name) && value !== null)
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return parts.join(", ") || null;
}

/**
 * @param {number} trace
 * @param {Row} chosen
 */
async function transitions(trace, chosen) {
  const goroutine = /^\d+$/.test(chosen.goroutine ?? "") ? Number(chosen.goroutine) : null;
  const filters = Object.fromEntries(["from", "to"].filter((name) => chosen[name]).map((name) => [name, chosen[name]]));
  const statement = `select e.time_ns, e.goid, e.from_state, e.to_state, e.reason, e.proc, e.thread,
  (select goid from raw_goroutines where id = e.by_goroutine_id) as by_goid, stack(e.stack_id) as stack
from goroutine_events e join raw_goroutines g on g.id = e.goroutine_id
where g.trace_id = :trace${goroutine === null ? "" : " and g.goid = :goid"}
order by e.time_ns`;
  const given = goroutine === null ? { trace } : { trace, goid: goroutine };
  return table(await sql(statement, given, { filters, limit: 10_000 }), { name: "transitions", height: 680 });
}
