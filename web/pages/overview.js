// What the program did, and what is wrong with it.
// @ts-check
import { getJson } from "../lib/api.js";
import { bar } from "../lib/bar.js";
import { h, picture } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { problem, start } from "../lib/page.js";
import { parse, stack } from "../lib/stack.js";

/** @typedef {Record<string, any>} Row */

start(async ({ analysis, trace, main }) => {
  if (trace) {
    const report = await getJson(links.address("/api/report", { trace: trace.id }));
    await drawTrace(report.traces[0], main);
  }
  if (analysis.profiles.length) {
    main.append(h("h2", {}, "Profiles"), h("div.card", {}, h("ul", {}, analysis.profiles.map(profile))));
  }
});

/** @param {Row} one */
function profile(one) {
  const types = JSON.parse(one.types ?? "[]").map((/** @type {Row} */ it) => it.type).join(", ");
  return h("li", {}, h("a", { href: links.address("/profile", { profile: one.id }) }, String(one.source)), ` ${types}, ${format.count(one.samples)} samples`);
}

/**
 * @param {Row} report
 * @param {HTMLElement} main
 */
async function drawTrace(report, main) {
  const drawing = picture(links.address("/api/report/plots.svg", { trace: report.trace_id }));
  main.append(
    h("h1", {}, report.source),
    h("p.sub", {}, `${format.count(report.events)} events, written by ${report.written_by}`),
    tiles(report),
    h("h2", {}, report.findings.length ? "What is wrong, what costs most first" : "What is wrong"),
    ...report.findings.map((/** @type {Row} */ one, /** @type {number} */ at) => finding(one, at, report)));
  if (!report.findings.length) main.append(h("div.card.finding.nothing", {}, report.nothing_found));
  const plots = h("div.card");
  main.append(h("h2", {}, "What it did"), plots,
    h("div.card", {}, report.bars.map((/** @type {Row} */ one) => bar(one.title, one.parts))),
    h("div.card", {}, report.overview.map((/** @type {Row} */ one) =>
      h("p", {}, h("b", {}, one.label), " ", one.text))));
  try {
    plots.append(await drawing);
  } catch (error) {
    plots.replaceWith(problem(error));
  }
}

/** @param {Row} report */
function tiles(report) {
  const procs = report.procs;
  const all = procs.goroutine_ns + procs.syscall_ns + procs.scheduler_ns + procs.idle_ns;
  const tile = (/** @type {string} */ value, /** @type {string} */ name, /** @type {string} */ page) =>
    h("a.tile", { href: page }, h("b", {}, value), h("span", {}, name));
  const some = [tile(format.ns(report.duration_ns), "long", "/timeline")];
  if (all > 0) some.push(tile(format.share((procs.goroutine_ns + procs.syscall_ns) / all), `of ${report.gomaxprocs ?? "the"} procs busy`, "/procs"));
  some.push(tile(format.count(report.program.goroutines), "goroutines of the program", "/goroutines"));
  some.push(tile(format.share(Math.min(1, report.memory.mark_ns / report.duration_ns)), `of the time marking, ${format.count(report.memory.gc_cycles)} collections`, "/collector"));
  if (report.memory.max_pause_ns !== null) some.push(tile(format.ns(report.memory.max_pause_ns), "longest pause", "/collector"));
  return h("div.tiles", {}, some);
}

/**
 * @param {Row} one
 * @param {number} at
 * @param {Row} report
 */
function finding(one, at, report) {
  const numbers = one.numbers;
  const ways = [];
  if (typeof numbers.start_ns === "number") {
    const end = numbers.start_ns + (numbers.duration_ns ?? 0);
    ways.push(h("a", { href: links.timeline(numbers.start_ns, end, { goroutine: numbers.goid }) }, "on the timeline"));
  }
  for (const command of one.commands) ways.push(way(command, report));
  return h("details.card.finding", { open: at < 3 },
    h("summary", {}, h("span.number", {}, at + 1), h("h3", {}, one.headline), h("span.cost", {}, format.ns(one.cost_ns))),
    h("p.meaning", {}, one.meaning),
    h("ul", {}, one.evidence.map((/** @type {string} */ text) => h("li", {}, linked(text)))),
    one.stacks.map((/** @type {Row} */ it, /** @type {number} */ index) =>
      h("details", { open: index === 0 }, h("summary.muted", {}, `Stack: ${it.of}`), stack(parse(it.frames)))),
    h("div.ways", {}, ways),
    h("p.rule", {}, "Rule ", h("code", {}, one.rule)));
}

/**
 * The page that shows what a command of the report shows.
 * @param {string} command as "gotrace query SOURCE NAME -p goid=12"
 * @param {Row} report
 */
function way(command, report) {
  const query = /^gotrace query (?:'[^']*'|\S+) ([a-z][a-z-]*)(.*)$/.exec(command);
  if (!query) return h("code", {}, command);
  const parameters = Object.fromEntries([...query[2].matchAll(/-p (\w+)=('[^']*'|\S+)/g)].map(([, name, value]) => [name, value.replace(/^'|'$/g, "")]));
  return h("a", { href: links.address(`/query/${query[1]}`, { trace: report.trace_id, ...parameters }), title: command }, query[1]);
}

/**
 * A sentence in which the numbers of goroutines are links: "goroutine 12", "3 goroutines (12, 13, 14)".
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function linked(text) {
  const parts = text.split(/(\bgoroutine \d+|\bgoroutines? \(\d+(?:, \d+)*)/);
  return parts.map((part, at) => at % 2 === 0 ? [part] : part.split(/(\d+)/).map((piece, index) =>
    index % 2 === 0 ? piece : h("a", { href: links.goroutine(piece) }, piece))).flat();
}
