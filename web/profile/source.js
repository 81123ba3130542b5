// Source with the values of its lines; those that cost most stand out.
// @ts-check
import { fill, h } from "../lib/dom.js";
import { nothing, viewOf } from "./actions.js";
import { nextMatch } from "./top.js";

/**
 * @typedef {[number, number, string, number, string, string]} Line number, flat, its text, cum, its text, source
 * @typedef {{name: string, file: string, flat_text: string, cum_text: string, cum_share: string, flat: number, cum: number, error?: string,
 *   lines?: Line[], is_newer?: boolean}} Listed
 */

/**
 * @param {HTMLElement} target
 * @param {{functions: Listed[], left_out: number, total: number}} answer
 * @param {boolean} hasSources whether the user has named folders with sources
 * @returns {import("./flame.js").Shown}
 */
export function draw(target, answer, hasSources) {
  if (!answer.functions.length) {
    nothing(target, "No function matches.");
    return { search: () => "", next: () => {} };
  }
  fill(target,
    !hasSources && h("div.card", {}, "No folder with sources was named. ", h("code", {}, "gotrace web --source-path FOLDER"), " says where the sources of the program are; nothing else is read."),
    answer.functions.map((one, at) => listing(one, at < 8, answer.total)),
    answer.left_out > 0 && h("p.muted", {}, `${answer.left_out} more functions match; `, "a search in Focus narrows them."));
  return {
    search: (pattern) => {
      let count = 0;
      for (const one of target.querySelectorAll("td.text, summary b")) {
        const isMatch = pattern?.test(one.textContent ?? "") ?? false;
        one.classList.toggle("match", isMatch);
        count += Number(isMatch);
      }
      return pattern ? `${count} match` : "";
    },
    next: (step) => nextMatch(target, step),
  };
}

/**
 * @param {Listed} one
 * @param {boolean} isOpen
 * @param {number} total
 */
function listing(one, isOpen, total) {
  const head = h("summary", {}, h("b", {}, one.name), h("span.muted", {}, ` ${one.flat_text || 0} flat, ${one.cum_text || 0} cum (${one.cum_share} of the total)`));
  const place = h("p.place.muted", {}, one.file || "unknown file", " ", h("a", { href: viewOf("peek", one.name), "aria-label": `callers and callees of ${one.name}` }, "callers and callees"));
  if (one.error) return h("details.card.listing", { open: isOpen }, head, place, h("p.muted", {}, one.error));
  const most = Math.max(1, ...(one.lines ?? []).map((line) => Math.abs(line[3])));
  const row = (/** @type {Line} */ [number, flat, flatText, cum, cumText, text]) => {
    const element = h(flat || cum ? "tr.hot" : "tr", {},
      h("td.number", { data: { value: String(flat) } }, flatText), h("td.number", { data: { value: String(cum) } }, cumText), h("td.number.line", {}, number), h("td.text", {}, text));
    if (cum) element.style.setProperty("--heat", `${Math.round(6 + (34 * Math.abs(cum)) / most)}%`);
    if (total && cum) element.title = `${((100 * cum) / total).toFixed(2)}% of the total`;
    return element;
  };
  return h("details.card.listing", { open: isOpen }, head, place,
    one.is_newer && h("p.newer", { role: "note" }, "This file is newer than the profile: the values may stand beside other lines than those that ran."),
    h("div.scroller", { tabindex: "0", role: "region", "aria-label": one.name }, h("table.lines", { data: { query: "profile-source" } },
      h("thead", {}, h("tr", {}, ["Flat", "Cum", "Line", "Source"].map((name) => h("th", {}, name)))), h("tbody", {}, one.lines?.map(row)))));
}
