// Bars of shares, with the colours of states and kinds of waiting.
// @ts-check
import { h } from "./dom.js";
import * as format from "./format.js";

/** @typedef {{name: string, key: string, ns: number}} Part */

/**
 * A bar, and what its colours mean.
 * @param {string} title
 * @param {Part[]} parts
 * @returns {HTMLElement | null}
 */
export function bar(title, parts) {
  const total = parts.reduce((sum, part) => sum + part.ns, 0);
  if (total <= 0) return null;
  const shown = parts.filter((part) => part.ns / total >= 0.0005);
  return h("div", {},
    h("h3", {}, title),
    strip(shown, total),
    h("ul.legend", {}, shown.map((part) =>
      h("li", {}, h(`i.${part.key}`), h("b", {}, format.share(part.ns / total)), " ", part.name))));
}

/**
 * Only the bar.
 * @param {Part[]} parts
 * @param {number} [total] nanoseconds; the sum of the parts if it is left out
 * @param {string} [size] "small" for one in a table
 */
export function strip(parts, total, size) {
  const all = total ?? parts.reduce((sum, part) => sum + part.ns, 0);
  return h(size ? `div.bar.${size}` : "div.bar", { role: "img", "aria-label": parts.map((part) => `${part.name} ${format.share(part.ns / (all || 1))}`).join(", ") },
    parts.filter((part) => part.ns / (all || 1) >= (size === "small" ? 0.004 : 1e-9)).map((part) => h(`i.${part.key}`, {
      style: { flex: String(part.ns / (all || 1)) },
      title: `${part.name}: ${format.share(part.ns / (all || 1))}, ${format.ns(part.ns)}`,
    })));
}
