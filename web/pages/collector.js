// The garbage collector: what it costs, its cycles and pauses, and what it left the program.
// @ts-check
import { getJson, objects, query, sql } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { needsTrace, problem, start } from "../lib/page.js";
import { histogram, lines, time } from "../lib/plot.js";
import { border, canned, inTurn, tiles } from "../lib/section.js";

/** @typedef {Record<string, any>} Row */

/** Steps of the plot of the heap. */
const STEPS = 300;
/** The options of go tool trace's /mmu, as the query has them: name, title, whether Go sets it at first. */
const OPTIONS = /** @type {[string, string, boolean][]} */ ([
  ["stw", "STW", true], ["background", "background workers", true], ["assist", "mark assist", true], ["sweep", "sweep", false], ["per_proc", "per proc, not of the system", false]]);

start(async (page) => {
  if (!needsTrace(page)) return;
  const { main, search } = page;
  const trace = /** @type {Row} */ (page.trace);
  const queries = await getJson("/api/queries");
  const given = { trace: trace.id };
  const [[cost], heapSteps, pauses] = await Promise.all([
    query("gc-frequency", given).then(objects),
    query("heap", { ...given, steps: STEPS }).then(objects),
    sql(`select histogram_border(step, 10) as from_ns, histogram_border(step + 1, 10) as to_ns, pauses
      from (select histogram_step(duration_ns, 10) as step, count(*) as pauses from stop_the_world where trace_id = :trace group by 1)
      order by step`, given).then(objects),
  ]);
  main.append(h("h1", {}, "Garbage collector"), tiles([
    [format.count(cost.cycles), `collections, ${cost.cycles_per_second} a second`],
    [format.share(cost.mark_share), "of the time marking"],
    cost.cpu_share === null ? null : [format.share(cost.cpu_share), "of the procs' time, idle workers not counted"],
    cost.max_pause_ns === null ? null : [format.ns(cost.max_pause_ns), "the longest pause for it"],
    [format.ns(cost.pause_ns), "stopped for it in all"],
    [format.ns(cost.assist_ns), "mark assists, summed over goroutines"],
  ]));
  const cycles = objects(await query("gc", given, { limit: 2000 }));
  const heap = heapPlot(trace, heapSteps, cycles);
  if (heap) main.append(heap);
  main.append(await utilisation(page, queries, search));
  if (pauses.length) {
    main.append(h("h2", {}, "Pauses"), histogram({ title: "How long the world was stopped, each time", what: "pauses", text: border, key: "ready", bars: pauses.map((one) => ({ from: Math.max(1, one.from_ns), to: one.to_ns, count: one.pauses })) }));
  }
  await inTurn(main, ["stw", "stw-culprits", "gc", "gc-assists"].map((name) => () => canned(queries, name, given)));
});

/**
 * @param {Row} trace
 * @param {Row[]} steps
 * @param {Row[]} cycles
 */
function heapPlot(trace, steps, cycles) {
  const most = Math.max(0, ...steps.map((one) => Math.max(one.max_live_bytes ?? 0, one.goal_bytes ?? 0)));
  if (!most) return null;
  const points = (/** @type {string} */ name) => steps.map((one) => /** @type {[number, number | null]} */ ([one.start_ns, one[name]]));
  return lines({
    title: "Heap",
    x: time(0, trace.duration_ns),
    y: { from: 0, to: most * 1.05, isBytes: true, text: format.bytes },
    series: [
      { name: "live, most in a step", key: "runtime", points: points("max_live_bytes"), isStep: true },
      { name: "live, least in a step", key: "running", points: points("min_live_bytes"), isStep: true },
      { name: "goal", key: "accent", points: points("goal_bytes"), isStep: true, isDashed: true }],
    bands: cycles.map((one) => ({ start: one.start_ns, length: one.mark_ns, key: "runtime" })),
    pick: (at) => location.assign(links.timeline(at - trace.duration_ns / 50, at + trace.duration_ns / 50)),
    height: 220,
  });
}

/**
 * Minimum mutator utilisation with the options of go tool trace's /mmu, and the worst windows.
 * @param {import("../lib/page.js").Page} page
 * @param {Row[]} queries
 * @param {URLSearchParams} search
 */
async function utilisation(page, queries, search) {
  const head = h("div.title", {}, h("h2", {}, "Minimum mutator utilisation"),
    h("p.muted", {}, "The least share of the procs that the program had beside the collector in any window of a length."));
  if (page.analysis.traces.length > 1) {
    return h("section", {}, head, h("p.card.muted", {}, "It is that of one trace, and several are open: open this one alone."));
  }
  const flags = search.get("flags")?.split("|");
  const isSet = (/** @type {string} */ name, /** @type {boolean} */ usual) =>
    flags ? flags.includes(name === "per_proc" ? "perProc" : name) : search.has(name) ? search.get(name) !== "0" : usual;
  const boxes = OPTIONS.map(([name, title, usual]) => {
    const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: `mmu-${name}`, name, checked: isSet(name, usual) }));
    return { name, usual, box, shown: h("span.check", {}, box, h("label", { for: box.id }, title)) };
  });
  const window = /** @type {HTMLInputElement} */ (h("input", { name: "window", id: "mmu-window", size: 8, value: search.get("window") ?? "10ms" }));
  const place = h("div");
  const draw = async () => {
    const chosen = Object.fromEntries(boxes.map(({ name, box }) => [name, box.checked ? 1 : 0]));
    const changed = Object.fromEntries(boxes.filter(({ box, usual }) => box.checked !== usual).map(({ name, box }) => [name, box.checked ? 1 : 0]));
    history.replaceState(null, "", links.here("/collector", { ...changed, window: window.value === "10ms" ? null : window.value }));
    try {
      const result = objects(await query("mmu", chosen));
      fill(place, plot(result, (at) => {
        window.value = border(nearest(result, at));
        draw();
      }), await canned(queries, "mmu-worst", { ...chosen, window: window.value }, { height: 320 }),
      h("details", {}, h("summary", {}, "The curve as a table"), await canned(queries, "mmu", chosen)));
    } catch (error) {
      fill(place, problem(error));
    }
  };
  const form = h("form.controls", { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), draw()) },
    boxes.map((one) => one.shown), h("label", {}, "length of the worst windows", window), h("button", { type: "submit" }, "Show"));
  for (const { box } of boxes) box.addEventListener("change", draw);
  await draw();
  return h("section", {}, head, form, place);
}

/**
 * @param {Row[]} rows
 * @param {number} at
 */
function nearest(rows, at) {
  const far = (/** @type {Row} */ row) => Math.abs(Math.log(row.window_ns / at));
  return rows.reduce((best, row) => far(row) < far(best) ? row : best, rows[0]).window_ns;
}

/**
 * @param {Row[]} rows
 * @param {(at: number) => void} pick
 */
function plot(rows, pick) {
  if (rows.length < 2) return h("div.card", {}, "The trace does not tell GOMAXPROCS, or is too short: there is no curve.");
  const points = (/** @type {string} */ name) => rows.map((row) => /** @type {[number, number]} */ ([row.window_ns, row[name]]));
  return lines({
    title: "Utilisation by length of the window (a click shows the worst windows of a length)",
    x: { from: rows[0].window_ns, to: rows[rows.length - 1].window_ns, isLog: true, text: border },
    y: { from: 0, to: 1, text: (value) => `${Math.round(value * 100)}%` },
    series: [{ name: "least", key: "ready", points: points("utilisation") },
      { name: "without the worst 0.1 %", key: "network", points: points("p999"), isDashed: true },
      { name: "without the worst 1 %", key: "running", points: points("p99"), isDashed: true },
      { name: "without the worst 5 %", key: "runtime", points: points("p95"), isDashed: true }],
    pick,
    height: 220,
  });
}
