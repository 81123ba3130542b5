// Plots as SVG: lines, bars of histograms, stacked steps. As wide as their place; colours are those of states.
// @ts-check
import { fill, h, s } from "./dom.js";
import * as format from "./format.js";

/**
 * An axis; bytes have round values of their own.
 * @typedef {{from: number, to: number, isLog?: boolean, isBytes?: boolean, text: (value: number) => string}} Axis
 * @typedef {{name: string, key: string, points: [number, number | null][], isDashed?: boolean, isStep?: boolean}} Series
 * @typedef {{from: number, to: number, count: number, href?: string, title?: string, isChosen?: boolean}} Bar
 * @typedef {{start: number, length: number, parts: {name: string, key: string, value: number}[], title?: string, href?: string}} Step
 */

const LEFT = 64;
const RIGHT = 14;
const TOP = 8;
const BOTTOM = 22;

/**
 * A figure that is drawn again when its width changes.
 * @param {string} title
 * @param {{name: string, key: string, isDashed?: boolean}[]} legend
 * @param {string} summary for those who do not see it
 * @param {number} height pixels
 * @param {(width: number) => SVGElement[]} paint
 */
function figure(title, legend, summary, height, paint) {
  const place = h("div.canvas", { style: { height: `${height}px` } });
  let drawn = 0;
  const draw = () => {
    const width = Math.floor(place.clientWidth);
    if (width < 40 || width === drawn) return;
    drawn = width;
    fill(place, s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${title}: ${summary}` }, paint(width)));
  };
  new ResizeObserver(draw).observe(place);
  return h("figure.plot", {}, h("figcaption", {}, title), place, legend.length > 1 && h("ul.legend", {},
    legend.map((one) => h("li", {}, h(one.isDashed ? "i.dashed" : "i", { style: one.isDashed ? { borderTopColor: `var(--${one.key})` } : { background: `var(--${one.key})` } }), one.name))));
}

/**
 * Where a value lies, pixels.
 * @param {Axis} axis
 * @param {number} first pixel of its beginning
 * @param {number} last pixel of its end
 */
function scale(axis, first, last) {
  const { from, to } = axis;
  if (axis.isLog) {
    const [a, b] = [Math.log10(Math.max(from, 1)), Math.log10(Math.max(to, 1))];
    return (/** @type {number} */ value) => first + (last - first) * (Math.log10(Math.max(value, 1)) - a) / (b - a || 1);
  }
  return (/** @type {number} */ value) => first + (last - first) * (value - from) / (to - from || 1);
}

/**
 * Round values on an axis.
 * @param {Axis} axis
 * @param {number} count about so many
 * @returns {number[]}
 */
export function ticks(axis, count) {
  const { from, to } = axis;
  if (!(to > from)) return [from];
  const some = [];
  if (axis.isLog) {
    const decades = Math.log10(Math.max(to, 1)) - Math.log10(Math.max(from, 1));
    const factors = decades < 2 ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil(decades / count));
    for (let power = Math.floor(Math.log10(Math.max(from, 1))); power <= Math.log10(to); power += every) {
      for (const factor of factors) {
        const value = factor * 10 ** power;
        if (value >= from * 0.999 && value <= to * 1.001) some.push(value);
      }
    }
    return some;
  }
  if (axis.isBytes) {
    const unit = 1024 ** Math.floor(Math.log(Math.max(to, 1)) / Math.log(1024));
    return ticks({ ...axis, isBytes: false, from: from / unit, to: to / unit }, count).map((value) => value * unit);
  }
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw * 0.999) ?? raw;
  for (let at = Math.ceil(from / step - 1e-9); at * step <= to + step * 1e-6; at++) some.push(at * step);
  return some;
}

/**
 * The frame: lines across for the values, texts for both axes.
 * @param {number} width
 * @param {number} height
 * @param {Axis} x
 * @param {Axis} y
 */
function frame(width, height, x, y) {
  const [right, bottom] = [width - RIGHT, height - BOTTOM];
  const across = scale(x, LEFT, right);
  const up = scale(y, bottom, TOP);
  const marks = ticks(y, Math.max(2, Math.floor(height / 45))).map((value) => [
    s("line", { class: "grid", x1: LEFT, x2: right, y1: up(value), y2: up(value) }),
    s("text", { x: LEFT - 6, y: up(value) + 4, "text-anchor": "end" }, y.text(value))]);
  const below = ticks(x, Math.max(2, Math.floor((width - LEFT) / 110))).map((value) => [
    s("line", { class: "grid", x1: across(value), x2: across(value), y1: bottom, y2: bottom + 4 }),
    s("text", { x: Math.min(across(value), right - 8), y: height - 6, "text-anchor": "middle" }, x.text(value))]);
  return { across, up, bottom, right, marks: [...marks.flat(), ...below.flat()] };
}

/**
 * Lines over an axis. The pointer shows the values below it; a click goes to a point.
 * @param {{title: string, x: Axis, y: Axis, series: Series[], height?: number,
 *   bands?: {start: number, length: number, key: string, title?: string}[], pick?: (x: number) => void}} what
 */
export function lines({ title, x, y, series, height = 180, bands = [], pick }) {
  const summary = series.map((one) => `${one.name} up to ${y.text(Math.max(0, ...one.points.map(([, value]) => value ?? 0)))}`).join(", ");
  return figure(title, series, summary, height, (width) => {
    const { across, up, bottom, right, marks } = frame(width, height, x, y);
    const drawn = series.map((one) => s("path", {
      class: one.isDashed ? "line dashed" : "line",
      style: { stroke: `var(--${one.key})` },
      d: path(one, across, up),
    }));
    const back = bands.slice(0, 2000).map((band) => s("rect", {
      class: "band",
      x: across(band.start),
      width: Math.max(0.5, across(band.start + band.length) - across(band.start)),
      y: TOP,
      height: bottom - TOP,
      style: { fill: `var(--${band.key})` },
    }, band.title && s("title", {}, band.title)));
    const cursor = s("line", { class: "cursor", y1: TOP, y2: bottom, visibility: "hidden" });
    const told = s("title");
    const cover = /** @type {SVGRectElement} */ (s("rect", { class: pick ? "cover picks" : "cover", x: LEFT, y: TOP, width: Math.max(0, right - LEFT), height: bottom - TOP }, told));
    const valueAt = (/** @type {MouseEvent} */ event) => {
      const share = (event.offsetX - LEFT) / Math.max(1, right - LEFT);
      if (!x.isLog) return x.from + share * (x.to - x.from);
      const [a, b] = [Math.log10(Math.max(x.from, 1)), Math.log10(x.to)];
      return 10 ** (a + share * (b - a));
    };
    cover.addEventListener("mousemove", (event) => {
      const value = valueAt(event);
      cursor.setAttribute("x1", String(event.offsetX));
      cursor.setAttribute("x2", String(event.offsetX));
      cursor.setAttribute("visibility", "visible");
      told.textContent = [x.text(value), ...series.map((one) => `${one.name}: ${shownAt(one, value, y)}`)].join("\n");
    });
    cover.addEventListener("mouseleave", () => cursor.setAttribute("visibility", "hidden"));
    if (pick) cover.addEventListener("click", (event) => pick(valueAt(event)));
    return [...marks, ...back, ...drawn, cursor, cover];
  });
}

/**
 * @param {Series} series
 * @param {number} x
 * @param {Axis} axis
 */
function shownAt(series, x, axis) {
  let found = null;
  for (const [at, value] of series.points) {
    if (at > x) break;
    found = value;
  }
  return found === null ? "-" : axis.text(found);
}

/**
 * @param {Series} series
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 */
function path(series, across, up) {
  let isOpen = false;
  const steps = [];
  for (const [x, value] of series.points) {
    if (value === null) {
      isOpen = false;
      continue;
    }
    const [left, top] = [across(x).toFixed(1), up(value).toFixed(1)];
    if (isOpen && series.isStep) steps.push(`H${left}V${top}`);
    else steps.push(`${isOpen ? "L" : "M"}${left},${top}`);
    isOpen = true;
  }
  return steps.join("");
}

/**
 * A histogram. Bars with an address are links.
 * @param {{title: string, bars: Bar[], text: (value: number) => string, key?: string, isLog?: boolean, height?: number, what?: string}} what
 */
export function histogram({ title, bars, text, key = "running", isLog = true, height = 160, what = "" }) {
  const most = Math.max(1, ...bars.map((bar) => bar.count));
  const from = Math.min(...bars.map((bar) => bar.from));
  const to = Math.max(...bars.map((bar) => bar.to));
  // Whole powers of ten, so that there are texts below few bars, too.
  const x = isLog ? { from: 10 ** Math.floor(Math.log10(Math.max(from, 1)) + 1e-9), to: 10 ** Math.ceil(Math.log10(Math.max(to, 10)) - 1e-9), isLog, text } : { from, to, isLog, text };
  const y = { from: 0, to: most, text: (/** @type {number} */ value) => Number.isInteger(value) ? format.count(value) : "" };
  const summary = `${format.count(bars.reduce((sum, bar) => sum + bar.count, 0))} ${what} from ${text(from)} to ${text(to)}`;
  return figure(title, [], summary, height, (width) => {
    const { across, up, bottom, marks } = frame(width, height, x, y);
    const drawn = bars.map((bar) => {
      const left = across(bar.from);
      const size = Math.max(1, across(bar.to) - left - 1);
      const top = Math.min(up(bar.count), bottom - 1);
      const label = bar.title ?? `${format.count(bar.count)} ${what} from ${text(bar.from)} to ${text(bar.to)}`;
      const shape = s("rect", { class: bar.isChosen ? "chosen" : null, x: left, y: top, width: size, height: bottom - top, style: { fill: `var(--${key})` } }, s("title", {}, label));
      return bar.href ? s("a", { href: bar.href, "aria-label": label }, s("rect", { class: "cover", x: left, y: TOP, width: size, height: bottom - TOP }, s("title", {}, label)), shape) : shape;
    });
    return [...marks, ...drawn];
  });
}

/**
 * Steps of an axis, each with parts one above the other.
 * @param {{title: string, x: Axis, y: Axis, steps: Step[], legend: {name: string, key: string}[], height?: number,
 *   line?: {value: number, name: string}, pick?: (step: Step) => void}} what
 */
export function stacked({ title, x, y, steps, legend, height = 180, line, pick }) {
  const summary = legend.map((one) => one.name).join(", ");
  return figure(title, legend, summary, height, (width) => {
    const { across, up, bottom, right, marks } = frame(width, height, x, y);
    const drawn = steps.map((step) => {
      const left = across(step.start);
      const size = Math.max(0.5, across(step.start + step.length) - left);
      let sum = 0;
      const shapes = step.parts.filter((part) => part.value > 0).map((part) => {
        const low = up(Math.min(sum, y.to));
        sum += part.value;
        const high = up(Math.min(sum, y.to));
        return s("rect", { x: left, y: high, width: size, height: Math.max(0, low - high), style: { fill: `var(--${part.key})` } });
      });
      const told = step.title ?? step.parts.filter((part) => part.value > 0).map((part) => `${part.name}: ${y.text(part.value)}`).join("\n");
      return s("g", { class: pick ? "picks" : null, onclick: pick ? () => pick(step) : null },
        s("rect", { class: "cover", x: left, y: TOP, width: size, height: bottom - TOP }), shapes,
        s("title", {}, `${x.text(step.start)}\n${told}`));
    });
    const limit = line ? [s("line", { class: "limit", x1: LEFT, x2: right, y1: up(line.value), y2: up(line.value) }, s("title", {}, line.name))] : [];
    return [...marks, ...drawn, ...limit];
  });
}

/**
 * The time of a trace as an axis.
 * @param {number} from nanoseconds
 * @param {number} to nanoseconds
 * @returns {Axis}
 */
export function time(from, to) {
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(Math.max((to - from) / 1e9, 1e-9))) + 1));
  return { from, to, text: (value) => `${(value / 1e9).toFixed(digits)}s` };
}
