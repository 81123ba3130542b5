// A canned query's parameters and filters, as a form.
// @ts-check
import { h } from "./dom.js";

/** @typedef {Record<string, any>} Row */

/** The filters of gotrace query: name, what stands in it while it is empty. */
const FILTERS = /** @type {[string, string][]} */ ([["from", "1.5s"], ["to", "2s"], ["goroutine", "12"], ["function", "main.worker"], ["task", "3"]]);

/**
 * @param {Row} query as /api/queries describes it
 * @param {URLSearchParams} search what stands in it
 * @param {(values: Record<string, string>) => void} submit
 */
export function form(query, search, submit) {
  const fields = query.parameters.filter((/** @type {Row} */ one) => one.name !== "trace").map((/** @type {Row} */ one) =>
    field(one.name, one.doc, one.default === "null" ? "" : one.default, search));
  const names = query.parameters.map((/** @type {Row} */ one) => one.name);
  const filters = query.filters === "none" || query.filters === "parameters" ? [] :
    FILTERS.filter(([name]) => !names.includes(name) && (query.filters !== "time" || name === "from" || name === "to"))
      .map(([name, example]) => field(name, `only ${name === "from" ? "from this time on" : name === "to" ? "before this time" : "this " + name}`, `such as ${example}`, search));
  const element = h("form.controls", {
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const inputs = element.querySelectorAll("input");
      submit(Object.fromEntries([...inputs].filter((one) => one.value !== "").map((one) => [one.name, one.value])));
    },
  }, fields, filters, h("button", { type: "submit" }, "Ask"));
  return element;
}

/**
 * @param {string} name
 * @param {string} doc
 * @param {string} placeholder
 * @param {URLSearchParams} search
 */
function field(name, doc, placeholder, search) {
  return h("label", { title: doc }, name, h("input", { name, placeholder, value: search.get(name) ?? "", size: 14 }));
}
