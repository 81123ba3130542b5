// Functions, each between those that call it and those that it calls.
// @ts-check
import { fill, h } from "../lib/dom.js";
import { menu, nothing, viewOf } from "./actions.js";
import { nextMatch } from "./top.js";

/**
 * @typedef {[string, string, number, string, string]} Neighbour function, inline, value, its text, share
 * @typedef {{name: string, flat: number, flat_text: string, flat_share: string, sum_share: string, cum: number, cum_text: string,
 *   cum_share: string, callers: Neighbour[], callees: Neighbour[]}} Peeked
 */

/** How many functions are drawn at first. */
const FIRST = 100;

/**
 * @param {HTMLElement} target
 * @param {{nodes: Peeked[]}} answer
 * @returns {import("./flame.js").Shown}
 */
export function draw(target, answer) {
  if (!answer.nodes.length) {
    nothing(target, "There is no sample. Another sample type, or fewer filters, may have some.");
    return { search: () => "", next: () => {} };
  }
  const heads = ["flat", "flat%", "sum%", "cum", "cum%", "calls", "calls%", "context"];
  const table = h("table.peek", { data: { query: "profile-peek" } }, h("thead", {}, h("tr", {}, heads.map((name) => h("th", {}, name)))));
  const more = h("p");
  fill(target, h("div.table", {}, h("div.scroller", { tabindex: "0", role: "region", "aria-label": "callers and callees" }, table)), more);
  const show = (/** @type {number} */ from, /** @type {number} */ to) => {
    table.append(...answer.nodes.slice(from, to).map(block));
    const left = answer.nodes.length - to;
    fill(more, left > 0 && h("button.link", { type: "button", onclick: () => show(to, to + 1000) }, `${left} more functions`));
  };
  show(0, FIRST);
  return {
    search: (pattern) => {
      let count = 0;
      for (const one of table.querySelectorAll("a.function")) {
        const isMatch = pattern?.test(one.textContent ?? "") ?? false;
        one.classList.toggle("match", isMatch);
        count += Number(isMatch);
      }
      return pattern ? `${count} match` : "";
    },
    next: (step) => nextMatch(table, step),
  };
}

/** @param {Peeked} node */
function block(node) {
  const number = (/** @type {string} */ text, /** @type {number | null} */ value) =>
    h("td.number", value === null ? {} : { data: { value: String(value) } }, text);
  const neighbour = (/** @type {Neighbour} */ [name, inline, value, text, share]) => h("tr", {},
    Array.from({ length: 5 }, () => h("td")), number(text, value), number(share, null),
    h("td.context", {}, "\u2003", link(name), inline && h("span.muted", {}, " ", inline)));
  return h("tbody", {}, node.callers.map(neighbour),
    h("tr.self", {}, number(node.flat_text, node.flat), number(node.flat_share, null), number(node.sum_share, null), number(node.cum_text, node.cum),
      number(node.cum_share, null), h("td"), h("td"), h("td.context", {}, link(node.name))),
    node.callees.map(neighbour));
}

/** @param {string} name */
function link(name) {
  return h("a.function", {
    href: viewOf("peek", name),
    oncontextmenu: (/** @type {MouseEvent} */ event) => {
      event.preventDefault();
      menu(event.clientX, event.clientY, { name });
    },
  }, name);
}
