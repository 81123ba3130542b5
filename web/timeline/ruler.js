// The ruler: times at round places.
// @ts-check
import * as format from "../lib/format.js";

/**
 * Round steps for a width.
 * @param {number} span nanoseconds
 * @param {number} most steps
 */
export function step(span, most) {
  const rough = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  for (const factor of [1, 2, 5, 10]) if (power * factor >= rough) return power * factor;
  return power * 10;
}

/**
 * A time, as exactly as the steps need it.
 * @param {number} ns
 * @param {number} every nanoseconds
 */
export function label(ns, every) {
  if (ns === 0) return "0";
  const [unit, name] = every >= 1e9 ? [1e9, "s"] : every >= 1e6 ? (Math.abs(ns) >= 1e10 ? [1e9, "s"] : [1e6, "ms"]) : every >= 1e3 ? (Math.abs(ns) >= 1e9 ? [1e6, "ms"] : [1e3, "µs"]) : (Math.abs(ns) >= 1e6 ? [1e3, "µs"] : [1, "ns"]);
  const digits = Math.max(0, Math.round(Math.log10(unit)) - Math.floor(Math.log10(every)));
  const [whole, part] = (ns / unit).toFixed(digits).split(".");
  return `${format.count(whole)}${part ? `.${part}` : ""}${name}`;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./view.js").View} view
 * @param {import("./palette.js").Palette} colours
 * @param {number} top
 * @param {number} height
 */
export function draw(context, view, colours, top, height) {
  const every = step(view.end - view.start, view.width / 110);
  context.fillStyle = colours.muted;
  context.strokeStyle = colours.line;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const ns of ticks(view, every)) {
    const x = Math.round(view.x(ns)) + 0.5;
    context.beginPath();
    context.moveTo(x, top + height * 0.35);
    context.lineTo(x, top + height);
    context.stroke();
    context.fillText(label(ns, every), x + 4, top + height / 2);
  }
}

/**
 * @param {import("./view.js").View} view
 * @param {number} every
 */
export function* ticks(view, every) {
  const first = Math.ceil(view.start / every);
  const last = Math.floor(view.end / every);
  for (let at = first; at <= last; at++) yield at * every;
}
