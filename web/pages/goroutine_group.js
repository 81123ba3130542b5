// The goroutines that began with one function: what go tool trace shows at /goroutine?name=.
// @ts-check
import { objects, sql } from "../lib/api.js";
import { bar, strip } from "../lib/bar.js";
import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { needsTrace, start } from "../lib/page.js";
import { histogram } from "../lib/plot.js";
import { border, duration, statement, tiles } from "../lib/section.js";

/** @typedef {Record<string, any>} Row */

/** So many reasons have a column of their own. */
const REASONS = 24;
const KEYS = /** @type {Record<string, string>} */ ({ network: "network", lock: "lock", channel: "channel", select: "select", sleep: "sleep", gc: "gc" });

start(async (page) => {
  if (!needsTrace(page)) return;
  const { main, search } = page;
  const trace = page.trace?.id;
  const name = decodeURIComponent(location.pathname.slice("/goroutines/".length));
  const min = duration(search.get("min"));
  const max = duration(search.get("max"));
  const which = `g.trace_id = :trace and g.function_id ${name ? "in (select id from functions where name = cast(:name as text))" : "is null"}`;
  const given = name ? { trace, name } : { trace };
  const [[sums], waits, lives] = await Promise.all([
    sql(`select count(*) as goroutines, sum(running_ns) as running_ns, sum(runnable_ns) as runnable_ns,
      sum(syscall_ns) as syscall_ns, sum(syscall_blocked_ns) as syscall_blocked_ns, sum(waiting_ns) as waiting_ns,
      percentile(total_ns, 0.5) as p50_ns, percentile(total_ns, 0.99) as p99_ns, max(total_ns) as max_ns,
      min(created_ns) as created_ns, sum(mark_assist_ns + sweep_ns + stop_the_world_ns) as special_ns,
      (select sum(running_ns) from goroutines where trace_id = :trace) as all_running_ns
      from goroutines g where ${which}`, given).then(objects),
    sql(`select w.reason as reason, w.kind as kind, sum(w.waits) as waits, sum(w.total_ns) as total_ns
      from goroutine_waits w join goroutines g on g.id = w.goroutine_id where ${which}
      group by 1, 2 order by 4 desc`, given).then(objects),
    sql(`select histogram_border(step, 10) as from_ns, histogram_border(step + 1, 10) as to_ns, goroutines
      from (select histogram_step(g.total_ns, 10) as step, count(*) as goroutines from goroutines g where ${which} group by 1)
      order by 1`, given).then(objects),
  ]);
  main.append(h("h1", {}, name || "Goroutines of which no stack was seen"));
  if (!sums.goroutines) {
    main.append(h("div.card", {}, "No goroutine of this trace began with it."));
    return;
  }
  const profile = (/** @type {string} */ type, /** @type {string} */ title) =>
    h("a", { href: links.here("/profile", { type, function: name }) }, title);
  main.append(
    h("p.sub", {}, "What its goroutines did, as go tool trace tells it"),
    tiles([
      [format.count(sums.goroutines), sums.goroutines === 1 ? "goroutine" : "goroutines", links.here("/timeline", { filter: name })],
      [format.share(sums.running_ns / (sums.all_running_ns || 1)), "of the execution time of the program"],
      [format.ns(sums.running_ns), "execution time"],
      sums.goroutines > 1 ? [format.ns(sums.p50_ns), "half lived no longer"] : null,
      [format.ns(sums.max_ns), sums.goroutines > 1 ? "the longest life" : "from its first appearance to its end"],
    ]),
    h("div.card", {}, bar("What their time went into", shares(sums, waits)) ?? "",
      h("div.ways", {}, "Profiles:", profile("net", "network wait"), profile("sync", "synchronization blocking"),
        profile("syscall", "syscalls"), profile("sched", "scheduler wait"), profile("cpu", "CPU"))));
  const rows = lives.filter((one) => one.from_ns !== null);
  if (sums.goroutines > 1 && rows.length) {
    main.append(histogram({
      title: "How long they lived",
      what: "goroutines",
      text: border,
      bars: rows.map((one) => ({
        from: Math.max(1, one.from_ns),
        to: one.to_ns,
        count: one.goroutines,
        isChosen: min === one.from_ns && max === one.to_ns - 1,
        href: links.here(location.pathname, { min: one.from_ns, max: one.to_ns - 1 }) + "#breakdown",
      })),
    }));
  }
  const some = waits.slice(0, REASONS);
  const others = waits.length > REASONS;
  const filter = `${min !== null ? " and g.total_ns >= :min" : ""}${max !== null ? " and g.total_ns <= :max" : ""}`;
  const limits = { ...(min !== null ? { min } : {}), ...(max !== null ? { max } : {}) };
  const reasons = Object.fromEntries(some.map((one, at) => [`r${at}`, one.reason]));
  const known = some.map((_, at) => `coalesce(sum(w.total_ns) filter (where w.reason is :r${at}), 0) as block_${at}_ns`);
  const rest = others ? [`g.waiting_ns - coalesce(sum(w.total_ns) filter (where ${some.map((_, at) => `w.reason is :r${at}`).join(" or ")}), 0) as block_other_ns`] : [];
  const titles = Object.fromEntries([
    ["goid", "Goroutine"], ["created_ns", "Start"], ["total_ns", "Total"], ["running_ns", "Execution time"], ["runnable_ns", "Sched wait time"],
    ["syscall_ns", "Syscall execution time"], ["syscall_blocked_ns", "Block time (syscall)"],
    ...some.map((one, at) => [`block_${at}_ns`, `Block time (${one.reason ?? "unknown"})`]),
    ["block_other_ns", "Block time (others)"], ["unknown_ns", "Unknown time"],
    ["mark_assist_ns", "GC mark assist"], ["sweep_ns", "GC incremental sweep"], ["stop_the_world_ns", "stop-the-world"]]);
  const isFiltered = min !== null || max !== null;
  main.append(h("div", { id: "breakdown" }), await statement({
    title: "Breakdown",
    doc: "Each goroutine and what its time went into; the times add up to its total." +
      (isFiltered ? ` Only lives from ${format.ns(min ?? 0)}${max === null ? "" : ` to ${format.ns(max)}`}.` : ""),
    name: "breakdown",
    statement: `select g.goid as goid, g.created_ns as created_ns, g.total_ns as total_ns, g.running_ns as running_ns, g.runnable_ns as runnable_ns,
  g.syscall_ns as syscall_ns, g.syscall_blocked_ns as syscall_blocked_ns,
  ${[...known, ...rest, ""].join(",\n  ")}g.total_ns - g.running_ns - g.runnable_ns - g.syscall_ns - g.syscall_blocked_ns - g.waiting_ns as unknown_ns
from goroutines g
left join goroutine_waits w on w.goroutine_id = g.id
where ${which}${filter}
group by g.id
order by g.total_ns desc, g.id`,
    parameters: { ...given, ...limits, ...reasons },
  }, {
    titles,
    height: 560,
    above: () => isFiltered ? h("p", {}, h("a", { href: links.here(location.pathname) + "#breakdown" }, "all of them")) : null,
    drawn: [{ title: "", doc: "what its time went into", before: "running_ns", draw: (row, result) => strip(row.map((value, at) => {
      const column = result.columns[at].name;
      const reason = some[Number(/^block_(\d+)_ns$/.exec(column)?.[1] ?? -1)];
      const key = column === "running_ns" ? "running" : column === "runnable_ns" ? "ready" : column.startsWith("syscall") ? "syscall" : reason ? KEYS[reason.kind] ?? "other" : column.startsWith("block") ? "other" : "";
      return { name: titles[column] ?? column, key: key || "other", ns: key ? Number(value) : 0 };
    }), undefined, "small") }],
  }));
  if (sums.special_ns > 0) {
    main.append(await statement({
      title: "Special ranges",
      doc: "Time inside assists, sweeps and pauses, whatever state the goroutine was in; it overlaps the times above.",
      name: "special-ranges",
      statement: `select g.goid as goid, g.total_ns as total_ns, g.mark_assist_ns as mark_assist_ns, g.sweep_ns as sweep_ns,
  g.stop_the_world_ns as stop_the_world_ns
from goroutines g
where ${which} and g.mark_assist_ns + g.sweep_ns + g.stop_the_world_ns > 0
order by g.mark_assist_ns + g.sweep_ns + g.stop_the_world_ns desc, g.id`,
      parameters: given,
    }, { titles }));
  }
});

/**
 * @param {Row} sums
 * @param {Row[]} waits
 */
function shares(sums, waits) {
  const kinds = new Map();
  for (const one of waits) kinds.set(one.kind, (kinds.get(one.kind) ?? 0) + one.total_ns);
  return [
    { name: "execution time", key: "running", ns: sums.running_ns }, { name: "sched wait", key: "ready", ns: sums.runnable_ns },
    { name: "syscalls", key: "syscall", ns: sums.syscall_ns + sums.syscall_blocked_ns },
    ...[...kinds].map(([kind, ns]) => ({ name: kind ?? "unknown", key: KEYS[kind] ?? "other", ns }))];
}
