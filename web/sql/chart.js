// A result as a plot: lines or bars over a column, or a histogram of one.
// @ts-check
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { histogram, lines, time } from "../lib/plot.js";

/**
 * @typedef {import("../lib/api.js").Column} Column
 * @typedef {import("../lib/api.js").Value} Value
 * @typedef {import("../lib/api.js").Result} Result
 */

/** So many points or bars are drawn. */
const POINTS = 5000;
const BARS = 60;

/**
 * The choice of a plot, and the plot; null for results that have no numbers.
 * @param {Result} result
 * @returns {HTMLElement | null}
 */
export function chart(result) {
  const numbers = result.columns.filter((_, at) => result.rows.some((row) => typeof row[at] === "number"));
  if (!numbers.length || result.rows.length < 2) return null;
  const place = h("div");
  const select = (/** @type {string} */ title, /** @type {string[]} */ names, /** @type {string} */ chosen) => {
    const field = /** @type {HTMLSelectElement} */ (h("select", {}, names.map((name) => h("option", { value: name, selected: name === chosen }, name))));
    field.addEventListener("change", draw);
    return { field, label: h("label", {}, title, field) };
  };
  const names = result.columns.map((one) => one.name);
  const first = numbers.find((one) => !format.isMoment(one.name) && !/(^|_)(id|goid)$/.test(one.name)) ?? numbers[0];
  const usualX = names.find((name) => format.isMoment(name) || name === "from_ns" || name === "window_ns") ?? names[0];
  const kind = select("plot", ["none", "line", "bars", "histogram"], "none");
  const x = select("over", names, usualX);
  const y = select("of", numbers.map((one) => one.name), first.name);
  function draw() {
    x.label.hidden = kind.field.value === "histogram" || kind.field.value === "none";
    y.label.hidden = kind.field.value === "none";
    const at = names.indexOf(x.field.value);
    const of = names.indexOf(y.field.value);
    const paint = { line, bars, histogram: spread }[kind.field.value];
    fill(place, paint ? paint(result, at, of) : null);
  }
  draw();
  return h("div", {}, h("div.controls", {}, kind.label, x.label, y.label), place);
}

/** @param {Column} column */
const texts = (column) => (/** @type {number} */ value) => format.shown(column, Number.isInteger(value) || column.unit ? value : Math.round(value * 1000) / 1000);

/**
 * @param {Result} result
 * @param {number} x
 * @param {number} y
 */
function line(result, x, y) {
  const points = result.rows.filter((row) => typeof row[x] === "number").slice(0, POINTS)
    .map((row) => /** @type {[number, number | null]} */ ([Number(row[x]), typeof row[y] === "number" ? row[y] : null])).sort((a, b) => a[0] - b[0]);
  if (points.length < 2) return h("p.muted", {}, "A line needs numbers to go over.");
  const values = points.map(([, value]) => value ?? 0);
  const [from, to] = [points[0][0], points[points.length - 1][0]];
  const axis = format.isMoment(result.columns[x].name) ? time(from, to) : { from, to, text: texts(result.columns[x]) };
  const low = Math.min(0, ...values);
  const high = Math.max(...values);
  return lines({
    title: `${result.columns[y].name} over ${result.columns[x].name}`,
    x: axis,
    y: { from: low, to: high > low ? high : low + 1, text: texts(result.columns[y]) },
    series: [{ name: result.columns[y].name, key: "running", points }],
    height: 260,
  });
}

/**
 * @param {Result} result
 * @param {number} x
 * @param {number} y
 */
function bars(result, x, y) {
  const rows = result.rows.filter((row) => typeof row[y] === "number").slice(0, BARS);
  const most = Math.max(...rows.map((row) => Math.abs(Number(row[y]))), Number.MIN_VALUE);
  return h("div.card.bars", { role: "list" }, rows.map((row) => h("div", { role: "listitem" },
    h("span.one", { title: String(row[x] ?? "") }, row[x] === null ? "" : format.shown(result.columns[x], row[x])),
    h("span.track", {}, h("i", { style: { width: `${(100 * Math.abs(Number(row[y]))) / most}%` } })),
    h("span.number", {}, format.shown(result.columns[y], row[y])))),
  result.rows.length > BARS && h("p.muted", {}, `the first ${BARS} rows`));
}

/**
 * @param {Result} result
 * @param {number} _
 * @param {number} of
 */
function spread(result, _, of) {
  const values = result.rows.map((row) => row[of]).filter((value) => typeof value === "number").map(Number).sort((a, b) => a - b);
  if (!values.length) return h("p.muted", {}, "There are no numbers.");
  const [low, high] = [values[0], values[values.length - 1]];
  const isLog = low >= 1 && high > low * 100;
  const steps = isLog ? Math.ceil((Math.log10(high) - Math.log10(low)) * 10) + 1 : Math.min(40, Math.max(1, Math.ceil(Math.sqrt(values.length))));
  const width = (high - low) / steps || 1;
  const border = (/** @type {number} */ at) => isLog ? 10 ** (Math.floor(Math.log10(low) * 10) / 10 + at / 10) : low + at * width;
  const counts = new Array(steps + 1).fill(0);
  for (const value of values) {
    const at = isLog ? Math.floor((Math.log10(value) - Math.floor(Math.log10(low) * 10) / 10) * 10 + 1e-9) : Math.floor((value - low) / width);
    counts[Math.max(0, Math.min(steps, at))] += 1;
  }
  if (!isLog && counts.length > 1) {
    // The greatest value is in the last step, not behind it.
    counts[counts.length - 2] += counts[counts.length - 1];
    counts.pop();
  }
  const column = result.columns[of];
  return histogram({
    title: `Rows by ${column.name}`,
    what: "rows",
    isLog,
    text: texts(column),
    height: 220,
    bars: counts.map((count, at) => ({ from: border(at), to: border(at + 1), count })).filter((bar) => bar.count),
  });
}
