// One goroutine: where it came from, what it did, and with whom.
// @ts-check
import { getJson, objects, sql } from "../lib/api.js";
import { bar } from "../lib/bar.js";
import { fill, h, s } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { needsTrace, problem, start } from "../lib/page.js";
import { canned, inTurn, statement, tiles } from "../lib/section.js";
import { parse, stack } from "../lib/stack.js";

/** @typedef {Record<string, any>} Row */

/** Most spans that are drawn as they are. */
const SPANS = 2000;
/** Columns of the strip where there are more. */
const COLUMNS = 500;

start(async (page) => {
  if (!needsTrace(page)) return;
  const { main, search } = page;
  const trace = page.trace?.id;
  const goid = decodeURIComponent(location.pathname.slice("/goroutine/".length));
  if (!/^\d+$/.test(goid)) throw new Error(`a goroutine is a number, not '${goid}'`);
  const given = { goid: Number(goid), trace };
  const all = objects(await sql(`select g.*, c.goid as creator, c.name as creator_name,
      stack(g.create_stack_id) as create_stack
    from goroutines g left join goroutines c on c.id = g.created_by
    where g.goid = :goid and g.trace_id = :trace order by g.id`, given));
  if (!all.length) throw new Error(`there is no goroutine ${goid} in this trace`);
  const one = all.find((it) => it.id === Number(search.get("row"))) ?? all[0];
  const name = one.name ?? "a goroutine of which no stack was seen";
  document.title = `goroutine ${goid}, ${name} - gotrace`;
  main.append(h("h1", {}, `Goroutine ${goid}: `, h("a", { href: links.group(one.name) }, name)));
  if (all.length > 1) {
    main.append(h("p.sub", {}, `The runtime used this number ${all.length} times: `, all.slice(0, 100).map((it) =>
      h("a", { href: links.here(location.pathname, { row: it.id }), "aria-current": it === one ? "true" : null }, ` ${format.moment(it.created_ns)} `))));
  }
  const [waits, [first], [last], [end]] = await Promise.all([
    sql("select kind, sum(total_ns) as total_ns from goroutine_waits where goroutine_id = :id group by 1 order by 2 desc", { id: one.id }).then(objects),
    sql(`select start_ns, state, reason, stack(stack_id) as stack from goroutine_states where goroutine_id = :id
      and stack_id is not null order by start_ns, id limit 1`, { id: one.id }).then(objects),
    sql(`select start_ns, state, reason, stack(stack_id) as stack from goroutine_states where goroutine_id = :id
      and stack_id is not null order by start_ns desc, id desc limit 1`, { id: one.id }).then(objects),
    sql(`select start_ns, duration_ns, state, reason from goroutine_states where goroutine_id = :id
      order by start_ns desc, id desc limit 1`, { id: one.id }).then(objects),
  ]);
  main.append(
    tiles([[format.ns(one.total_ns), one.ended_ns === null ? "from its first appearance to the end of the trace" : "from its first appearance to its end"],
      [format.ns(one.running_ns), "execution time"], [format.ns(one.runnable_ns), "sched wait"], [format.ns(one.waiting_ns), "waiting"],
      [format.ns(one.syscall_ns + one.syscall_blocked_ns), "in system calls"]]),
    h("div.card", {}, bar("What its time went into", shares(one, waits)) ?? "", await strip(one)),
    h("p.ways", {}, h("a", { href: links.timeline(one.created_ns, one.created_ns + one.total_ns, { goroutine: goid }) }, "on the timeline"),
      h("a", { href: links.here("/events", { goroutine: goid }) }, "its events"),
      h("a", { href: links.query("critical-path", given) }, "critical path"),
      ["net", "sync", "syscall", "sched"].map((type) => h("a", { href: links.here("/profile", { type, goroutine: goid }) }, `profile: ${type}`))),
    h("div.columns", {}, h("div.card", {}, h("h3", {}, "Where it came from"), origin(one)),
      stackCard(first ? `First seen ${first.state}${first.reason ? ` (${first.reason})` : ""} at ${format.moment(first.start_ns)}` : "Start", first?.stack),
      stackCard(end ? `At last ${end.state}${end.reason ? ` (${end.reason})` : ""} for ${format.ns(end.duration_ns)}` : "End", last?.stack,
        last && last.start_ns !== end?.start_ns ? `The last stack, ${last.state}${last.reason ? ` (${last.reason})` : ""} at ${format.moment(last.start_ns)}:` : null)));
  const queries = await getJson("/api/queries");
  await inTurn(main, [() => canned(queries, "goroutine", { ...given, limit: -1 }), () => canned(queries, "related", { ...given, depth: 1 })]);
  await marks(main, one);
  main.append(later("Critical path: the chain of events that decided how long it took", () => canned(queries, "critical-path", given)));
});

/** @param {Row} one */
function origin(one) {
  const facts = /** @type {[string, Node | string][]} */ ([]);
  if (one.creator !== null) facts.push(["created by", h("span", {}, h("a", { href: links.goroutine(one.creator) }, `goroutine ${one.creator}`), one.creator_name ? `, ${one.creator_name}` : "")]);
  facts.push([one.existed_before ? "older than the trace" : "created at", one.existed_before ? "yes" : moment(one.created_ns)]);
  facts.push(["first ran at", one.started_ns === null ? "never" : moment(one.started_ns)]);
  facts.push(["ended at", one.ended_ns === null ? "it was still there when the trace ended" : moment(one.ended_ns)]);
  for (const [column, title] of [["mark_assist_ns", "in mark assists"], ["sweep_ns", "sweeping"], ["stop_the_world_ns", "in pauses that it asked for"]]) {
    if (one[column]) facts.push([title, format.ns(one[column])]);
  }
  return [h("dl.facts", {}, facts.map(([title, value]) => [h("dt", {}, title), h("dd", {}, value)]).flat()),
    one.create_stack && h("p.muted", {}, "The go statement:"), one.create_stack && stack(parse(one.create_stack))];
}

/** @param {number} at */
const moment = (at) => h("a", { href: links.timeline(at, at) }, format.moment(at));

/**
 * @param {string} title
 * @param {string | null | undefined} text
 * @param {string | null} [of] which stack that is, where the title does not tell
 */
function stackCard(title, text, of) {
  return h("div.card", {}, h("h3", {}, title), of && h("p.muted", {}, of), text ? stack(parse(text)) : h("p.muted", {}, "The trace shows no stack there."));
}

/**
 * @param {Row} one
 * @param {Row[]} waits
 */
function shares(one, waits) {
  return [{ name: "running", key: "running", ns: one.running_ns }, { name: "runnable", key: "ready", ns: one.runnable_ns },
    { name: "system calls", key: "syscall", ns: one.syscall_ns + one.syscall_blocked_ns },
    ...waits.map((it) => ({ name: `waiting: ${it.kind}`, key: colour("waiting", it.kind), ns: it.total_ns }))];
}

/**
 * The key of a state's colour.
 * @param {string} state
 * @param {string | null} kind
 */
function colour(state, kind) {
  if (state !== "waiting") return state === "runnable" ? "ready" : state;
  return ["network", "lock", "channel", "select", "sleep", "gc"].includes(kind ?? "") ? String(kind) : "other";
}

/**
 * Its states from left to right; where there are very many, the shares of each column.
 * @param {Row} one
 */
async function strip(one) {
  const from = one.created_ns;
  const length = one.total_ns || 1;
  const kind = "(select r.kind from reasons r where r.name = coalesce(s.reason, ''))";
  let spans = objects(await sql(`select start_ns, duration_ns, state, reason, case s.state when 'waiting' then ${kind} end as kind
    from goroutine_states s where goroutine_id = :id order by start_ns, id limit :limit`, { id: one.id, limit: SPANS + 1 }));
  let isShares = false;
  if (spans.length > SPANS) {
    isShares = true;
    const step = Math.ceil(length / COLUMNS);
    const columns = JSON.stringify(Array.from({ length: COLUMNS }, (_, at) => from + at * step));
    const first = "select id, start_ns, duration_ns from goroutine_states where goroutine_id = " + Number(one.id);
    const second = `select value as start_ns, ${step} as duration_ns from json_each('${columns}')`;
    spans = objects(await sql(`select i.start_ns / ${step} as step, min(i.start_ns) as at_ns, s.state, case s.state when 'waiting' then ${kind} end as kind,
      sum(i.duration_ns) as duration_ns
      from interval_intersect(:first, :second) i join goroutine_states s on s.id = i.a_id
      group by (i.start_ns - ${from}) / ${step}, s.state, kind order by 2, 3`, { first, second }, { limit: COLUMNS * 12 }));
    const below = new Map();
    spans = spans.map((it) => {
      const column = Math.floor((it.at_ns - from) / step);
      const sum = below.get(column) ?? 0;
      below.set(column, sum + it.duration_ns);
      return { ...it, column, start_ns: from + column * step, width: step, top: sum / step, share: it.duration_ns / step, reason: null };
    });
  }
  const width = 1000;
  const height = 34;
  const rects = spans.map((it) => {
    const size = Math.max(0.4, ((isShares ? it.width : it.duration_ns) / length) * width);
    const shape = s("rect", {
      style: { fill: `var(--${colour(it.state, it.kind)})` },
      x: ((it.start_ns - from) / length) * width,
      width: size,
      y: isShares ? it.top * height : 0,
      height: isShares ? it.share * height : height,
    }, s("title", {}, `${it.state}${it.reason ? ` (${it.reason})` : it.kind ? ` (${it.kind})` : ""}, ${format.ns(it.duration_ns)}, at ${format.moment(it.start_ns)}`));
    shape.addEventListener("click", () => location.assign(links.timeline(it.start_ns, it.start_ns + (isShares ? it.width : it.duration_ns), { goroutine: one.goid })));
    return shape;
  });
  return h("div", {}, h("h3", {}, "Over time", isShares ? h("span.muted", {}, ", in columns of ", format.ns(Math.ceil(length / COLUMNS))) : ""),
    s("svg", { class: "strip", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", height, role: "img", "aria-label": "its states over time; the table below has them all" }, rects),
    h("p.muted", {}, `from ${format.moment(from)} to ${format.moment(from + one.total_ns)}; a click shows the place on the timeline`));
}

/**
 * Its regions, logs and CPU samples, where it has some.
 * @param {HTMLElement} main
 * @param {Row} one
 */
async function marks(main, one) {
  const [[has]] = [objects(await sql(`select exists (select 1 from regions where goroutine_id = :id) as regions,
    exists (select 1 from logs where goroutine_id = :id) as logs,
    exists (select 1 from ranges where goroutine_id = :id) as ranges`, { id: one.id }))];
  const parameters = { id: one.id };
  if (has.regions) {
    main.append(await statement({ title: "Regions", doc: "The program's regions on it.", name: "goroutine-regions", parameters,
      statement: `select start_ns, end_ns - start_ns as duration_ns, printf('%*s', 2 * depth, '') || type as type, nullif(task, 0) as task
from regions
where goroutine_id = :id
order by coalesce(start_ns, 0), depth, id` }));
  }
  if (has.logs) {
    main.append(await statement({ title: "Messages", doc: "What it logged into the trace.", name: "goroutine-logs", parameters,
      statement: `select time_ns, nullif(task, 0) as task, category, message
from logs
where goroutine_id = :id
order by id` }));
  }
  if (has.ranges) {
    main.append(await statement({ title: "Ranges of the runtime", doc: "Assists, sweeps and pauses of it.", name: "goroutine-ranges", parameters,
      statement: `select start_ns, duration_ns, name, swept_bytes, reclaimed_bytes, stack(stack_id) as stack
from ranges
where goroutine_id = :id
order by start_ns, id` }));
  }
}

/**
 * A part that is asked for when it is opened.
 * @param {string} title
 * @param {() => Promise<HTMLElement>} ask
 */
function later(title, ask) {
  const place = h("div");
  const details = /** @type {HTMLDetailsElement} */ (h("details.card", {}, h("summary", {}, title), place));
  details.addEventListener("toggle", async () => {
    if (place.childElementCount) return;
    fill(place, h("p.muted", {}, "asking"));
    try {
      fill(place, await ask());
    } catch (error) {
      fill(place, problem(error));
    }
  });
  return details;
}
