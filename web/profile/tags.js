// The labels of the samples; a click leaves only the stacks that have one.
// @ts-check
import { fill, h } from "../lib/dom.js";
import { nothing } from "./actions.js";
import { address, exactly } from "./state.js";

/** @typedef {{key: string, total_text: string, share: string, values: [string, number, string, string][]}} Group */

/** How many values of a label are drawn. */
const MOST = 200;

/**
 * @param {HTMLElement} target
 * @param {{groups: Group[]}} answer
 * @returns {import("./flame.js").Shown}
 */
export function draw(target, answer) {
  if (!answer.groups.length) nothing(target, "The samples have no labels.");
  else fill(target, h("div.columns", {}, answer.groups.map(group)));
  return { search: () => "", next: () => {} };
}

/** @param {Group} one */
function group(one) {
  const most = Math.max(1, ...one.values.map(([, value]) => Math.abs(value)));
  return h("div.card.tags", {}, h("h3", {}, one.key, h("span.muted", {}, ` ${one.total_text}, ${one.share} of the total`)),
    h("table", { data: { query: `profile-tags-${one.key}` } }, h("tbody", {}, one.values.slice(0, MOST).map(([name, value, text, share]) => {
      const bar = h("i");
      bar.style.width = `${(100 * Math.abs(value)) / most}%`;
      return h("tr", {}, h("td", {}, h("a", { href: address({ view: "flame", tf: `${one.key}=${exactly(name)}` }), title: "only stacks with this label" }, name)),
        h("td.number", { data: { value: String(value) } }, text), h("td.number", {}, share), h("td.share", {}, bar));
    }))),
    one.values.length > MOST && h("p.muted", {}, `and ${one.values.length - MOST} more`));
}
